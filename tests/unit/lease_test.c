/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "daemon/lease/strain.h"
#include "tests/unit/lease_bed.h"

static void
test_covers_only_once_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	struct lease *lease;
	bool renew;

	assert_int_equal(check(f, &f->google, &t, NOW), LEASE_SHORT);
	lease = reserve(f, &f->google, &t, &renew);
	assert_false(renew);
	assert_int_equal(check(f, &f->google, &t, NOW), LEASE_SHORT);
	assert_int_equal(lease_ask(f->leases, lease, NOW, NOW + 1000), 1000);
	lease_settle(f->leases, lease, true, NOW + 1000);
	assert_int_equal(check(f, &f->google, &t, NOW + 1000), LEASE_COVERED);
	assert_int_equal(check(f, &f->google, &t, NOW + 1001), LEASE_SHORT);
}

static void
test_refused_commit_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	bool renew;

	lease_settle(f->leases, reserve(f, &f->google, &t, &renew), false, 0);
	assert_int_equal(leases_counts(f->leases).leases, 0);
	assert_int_equal(leases_counts(f->leases).grants, 0);
	assert_int_equal(f->pods.table.len, 0);
}

static void
test_refused_renewal_keeps_what_stands(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	struct lease *lease;
	bool renew;

	commit(f, &f->google, &t, NOW + 1000);
	lease = reserve(f, &f->google, &t, &renew);
	assert_true(renew);
	lease_settle(f->leases, lease, false, 0);
	assert_int_equal(check(f, &f->google, &t, NOW + 1000), LEASE_COVERED);
}

static void
test_another_pod_protocol_port_or_address_is_another_lease(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443), port = target(1, 80),
			    addr = target(2, 443);
	struct lease_target udp = t;
	struct addr first = f->pod;

	udp.proto = IPPROTO_UDP;
	commit(f, &f->google, &t, NOW + 1000);
	assert_int_equal(check(f, &f->google, &port, NOW), LEASE_SHORT);
	assert_int_equal(check(f, &f->google, &addr, NOW), LEASE_SHORT);
	assert_int_equal(check(f, &f->google, &udp, NOW), LEASE_SHORT);
	f->pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 3});
	assert_int_equal(check(f, &f->google, &t, NOW), LEASE_SHORT);
	f->pod = first;
}

static void
test_limits_refuse_and_evict_nothing(void **state)
{
	struct fixture *f = *state;
	struct lease_target t[7];

	for (uint8_t i = 0; i < 7; i++)
		t[i] = target(i, 443);
	for (size_t i = 0; i < 4; i++)
		commit(f, &f->google, &t[i], NOW + 1000);
	assert_int_equal(check(f, &f->google, &t[4], NOW), LEASE_FULL); /* per name */
	for (size_t i = 4; i < 6; i++)
		commit(f, &f->other, &t[i], NOW + 1000);
	assert_int_equal(check(f, &f->other, &t[6], NOW), LEASE_FULL); /* per pod */
	f->pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 3});
	commit(f, &f->other, &t[0], NOW + 1000);
	commit(f, &f->other, &t[1], NOW + 1000);
	assert_int_equal(check(f, &f->other, &t[2], NOW), LEASE_FULL); /* in all */
	assert_int_equal(leases_counts(f->leases).refused, 3);
	for (size_t i = 0; i < STRAIN_LIMITS; i++)
		assert_int_equal(leases_strain(f->leases)->refused[i], 1);
	f->pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(check(f, &f->google, &t[i], NOW), LEASE_COVERED);
}

