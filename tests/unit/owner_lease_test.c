/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/owner_bed.h"

static void
renewing_extends(void **state)
{
	const struct enforcer_table table = sample_table();
	struct enforcer_lease lease = sample_lease("10.244.0.5", "192.0.2.1", 1200000);

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(put_lease(2, "a.example", lease), 0);
	assert_in_range(left_ms("192.0.2.1"), 600000, 1200000);
	lease.renew = 1;
	lease.timeout_ms = 3000000;
	assert_int_equal(put_lease(3, "b.example", lease), 0);
	assert_in_range(left_ms("192.0.2.1"), 2400000, 3000000);
	assert_string_equal(scene.said[0].name, "b.example");
	/* one that is not there any more is a new one */
	lease.destination = sample_addr("192.0.2.2");
	assert_int_equal(put_lease(4, "b.example", lease), 0);
	assert_int_equal(dump(), 2);
}

static void
the_same_lease_twice_in_a_round_lives_longest(void **state)
{
	const struct enforcer_table table = sample_table();
	const struct enforcer_lease leases[] = {
	    sample_lease("10.244.0.5", "192.0.2.1", 3000000),
	    sample_lease("10.244.0.5", "192.0.2.1", 1200000),
	};
	struct enforcer_message messages[4];

	(void)state;
	assert_int_equal(put_table(&table), 0);
	for (uint32_t i = 0; i < ARRAY_LEN(messages); i++) {
		messages[i] = sample_leases(10 + i, "a.example", &leases[i % 2], 1);
		messages[i].body.leases[0].renew = i >= 2;
		give(&messages[i]);
	}
	scene.len = 0;
	owner_flush(scene.owner);
	for (uint32_t i = 0; i < ARRAY_LEN(messages); i++)
		assert_int_equal(result_of(10 + i), 0);
	assert_in_range(left_ms("192.0.2.1"), 2400000, 3000000);
}

static void
a_full_set_fails_only_what_does_not_fit(void **state)
{
	struct enforcer_table table = sample_table();
	struct enforcer_message messages[4];
	struct enforcer_lease many[6];

	(void)state;
	table.set_size = 4;
	assert_int_equal(put_table(&table), 0);
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = sample_lease("10.244.0.5", "192.0.2.1", 3000000);
		many[i].destination.bytes[3] = (uint8_t)(10 + i);
	}
	messages[0] = sample_leases(10, "one.example", &many[0], 1);
	messages[1] = sample_leases(11, "too.many.example", many, 6);
	messages[2] = sample_leases(12, "two.example", &many[1], 1);
	messages[3] = sample_leases(13, "again.too.many.example", many, 6);
	scene.len = 0;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		give(&messages[i]);
	owner_flush(scene.owner);
	assert_int_equal(result_of(10), 0);
	assert_int_equal(result_of(11), -ENFILE);
	assert_int_equal(result_of(12), 0);
	assert_int_equal(result_of(13), -ENFILE);
	for (size_t i = 0; i < 4; i++) /* results are in order */
		assert_int_equal(scene.said[i].id, 10 + i);
	assert_int_equal(dump(), 2); /* nothing of what failed */
	assert_int_equal(put_lease(14, "three.example", many[2]), 0);
	assert_int_equal(put_lease(15, "four.example", many[3]), 0);
	assert_int_equal(put_lease(16, "five.example", many[4]), -ENFILE);
	many[0].renew = 1; /* what is there can be renewed in a full set */
	assert_int_equal(put_lease(17, "one.example", many[0]), 0);
	assert_int_equal(scene.lost, 0);
}

static void
what_is_late_is_not_tried(void **state)
{
	const struct enforcer_table table = sample_table();
	struct enforcer_lease lease = sample_lease("10.244.0.5", "192.0.2.1", 3000000);
	struct enforcer_message late = sample_leases(10, "late.example", &lease, 1), good;

	(void)state;
	assert_int_equal(put_table(&table), 0);
	lease.destination = sample_addr("192.0.2.2");
	good = sample_leases(11, "good.example", &lease, 1);
	late.deadline_ms = scene.now_ms - 1;
	good.deadline_ms = scene.now_ms;
	scene.len = 0;
	give(&late);
	give(&good);
	owner_flush(scene.owner);
	assert_int_equal(result_of(10), -ETIMEDOUT);
	assert_int_equal(result_of(11), 0);
	assert_int_equal(dump(), 1);
	assert_string_equal(scene.said[0].name, "good.example");
}

static void
out_of_bounds_fails_alone(void **state)
{
	const struct enforcer_table table = sample_table();
	const struct enforcer_lease good =
	    sample_lease("10.244.0.5", "192.0.2.1", 3000000);
	struct enforcer_message m;

	(void)state;
	assert_int_equal(put_lease(2, "early.example", good), -ENOENT);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(
	    put_lease(3, "a", sample_lease("10.1.0.5", "192.0.2.1", 3000000)), -EPERM);
	assert_int_equal(
	    put_lease(4, "a", sample_lease("10.244.0.5", "169.254.169.254", 3000000)),
	    -EPERM);
	assert_int_equal(
	    put_lease(5, "a", sample_lease("10.244.0.5", "192.0.2.1", 3600001)), -EPERM);
	m = sample_leases(6, "bad name", &good, 1);
	scene.len = 0;
	give(&m);
	owner_flush(scene.owner);
	assert_int_equal(result_of(6), -EPERM);
	assert_int_equal(dump(), 0);
	assert_int_equal(put_lease(7, "a.example", good), 0);
}

