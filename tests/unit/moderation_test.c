/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <event2/event.h>

#include "daemon/query/moderation.h"

static void
a_crowd_is_let_gather_from_the_next_millisecond_on(void **state)
{
	struct moderation m = {0};

	(void)state;
	assert_false(moderation_due(&m, MODERATION_PER_MS, 5000));
	assert_false(moderation_due(&m, MODERATION_PER_MS, 5000));
	assert_true(moderation_due(&m, 1, 5001));
	assert_true(moderation_due(&m, MODERATION_PER_MS - 1, 5001));
	assert_true(moderation_due(&m, 1, 5002));
	assert_false(moderation_due(&m, 1, 5003));
}

static void
small_batches_add_up(void **state)
{
	struct moderation m = {0};

	(void)state;
	for (int i = 0; i < MODERATION_PER_MS / MODERATION_BATCH; i++)
		assert_false(moderation_due(&m, MODERATION_BATCH, 5000));
	assert_true(moderation_due(&m, 1, 5001));
}

static void
what_comes_more_seldom_is_not_delayed(void **state)
{
	struct moderation m = {0};

	(void)state;
	for (int64_t ms = 5000; ms < 5100; ms++) {
		assert_false(moderation_due(&m, 1, ms));
		assert_false(moderation_due(&m, MODERATION_PER_MS - 2, ms));
	}
}

static void
a_few_at_a_time_are_not_delayed(void **state)
{
	struct moderation m = {0};

	(void)state;
	for (int64_t ms = 5000; ms < 5010; ms++)
		for (int i = 0; i < 2 * MODERATION_PER_MS; i++)
			assert_false(moderation_due(&m, MODERATION_BATCH - 1, ms));
}

/* Then it is the pauses that make the batches. */
static void
a_crowd_lasts_while_its_rate_does(void **state)
{
	struct moderation m = {0};

	(void)state;
	assert_false(moderation_due(&m, MODERATION_PER_MS, 5000));
	for (int64_t ms = 5001; ms < 5010; ms++)
		for (int i = 0; i < MODERATION_PER_MS; i++)
			assert_true(moderation_due(&m, 1, ms));
	assert_true(moderation_due(&m, MODERATION_PER_MS - 1, 5010));
	assert_false(moderation_due(&m, MODERATION_PER_MS, 5011));
}

static void
a_burst_is_over_after_a_millisecond_without_queries(void **state)
{
	struct moderation m = {0};

	(void)state;
	assert_false(moderation_due(&m, 1000, 5000));
	assert_false(moderation_due(&m, 1000, 5002));
	assert_true(moderation_due(&m, 1, 5003));
}

static void
a_batch_without_a_reply_at_once_is_no_crowd_s(void **state)
{
	struct moderation m = {0};

	(void)state;
	assert_false(moderation_due(&m, MODERATION_PER_MS, 5000));
	assert_false(moderation_due(&m, 0, 5001));
	assert_true(moderation_due(&m, 1, 5001));
}

static void
count(void *ctx)
{
	++*(int *)ctx;
}

static void
a_pause_is_one_and_has_an_end(void **state)
{
	struct event_base *base = event_base_new();
	struct moderation m = {0};
	int times = 0;

	(void)state;
	assert_int_equal(moderation_init(&m, base, count, &times), 0);
	for (int i = 1; i < 4; i++) {
		moderation_pause(&m);
		moderation_pause(&m);
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
		assert_int_equal(times, i);
		assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
		assert_int_equal(times, i);
	}
	moderation_pause(&m);
	moderation_done(&m);
	moderation_done(&m);
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 1); /* nothing is left */
	assert_int_equal(times, 3);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_crowd_is_let_gather_from_the_next_millisecond_on),
	    cmocka_unit_test(small_batches_add_up),
	    cmocka_unit_test(what_comes_more_seldom_is_not_delayed),
	    cmocka_unit_test(a_few_at_a_time_are_not_delayed),
	    cmocka_unit_test(a_crowd_lasts_while_its_rate_does),
	    cmocka_unit_test(a_burst_is_over_after_a_millisecond_without_queries),
	    cmocka_unit_test(a_batch_without_a_reply_at_once_is_no_crowd_s),
	    cmocka_unit_test(a_pause_is_one_and_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