/* Of 4 leases of a name, 6 of a pod, 8 in all: the fourth, fifth and seventh. */
static void
test_a_limit_is_near_before_it_is_reached(void **state)
{
	struct fixture *f = *state;
	struct strain *strain = leases_strain(f->leases);

	for (uint8_t i = 0; i < 7; i++) {
		struct lease_target other = target(i, 443);

		if (i == 5)
			f->pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 3});
		strain_clear(strain);
		commit(f, i < 4 ? &f->google : &f->other, &other, NOW + 1000);
		assert_true(strain->near[STRAIN_NAME] == (i == 3));
		assert_true(strain->near[STRAIN_POD] == (i == 4));
		assert_true(strain->near[STRAIN_SIZE] == (i == 6));
	}
}

static void
test_two_names_share_a_lease_and_the_last_claim_ends_it(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);

	commit(f, &f->google, &t, NOW + 1000);
	assert_int_equal(check(f, &f->other, &t, NOW), LEASE_COVERED);
	assert_int_equal(leases_counts(f->leases).leases, 1);
	assert_int_equal(leases_counts(f->leases).grants, 2);
	assert_false(lease_drop_claim(f->leases, first_claim(f, &f->google)));
	assert_int_equal(check(f, &f->other, &t, NOW), LEASE_COVERED);
	assert_true(lease_drop_claim(f->leases, first_claim(f, &f->other)));
	assert_int_equal(leases_counts(f->leases).leases, 0);
	assert_int_equal(leases_counts(f->leases).grants, 2); /* until looked at */
	lease_grant_release(f->leases, lease_grant(f->leases, &f->pod, &f->google));
	lease_grant_release(f->leases, lease_grant(f->leases, &f->pod, &f->other));
	assert_int_equal(leases_counts(f->leases).grants, 0);
}

static void
test_withdrawn_while_its_commit_is_under_way(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	struct lease *lease;
	bool renew;

	lease = reserve(f, &f->google, &t, &renew);
	assert_true(lease_drop_claim(f->leases, first_claim(f, &f->google)));
	lease_grant_release(f->leases, lease_grant(f->leases, &f->pod, &f->google));
	lease_settle(f->leases, lease, true, NOW + 1000);
	assert_int_equal(check(f, &f->google, &t, NOW), LEASE_SHORT);
	assert_int_equal(leases_counts(f->leases).leases, 0);
}

static void
test_sweep_forgets_what_has_ended_and_keeps_what_was_renewed(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443), u = target(2, 443);

	commit(f, &f->google, &t, NOW + 1000);
	commit(f, &f->google, &u, NOW + 1000);
	commit(f, &f->google, &u, NOW + 60000);
	leases_sweep(f->leases, NOW + 1000 + LEASE_LINGER_MS - 1);
	assert_int_equal(leases_counts(f->leases).leases, 2);
	leases_sweep(f->leases, NOW + 1000 + LEASE_LINGER_MS + 2000);
	assert_int_equal(leases_counts(f->leases).leases, 1);
	assert_int_equal(check(f, &f->google, &u, NOW + 60000), LEASE_COVERED);
	leases_sweep(f->leases, NOW + 60000 + LEASE_LINGER_MS + 2000);
	assert_int_equal(leases_counts(f->leases).leases, 0);
}

static void
test_sweep_looks_again_at_a_lease_whose_commit_was_under_way(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	struct lease *lease;
	bool renew;

	commit(f, &f->google, &t, NOW + 1000);
	lease = reserve(f, &f->google, &t, &renew);
	leases_sweep(f->leases, NOW + 10000);
	assert_int_equal(leases_counts(f->leases).leases, 1);
	lease_settle(f->leases, lease, false, 0);
	leases_sweep(f->leases, NOW + 13000);
	assert_int_equal(leases_counts(f->leases).leases, 0);
}

static void
test_deadlines_behind_the_ring_are_kept(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	int64_t day_ms = INT64_C(24) * 3600 * 1000;

	commit(f, &f->google, &t, NOW + day_ms);
	for (int64_t at = NOW; at < NOW + day_ms; at += 600000)
		leases_sweep(f->leases, at);
	assert_int_equal(leases_counts(f->leases).leases, 1);
	leases_sweep(f->leases, NOW + day_ms + 10000);
	assert_int_equal(leases_counts(f->leases).leases, 0);
}