static void
one_message_carries_128_leases(void **state)
{
	const struct enforcer_table table = sample_table();
	struct enforcer_lease leases[ENFORCER_LEASES_MAX];
	struct enforcer_message m;

	(void)state;
	assert_int_equal(put_table(&table), 0);
	for (size_t i = 0; i < ARRAY_LEN(leases); i++) {
		leases[i] = sample_lease("10.244.0.5", "192.0.2.0", 3000000);
		leases[i].destination.bytes[3] = (uint8_t)i;
		leases[i].renew = i % 2;
	}
	m = sample_leases(2, "a.example", leases, ARRAY_LEN(leases));
	scene.len = 0;
	give(&m);
	owner_flush(scene.owner);
	assert_int_equal(result_of(2), 0);
	assert_int_equal(dump(), ENFORCER_LEASES_MAX);
	assert_int_equal(scene.said[0].count, ENFORCER_LEASES_MAX); /* of one name */
}

static void
a_transaction_revokes_and_makes_at_once(void **state)
{
	const struct enforcer_table table = sample_table();
	const struct enforcer_lease leases[] = {
	    sample_lease("10.244.0.5", "192.0.2.1", 3000000),
	    sample_lease("10.244.0.5", "192.0.2.2", 3000000),
	    sample_lease("10.244.0.5", "192.0.2.3", 3000000),
	    sample_lease(
		"10.99.0.5", "192.0.2.4", 3000000), /* of a range that was left */
	};
	struct enforcer_message m;

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(put_lease(2, "a.example", leases[0]), 0);
	assert_int_equal(put_lease(3, "b.example", leases[1]), 0);
	sample_begin(4, &table, give);
	m = sample_leases(4, "new.example", leases + 1, 2);
	m.body.leases[0].renew = m.body.leases[1].renew = 1;
	give(&m);
	m = sample_leases(4, "", leases, 2);
	m.kind = ENFORCER_REVOKE;
	give(&m);
	m.body.leases[0] = leases[3];
	m.count = 1;
	give(&m);
	assert_int_equal(end(4), 0);
	assert_int_equal(dump(), 2);
	assert_int_equal(left_ms("192.0.2.1"), 0);
	assert_in_range(
	    left_ms("192.0.2.2"), 2400000, 3000000); /* revoked and made: made */
	assert_string_equal(scene.said[0].name, "new.example");
}

static void
a_hundred_thousand_leases_go_in_one_transaction(void **state)
{
	enum { COUNT = 100000 };
	struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_LEASES, 4, 0);

	(void)state;
	table.set_size = COUNT; /* not one more than needed */
	for (int pass = 0; pass < 2; pass++) {
		sample_begin(4, &table, give);
		m.kind = pass == 0 ? ENFORCER_LEASES : ENFORCER_REVOKE;
		for (uint32_t i = 0; i < COUNT; i += m.count) {
			m.count = (uint16_t)MIN_OF(ENFORCER_LEASES_MAX, COUNT - i);
			for (uint32_t j = 0; j < m.count; j++) {
				m.body.leases[j] =
				    sample_lease("10.244.0.5", "192.0.0.0", 3000000);
				m.body.leases[j].destination.bytes[1] =
				    (uint8_t)((i + j) >> 16);
				m.body.leases[j].destination.bytes[2] =
				    (uint8_t)((i + j) >> 8);
				m.body.leases[j].destination.bytes[3] = (uint8_t)(i + j);
			}
			give(&m);
		}
		assert_int_equal(end(4), 0);
		assert_int_equal(dump(), pass == 0 ? COUNT : 0);
	}
}

static void
leases_stay_over_the_next_table(void **state)
{
	struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(
	    put_lease(2, "a.example", sample_lease("10.244.0.5", "192.0.2.1", 3000000)),
	    0);
	table.set_size = 5; /* fixed when the set was made */
	table.intercept = 0;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(dump(), 1);
	assert_string_equal(scene.said[0].name, "a.example");
	assert_in_range(scene.said[0].body.leases[0].timeout_ms, 2400000, 3000000);
	assert_true(scene_shows("size 1000"));
	assert_false(scene_shows("size 5\n"));
}

static void
starting_from_nothing_forgets_leases(void **state)
{
	struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(
	    put_lease(2, "a.example", sample_lease("10.244.0.5", "192.0.2.1", 3000000)),
	    0);
	table.adopt = 0;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(dump(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    OWNER_TEST(renewing_extends),
	    OWNER_TEST(the_same_lease_twice_in_a_round_lives_longest),
	    OWNER_TEST(a_full_set_fails_only_what_does_not_fit),
	    OWNER_TEST(what_is_late_is_not_tried),
	    OWNER_TEST(out_of_bounds_fails_alone),
	    OWNER_TEST(one_message_carries_128_leases),
	    OWNER_TEST(a_transaction_revokes_and_makes_at_once),
	    OWNER_TEST(a_hundred_thousand_leases_go_in_one_transaction),
	    OWNER_TEST(leases_stay_over_the_next_table),
	    OWNER_TEST(starting_from_nothing_forgets_leases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
