/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "daemon/lease/claim.h"
#include "daemon/lease/ring.h"
#include "tests/unit/lease_bed.h"

static void
note_ending(void *ctx, struct lease *lease)
{
	bool *seen = ctx;

	seen[lease->target.addr.bytes[3]] = true;
}

static void
test_what_ends_soon_is_told_in_parts(void **state)
{
	struct fixture *f = *state;
	struct lease_target t[] = {target(1, 443), target(2, 443), target(3, 443)};
	bool seen[4] = {false};
	int64_t second = 0;
	int parts = 1;

	leases_sweep(f->leases, NOW);
	commit(f, &f->google, &t[0], NOW + 2000);
	commit(f, &f->google, &t[1], NOW + 9000);
	commit(f, &f->google, &t[2], NOW + 60000);
	while (ring_ending(
	    leases_ring(f->leases), NOW + 10000, 1, &second, note_ending, seen))
		parts++;
	assert_true(parts >= 2);
	assert_true(seen[1] && seen[2] && !seen[3]);
	/* one that was renewed is told until it is looked at */
	commit(f, &f->google, &t[0], NOW + 60000);
	memset(seen, 0, sizeof(seen));
	second = 0;
	assert_false(ring_ending(
	    leases_ring(f->leases), NOW + 10000, 9, &second, note_ending, seen));
	assert_true(seen[1] && seen[2]);
	leases_sweep(f->leases, NOW + 20000);
	memset(seen, 0, sizeof(seen));
	second = 0;
	assert_false(ring_ending(
	    leases_ring(f->leases), NOW + 30000, 9, &second, note_ending, seen));
	assert_false(seen[1] || seen[2] || seen[3]);
}

/* A deadline behind the ring of slots is told too, and nothing twice round. */
static void
test_what_ends_far_away_is_told_once(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	bool seen[4] = {false};
	int64_t second = 0;

	leases_sweep(f->leases, NOW);
	commit(f, &f->google, &t, NOW + 20 * 3600 * 1000);
	assert_false(ring_ending(leases_ring(f->leases), NOW + 24 * 3600 * 1000, 9,
	    &second, note_ending, seen));
	assert_true(seen[1]);
}

static void
test_the_latest_name_is_left_when_nobody_counts_on_any(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	struct grant *g;

	commit(f, &f->google, &t, NOW + 60000);
	assert_int_equal(check(f, &f->google, &t, NOW + 1000), LEASE_COVERED);
	assert_int_equal(check(f, &f->other, &t, NOW + 2000), LEASE_COVERED);
	leases_sweep(f->leases, NOW + 60000 + LEASE_LINGER_MS + 2000 - 3000);
	commit(f, &f->other, &t, NOW + 200000);
	leases_sweep(f->leases, NOW + 60000 + LEASE_LINGER_MS + 2000);
	assert_int_equal(leases_counts(f->leases).grants, 1);
	g = grants_first(leases_grants(f->leases));
	assert_int_equal(g->name_len, f->other.len);
	assert_memory_equal(g->name, f->other.bytes, g->name_len);
}

static void
test_what_was_restored_is_needed_for_as_long(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = target(1, 443);
	struct claim *c;

	assert_int_equal(
	    lease_restore(f->leases, &f->pod, &f->google, &t, NOW + 1000), 0);
	c = first_claim(f, &f->google);
	assert_int_equal(c->until_ms, NOW + 1000);
	/* what an answer needs is known better than what the kernel holds */
	assert_int_equal(check(f, &f->google, &t, NOW + 900), LEASE_COVERED);
	assert_int_equal(
	    lease_restore(f->leases, &f->pod, &f->google, &t, NOW + 5000), 0);
	assert_int_equal(c->until_ms, NOW + 1000);
	lease_need(f->leases, c->grant, &t, NOW + 3000);
	assert_int_equal(c->until_ms, NOW + 3000);
	lease_need(f->leases, c->grant, &t, NOW);
	assert_int_equal(c->until_ms, NOW + 3000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_ends_soon_is_told_in_parts),
	    TEST(test_what_ends_far_away_is_told_once),
	    TEST(test_the_latest_name_is_left_when_nobody_counts_on_any),
	    TEST(test_what_was_restored_is_needed_for_as_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
