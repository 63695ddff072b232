/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/loader/reload.h"

struct fixture {
	struct event_base *base;
	struct reload *reload;
	int times, again, wanted;
	size_t errors;
};

static void
on_done(void *ctx, int result, const struct findings *findings,
    const struct loader_result *loaded)
{
	struct fixture *f = ctx;

	(void)loaded;
	f->times++;
	assert_int_equal(result, -EINVAL);
	if (f->again-- > 0)
		assert_int_equal(reload_start(f->reload, NULL), 0);
	/* still what was found by the one that has ended */
	f->errors += findings->errors;
	for (size_t i = 0; i < findings->len; i++)
		assert_true(strlen(findings->list[i].text) > 0);
	if (f->times == f->wanted)
		assert_int_equal(event_base_loopbreak(f->base), 0);
}

static int
set_up(void **state)
{
	static struct fixture f;
	struct hash_key key = {{1, 2}};

	memset(&f, 0, sizeof(f));
	f.base = event_base_new();
	assert_non_null(f.base);
	assert_int_equal(
	    reload_new(f.base, "/nonexistent/egressd.yaml", &key, on_done, &f, &f.reload),
	    0);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	reload_free(f->reload);
	event_base_free(f->base);
	return 0;
}

static void
test_errors_are_handed_over(void **state)
{
	struct fixture *f = *state;

	f->wanted = 1;
	assert_int_equal(reload_start(f->reload, NULL), 0);
	assert_int_equal(event_base_dispatch(f->base), 0);
	assert_int_equal(f->errors, 1);
}

static void
test_only_one_at_a_time(void **state)
{
	struct fixture *f = *state;

	f->wanted = 1;
	assert_int_equal(reload_start(f->reload, NULL), 0);
	assert_int_equal(reload_start(f->reload, NULL), -EBUSY);
	assert_int_equal(event_base_dispatch(f->base), 0);
	assert_int_equal(f->times, 1);
}

static void
test_the_next_may_be_started_from_the_end_of_one(void **state)
{
	struct fixture *f = *state;

	f->again = 3;
	f->wanted = 4;
	assert_int_equal(reload_start(f->reload, NULL), 0);
	assert_int_equal(event_base_dispatch(f->base), 0);
	assert_int_equal(f->times, 4);
	assert_int_equal(f->errors, 4);
}

static void
test_freed_while_one_is_under_way(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(reload_start(f->reload, NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_errors_are_handed_over),
	    TEST(test_only_one_at_a_time),
	    TEST(test_the_next_may_be_started_from_the_end_of_one),
	    TEST(test_freed_while_one_is_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
