/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/forecast_bed.h"

static void
apply(struct fixture *f)
{
	f->done = 0;
	forecast_apply(f->forecast, foreseen_on_done, f);
}

static void
what_is_applied_is_gone_at_once(void **state)
{
	struct fixture *f = *state;
	int turns = 0;

	foreseen_hold(f, 1, "x.a.test");
	for (unsigned pod = 2; pod <= LEASES_MAX / 2; pod++)
		foreseen_hold(f, pod, "x.b.test");
	foreseen_begin(f, &f->one);
	foreseen_finish(f);
	assert_true(foreseen_is_found(f, 2, 1));
	apply(f);
	assert_int_equal(leases_counts(f->leases).leases, 1);
	assert_true(foreseen_is_found(f, 1, 1));
	for (unsigned pod = 2; pod <= LEASES_MAX / 2; pod++)
		assert_false(foreseen_is_found(f, pod, 1));
	for (; f->done == 0; turns++)
		foreseen_turn(f);
	assert_true(turns >= (int)(LEASES_MAX / 2 / FORECAST_WORK));
	assert_int_equal(leases_counts(f->leases).leases, 1);
	assert_int_equal(leases_counts(f->leases).grants, 1);
}

/* Between two turns, when not all that is gone has been forgotten. */
static void
a_lease_that_comes_anew_is_another_one(void **state)
{
	struct fixture *f = *state;
	const struct lease_target target = foreseen_https_at(1);
	struct grant *g;
	struct lease *lease;
	bool renew;

	for (unsigned pod = 1; pod <= LEASES_MAX / 2; pod++)
		foreseen_hold(f, pod, "x.b.test");
	foreseen_begin(f, &f->one);
	foreseen_finish(f);
	apply(f);
	foreseen_turn(f);
	assert_int_equal(f->done, 0);
	for (unsigned pod = 1; pod <= LEASES_MAX / 2; pod++) {
		g = foreseen_grant_of(f, pod, "x.a.test");
		assert_int_equal(
		    lease_check(f->leases, g, &target, 0, NULL), LEASE_SHORT);
		lease = lease_reserve(f->leases, g, &target, &renew);
		assert_non_null(lease);
		assert_false(renew); /* it comes behind the change in the kernel too */
		(void)lease_ask(f->leases, lease, NOW, NOW + 60000);
		lease_settle(f->leases, lease, true, NOW + 60000);
		lease_grant_release(f->leases, g);
	}
	foreseen_finish(f);
	assert_int_equal(leases_counts(f->leases).leases, LEASES_MAX / 2);
	for (unsigned pod = 1; pod <= LEASES_MAX / 2; pod++)
		assert_true(foreseen_is_found(f, pod, 1));
}

static void
what_is_gone_is_in_no_limits_way(void **state)
{
	struct fixture *f = *state;
	const struct lease_target target = foreseen_https_at(2);
	struct grant *g;

	for (unsigned pod = 1; pod <= LEASES_MAX; pod++)
		foreseen_hold(f, pod, "x.b.test");
	foreseen_begin(f, &f->one);
	foreseen_finish(f);
	apply(f);
	g = foreseen_grant_of(f, 1, "x.a.test");
	assert_int_equal(lease_check(f->leases, g, &target, 0, NULL), LEASE_SHORT);
	lease_grant_release(f->leases, g);
	assert_int_equal(leases_counts(f->leases).grants, 0);
	assert_int_equal(leases_counts(f->leases).refused, 0);
	foreseen_finish(f);
}

/* A commit of it was under way before the switch. */
static void
a_commit_of_what_is_gone_is_settled_after_it(void **state)
{
	struct fixture *f = *state;
	const struct lease_target target = foreseen_https_at(1);
	struct grant *g = foreseen_grant_of(f, 1, "x.b.test");
	struct lease *lease;
	bool renew;

	lease = lease_reserve(f->leases, g, &target, &renew);
	assert_non_null(lease);
	lease_grant_release(f->leases, g);
	foreseen_begin(f, &f->one);
	foreseen_finish(f);
	assert_int_equal(foreseen_withdrawn(f), 1);
	apply(f);
	foreseen_finish(f);
	assert_int_equal(leases_counts(f->leases).leases, 0);
	lease_settle(f->leases, lease, true, NOW + 60000);
	assert_int_equal(leases_counts(f->leases).leases, 0);
	assert_false(foreseen_is_found(f, 1, 1));
}

/* It fails on the way, or another change came first. */
static void
a_forecast_that_is_given_up_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;

	foreseen_hold(f, 1, "x.b.test");
	for (int i = 0; i < 2; i++) {
		f->done = 0;
		foreseen_begin(f, &f->one);
		foreseen_finish(f);
		assert_int_equal(foreseen_withdrawn(f), 1);
		forecast_free(f->forecast);
		f->forecast = NULL;
		assert_true(foreseen_is_found(f, 1, 1));
	}
	foreseen_begin(f, &f->one); /* not even looked at all */
	forecast_free(f->forecast);
	f->forecast = NULL;
	foreseen_hold(f, 1, "y.b.test");
	for (int64_t s = 0; s < 120; s++)
		leases_sweep(f->leases, NOW + s * 1000);
	assert_int_equal(leases_counts(f->leases).leases, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_applied_is_gone_at_once),
	    TEST(a_lease_that_comes_anew_is_another_one),
	    TEST(what_is_gone_is_in_no_limits_way),
	    TEST(a_commit_of_what_is_gone_is_settled_after_it),
	    TEST(a_forecast_that_is_given_up_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
