/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "daemon/query/rate.h"
#include "tests/unit/alloc.h"

#define PER_SECOND 100

static const struct hash_key key = {{1, 2}};
static const struct rate_limit limit = {PER_SECOND, PER_SECOND};

static int
enter(void **state)
{
	struct rate *r;

	assert_int_equal(rate_new(&key, &r), 0);
	*state = r;
	return 0;
}

static int
leave(void **state)
{
	rate_free(*state);
	return 0;
}

static struct addr
source(unsigned n)
{
	return addr_make(
	    AF_INET, (uint8_t[]){10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n});
}

/* How many of a source's next n queries pass. */
static unsigned
passed(struct rate *r, unsigned who, unsigned n, int64_t now_ms)
{
	struct addr a = source(who);
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++)
		count += rate_take(r, &a, &limit, now_ms);
	return count;
}

static void
a_second_s_worth_passes_at_once(void **state)
{
	assert_int_equal(passed(*state, 1, 1000, 5000), PER_SECOND);
	assert_int_equal(passed(*state, 1, 1000, 5000), 0);
}

static void
tokens_come_back_with_time(void **state)
{
	assert_int_equal(passed(*state, 1, 1000, 5000), PER_SECOND);
	assert_int_equal(passed(*state, 1, 1000, 5009), 0);
	assert_int_equal(passed(*state, 1, 1000, 5010), 1);
	assert_int_equal(passed(*state, 1, 1000, 5510), PER_SECOND / 2);
	assert_int_equal(passed(*state, 1, 1000, 60000), PER_SECOND);
}

static void
a_burst_may_be_less_than_a_second_s_worth(void **state)
{
	const struct rate_limit small = {PER_SECOND, 10};
	struct addr a = source(1);
	unsigned count = 0;

	for (int64_t ms = 0; ms < 1000; ms += 50)
		for (int i = 0; i < 100; i++)
			count += rate_take(*state, &a, &small, ms);
	assert_int_equal(count, 10 + 19 * 5);
	for (int i = 0; i < 100; i++)
		count += rate_take(*state, &a, &small, 60000);
	assert_int_equal(count, 10 + 19 * 5 + 10);
}

static void
small_steps_lose_nothing(void **state)
{
	unsigned count = passed(*state, 1, 1000, 0);

	for (int64_t ms = 1; ms <= 1000; ms++)
		count += passed(*state, 1, 10, ms);
	assert_int_equal(count, 2 * PER_SECOND);
}

static void
sources_do_not_share(void **state)
{
	assert_int_equal(passed(*state, 1, 1000, 5000), PER_SECOND);
	assert_int_equal(passed(*state, 2, 1000, 5000), PER_SECOND);
	assert_int_equal(passed(*state, 1, 1000, 5000), 0);
}

static void
no_limit_is_no_limit(void **state)
{
	const struct rate_limit none = {0};
	struct addr a = source(1);

	for (int i = 0; i < 1000; i++)
		assert_true(rate_take(*state, &a, &none, 5000));
}

static void
who_asks_keeps_its_bucket(void **state)
{
	unsigned count = passed(*state, 0, 1000, 0);
	unsigned end_ms = 4 * RATE_SETS * RATE_WAYS;

	/* each millisecond a newcomer: it takes the place of another newcomer */
	for (unsigned ms = 1; ms <= end_ms; ms++) {
		(void)passed(*state, ms, 1, ms);
		count += passed(*state, 0, 1, ms);
	}
	assert_int_equal(count, PER_SECOND + end_ms * PER_SECOND / 1000);
}

static void
memory_may_lack(void **state)
{
	struct rate *r = NULL;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(rate_new(&key, &r), -ENOMEM);
	alloc_reset();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_second_s_worth_passes_at_once, enter, leave),
	    cmocka_unit_test_setup_teardown(tokens_come_back_with_time, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_burst_may_be_less_than_a_second_s_worth, enter, leave),
	    cmocka_unit_test_setup_teardown(small_steps_lose_nothing, enter, leave),
	    cmocka_unit_test_setup_teardown(sources_do_not_share, enter, leave),
	    cmocka_unit_test_setup_teardown(no_limit_is_no_limit, enter, leave),
	    cmocka_unit_test_setup_teardown(who_asks_keeps_its_bucket, enter, leave),
	    cmocka_unit_test(memory_may_lack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
