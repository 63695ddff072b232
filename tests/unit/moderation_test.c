/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

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
	for (int i = 0; i < MODERATION_PER_MS / 2; i++)
		assert_false(moderation_due(&m, 2, 5000));
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
one_that_asks_in_lock_step_is_not_delayed(void **state)
{
	struct moderation m = {0};

	(void)state;
	for (int64_t ms = 5000; ms < 5010; ms++)
		for (int i = 0; i < 2 * MODERATION_PER_MS; i++)
			assert_false(moderation_due(&m, 1, ms));
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
what_waits_for_upstream_is_not_delayed(void **state)
{
	struct moderation m = {0};

	(void)state;
	assert_false(moderation_due(&m, MODERATION_PER_MS, 5000));
	assert_false(moderation_due(&m, 0, 5001));
	assert_true(moderation_due(&m, 1, 5001));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_crowd_is_let_gather_from_the_next_millisecond_on),
	    cmocka_unit_test(small_batches_add_up),
	    cmocka_unit_test(what_comes_more_seldom_is_not_delayed),
	    cmocka_unit_test(one_that_asks_in_lock_step_is_not_delayed),
	    cmocka_unit_test(a_burst_is_over_after_a_millisecond_without_queries),
	    cmocka_unit_test(what_waits_for_upstream_is_not_delayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