static void
test_doubt_makes_every_reserve_a_renewal(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	struct lease *lease;
	bool renew;

	leases_set_doubt(f->leases);
	lease = reserve(f, &f->google, &t, &renew);
	assert_true(renew);
	lease_settle(f->leases, lease, false, 0);
}

static void
test_restore_and_smaller_limits(void **state)
{
	struct fixture *f = *state;
	struct lease_limits less = {
	    .size = 1, .per_pod = 6, .per_name = 4, .timeout_ms = LONGEST_MS};
	struct lease_limits more = {
	    .size = 9, .per_pod = 6, .per_name = 4, .timeout_ms = LONGEST_MS};
	struct lease_target t = target(1, 443), u = target(2, 443);

	assert_int_equal(
	    lease_restore(f->leases, &f->pod, &f->google, &t, NOW + 1000), 0);
	assert_int_equal(check(f, &f->google, &t, NOW + 1000), LEASE_COVERED);
	leases_set_limits(f->leases, &less);
	assert_int_equal(check(f, &f->google, &u, NOW), LEASE_FULL);
	assert_int_equal(leases_counts(f->leases).limit, 1);
	leases_set_limits(f->leases, &more);
	assert_int_equal(leases_counts(f->leases).limit, 8);
}

static void
test_a_shorter_ask_does_not_cut_one_that_is_under_way(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	struct lease *first, *second;
	bool renew;

	first = reserve(f, &f->google, &t, &renew);
	assert_int_equal(lease_ask(f->leases, first, NOW, NOW + 60000), 60000);
	second = reserve(f, &f->other, &t, &renew);
	assert_true(renew);
	assert_int_equal(lease_ask(f->leases, second, NOW + 100, NOW + 1000), 59900);
	lease_settle(f->leases, first, true, NOW + 60000);
	lease_settle(f->leases, second, true, NOW + 1000);
	assert_int_equal(check(f, &f->google, &t, NOW + 60000), LEASE_COVERED);
}

static void
test_a_limit_that_came_down_cuts_what_is_asked_and_what_is_believed(void **state)
{
	struct fixture *f = *state;
	struct lease_limits less = {
	    .size = 8, .per_pod = 6, .per_name = 4, .timeout_ms = 5000};
	struct lease_target t = target(1, 443);
	struct lease *flying, *lease;
	bool renew;

	commit(f, &f->google, &t, NOW + 60000);
	flying = reserve(f, &f->google, &t, &renew);
	assert_int_equal(lease_ask(f->leases, flying, NOW, NOW + 90000), 90000);
	leases_set_limits(f->leases, &less);
	lease = reserve(f, &f->google, &t, &renew);
	assert_int_equal(lease_ask(f->leases, lease, NOW, NOW + 60000), 5000);
	assert_int_equal(check(f, &f->google, &t, NOW + 5001), LEASE_SHORT);
	lease_settle(f->leases, flying, true, NOW + 90000);
	lease_settle(f->leases, lease, true, NOW + 60000);
	assert_int_equal(check(f, &f->google, &t, NOW + 5000), LEASE_COVERED);
	assert_int_equal(check(f, &f->google, &t, NOW + 5001), LEASE_SHORT);
}

static void
test_grant_in_use_outlives_its_last_claim(void **state)
{
	struct fixture *f = *state;
	struct grant *g = lease_grant(f->leases, &f->pod, &f->google);
	struct lease_target t = target(1, 443);
	bool renew;

	lease_settle(f->leases, lease_reserve(f->leases, g, &t, &renew), false, 0);
	assert_int_equal(lease_check(f->leases, g, &t, NOW, NULL), LEASE_SHORT);
	assert_int_equal(leases_counts(f->leases).grants, 1);
	lease_grant_release(f->leases, g);
	assert_int_equal(leases_counts(f->leases).grants, 0);
}

