/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits beside a switch: which side of it they are on.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "tests/unit/gate_bed.h"

static void
on_committed(struct commit_waiter *waiter, int result)
{
	(void)waiter;
	(void)result;
}

/* a.test at .host, asked for in this turn; taken: not before its lease is settled. */
static void
commit(struct fixture *f, const char *text, uint8_t host, struct commit_waiter *waiter)
{
	const struct addr pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	const struct lease_target target = {
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
	struct leases *l = gate_leases(f->gate);
	struct commit_request request = {.timeout_ms = 60000, .len = 1};
	struct grant *g;
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	g = lease_grant(l, &pod, &name);
	assert_non_null(g);
	assert_int_equal(lease_check(l, g, &target, bed_now(), NULL), LEASE_SHORT);
	request.name = &name;
	request.leases[0] = lease_reserve(l, g, &target, &request.renew[0]);
	assert_non_null(request.leases[0]);
	lease_grant_release(l, g);
	waiter->done = on_committed;
	assert_int_equal(committer_commit(gate_committer(f->gate), &request, waiter), 0);
}

/* Also what goes by the switch, and comes anew under another name in the same turn. */
static void
test_commits_after_a_switch_come_behind_it(void **state)
{
	struct fixture *f = *state;
	struct commit_waiter waiters[2] = {{0}};
	uint32_t id;

	bed_start(f);
	assert_int_equal(bed_switch_to_one(f), 0);
	commit(f, "a.test", 2, &waiters[0]);
	commit(f, "a.test", 3, &waiters[1]);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->revokes, 1);
	assert_int_equal(f->leases, 0);
	bed_answer(f, id, 0);
	for (int i = 0; i < 2; i++)
		bed_answer(f, bed_expect(f, ENFORCER_LEASES), 0);
	assert_true(bed_covers(f, "a.test", 2, bed_now() + 59000));
	assert_true(bed_covers(f, "a.test", 3, bed_now() + 59000));
	assert_int_equal(f->outcome.withdrawn, 1);
}

/* Asked for under the old registry: in front of the switch, which withdraws it all the
 * same. */
static void
test_commit_under_way_goes_with_its_name(void **state)
{
	struct fixture *f = *state;
	struct commit_waiter waiter = {0};
	uint32_t id;

	bed_start(f);
	commit(f, "b.test", 3, &waiter);
	id = bed_expect(f, ENFORCER_LEASES);
	assert_int_equal(bed_switch_to_one(f), 0);
	bed_answer(f, id, 0);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->revokes, 2);
	bed_answer(f, id, 0);
	assert_int_equal(f->outcome.withdrawn, 2);
	assert_int_equal(f->outcome.kept, 1);
	assert_false(bed_covers(f, "b.test", 3, bed_now()));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_commits_after_a_switch_come_behind_it),
	    TEST(test_commit_under_way_goes_with_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
