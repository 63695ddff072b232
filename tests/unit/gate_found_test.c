/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "daemon/lease/found.h"
#include "tests/unit/gate_bed.h"

static void
never_told(struct commit_waiter *waiter, int result)
{
	(void)waiter;
	(void)result;
	fail();
}

/* Ask for a lease of 198.51.100.host; the id of the commit. */
static uint32_t
commit(struct fixture *f, uint8_t host, bool *ret_renew)
{
	struct addr pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	struct lease_target t = {
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
	struct commit_waiter waiter = {.done = never_told};
	struct commit_request request = {.timeout_ms = 60000, .len = 1};
	struct leases *l = gate_leases(f->gate);
	struct name name;
	struct grant *g;

	assert_int_equal(name_parse("a.test", 6, &name), 0);
	request.name = &name;
	g = lease_grant(l, &pod, &name);
	request.leases[0] = lease_reserve(l, g, &t, &request.renew[0]);
	*ret_renew = request.renew[0];
	lease_grant_release(l, g);
	assert_int_equal(committer_commit(gate_committer(f->gate), &request, &waiter), 0);
	committer_cancel(&waiter);
	return bed_expect(f, ENFORCER_LEASES);
}

/* The kernel's lease then ends after ours is forgotten: the next one must renew it. */
static void
test_commit_that_took_long_makes_later_ones_renew(void **state)
{
	struct fixture *f = *state;
	uint32_t id;
	bool renew;

	assert_int_equal(gate_start(f->gate, bed_on_told), 0);
	bed_repair(f); /* there was no table: all that it holds is known */
	id = commit(f, 7, &renew);
	assert_false(renew);
	bed_pass(LEASE_LINGER_MS + 1);
	bed_answer(f, id, 0);
	id = commit(f, 8, &renew);
	assert_true(renew);
	bed_answer(f, id, 0);
}

/* A dump may pass over what the kernel holds: a lease that seems new may be there, and
 * the kernel says yes to what it then ignores. */
static void
test_who_takes_a_table_over_renews_what_seems_new(void **state)
{
	struct fixture *f = *state;
	uint32_t id;
	bool renew;

	bed_start(f);
	id = commit(f, 7, &renew);
	assert_true(renew);
	bed_answer(f, id, 0);
}

static void
test_what_one_dump_passes_over_another_one_has(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	assert_int_equal(gate_start(f->gate, bed_on_told), 0);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "a.test", 1, 60000);
	bed_dump_one(f, id, "not a name..", 3, 60000);
	bed_answer(f, id, 0);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_pass(5000);
	bed_dump_one(f, id, "gone.test", 2, 60000);
	bed_dump_one(f, id, "not a name..", 3, 60000);
	bed_answer(f, id, 0);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "a.test", 1, 55000);
	bed_dump_one(f, id, "not a name..", 3, 55000);
	bed_answer(f, id, 0);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_int_equal(f->revokes, 2);
	assert_int_equal(f->outcome.kept, 1);
	assert_int_equal(f->outcome.withdrawn, 2);
	assert_true(bed_covers(f, "a.test", 1, bed_now() + 55000));
	assert_false(bed_covers(f, "a.test", 1, bed_now() + 55001));
}

static void
test_dumps_come_to_an_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gate_start(f->gate, bed_on_told), 0);
	for (uint8_t i = 0; i < FOUND_DUMPS_MAX; i++) {
		uint32_t id = bed_expect(f, ENFORCER_DUMP);

		bed_dump_one(f, id, "a.test", i, 60000);
		bed_answer(f, id, 0);
	}
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_int_equal(f->outcome.kept, FOUND_DUMPS_MAX);
}

/* All that it has is known: one more may have what it passed over. */
static void
test_a_repair_looks_twice(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_lose(f);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "a.test", 1, 50000);
	bed_answer(f, id, 0);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "foreign.test", 8, 50000);
	bed_dumped(f, id);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_string_equal(f->revoked, "198.51.100.8");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_commit_that_took_long_makes_later_ones_renew),
	    TEST(test_who_takes_a_table_over_renews_what_seems_new),
	    TEST(test_what_one_dump_passes_over_another_one_has),
	    TEST(test_dumps_come_to_an_end),
	    TEST(test_a_repair_looks_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