static enum lease_cover
check_text(
    struct fixture *f, const char *text, const struct lease_target *t, int64_t until_ms)
{
	struct name name;

	parse(text, &name);
	return check(f, &name, t, until_ms);
}

static void
test_names_on_one_lease_count_against_the_pod(void **state)
{
	static const char *const names[] = {
	    "a.test", "b.test", "c.test", "d.test", "e.test"};
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);

	commit(f, &f->google, &t, NOW + 1000);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(check_text(f, names[i], &t, NOW), LEASE_COVERED);
	assert_int_equal(leases_counts(f->leases).leases, 1);
	assert_int_equal(check_text(f, "f.test", &t, NOW), LEASE_FULL);
	assert_int_equal(check_text(f, "a.test", &t, NOW), LEASE_COVERED);
	assert_int_equal(leases_counts(f->leases).grants, 6);
}

static void
test_a_name_that_nobody_counts_on_leaves_a_lease_that_goes_on(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);

	commit(f, &f->google, &t, NOW + 1000);
	assert_int_equal(check(f, &f->google, &t, NOW + 1000), LEASE_COVERED);
	commit(f, &f->other, &t, NOW + 60000);
	assert_int_equal(check(f, &f->other, &t, NOW + 60000), LEASE_COVERED);
	assert_int_equal(leases_counts(f->leases).grants, 2);
	leases_sweep(f->leases, NOW + 1000 + LEASE_LINGER_MS + 2000);
	assert_int_equal(leases_counts(f->leases).grants, 1);
	assert_int_equal(check(f, &f->other, &t, NOW + 60000), LEASE_COVERED);
}

static void
test_a_commit_acknowledged_behind_its_end_is_forgotten_soon(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);

	leases_sweep(f->leases, NOW + 20000);
	commit(f, &f->google, &t, NOW + 1000);
	leases_sweep(f->leases, NOW + 22000);
	assert_int_equal(leases_counts(f->leases).leases, 0);
}

static void
test_known_is_what_is_written_down(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443), u = target(2, 443);
	struct lease *lease;
	bool renew;

	lease = reserve(f, &f->google, &t, &renew);
	assert_non_null(lease_find(f->leases, &f->pod, &t));
	assert_null(lease_find(f->leases, &f->pod, &u));
	lease_settle(f->leases, lease, false, 0);
	assert_null(lease_find(f->leases, &f->pod, &t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_covers_only_once_acknowledged),
	    TEST(test_refused_commit_leaves_nothing),
	    TEST(test_refused_renewal_keeps_what_stands),
	    TEST(test_another_pod_protocol_port_or_address_is_another_lease),
	    TEST(test_limits_refuse_and_evict_nothing),
	    TEST(test_a_limit_is_near_before_it_is_reached),
	    TEST(test_two_names_share_a_lease_and_the_last_claim_ends_it),
	    TEST(test_withdrawn_while_its_commit_is_under_way),
	    TEST(test_sweep_forgets_what_has_ended_and_keeps_what_was_renewed),
	    TEST(test_sweep_looks_again_at_a_lease_whose_commit_was_under_way),
	    TEST(test_deadlines_behind_the_ring_are_kept),
	    TEST(test_doubt_makes_every_reserve_a_renewal),
	    TEST(test_restore_and_smaller_limits),
	    TEST(test_a_shorter_ask_does_not_cut_one_that_is_under_way),
	    TEST(test_a_limit_that_came_down_cuts_what_is_asked_and_what_is_believed),
	    TEST(test_names_on_one_lease_count_against_the_pod),
	    TEST(test_a_name_that_nobody_counts_on_leaves_a_lease_that_goes_on),
	    TEST(test_a_commit_acknowledged_behind_its_end_is_forgotten_soon),
	    TEST(test_known_is_what_is_written_down),
	    TEST(test_grant_in_use_outlives_its_last_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
