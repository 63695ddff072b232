/* SPDX-License-Identifier: Apache-2.0 */
/* Several messages in one packet. */
#include "tests/unit/unit.h"

#include "tests/unit/enforcer_bed.h"

/* One lease a request, so many requests in each packet. */
static void
many_requests(uint32_t count, size_t together)
{
	const struct enforcer_table table = sample_table();
	struct enforcer_lease lease = sample_lease("10.244.0.5", "192.0.2.1", 3000000);
	static struct enforcer_message m[PAIR_MESSAGES_MAX];
	struct iovec list[PAIR_MESSAGES_MAX];
	size_t n = 0;

	assert_int_equal(put_table(&table), 0);
	for (uint32_t i = 0; i < count; i++) {
		lease.destination.bytes[2] = (uint8_t)(i >> 8);
		lease.destination.bytes[3] = (uint8_t)i;
		m[n] = sample_leases(100 + i, "a.example", &lease, 1);
		list[n] = (struct iovec){&m[n], enforcer_size(&m[n])};
		if (++n < together && i + 1 < count)
			continue;
		assert_int_equal(pair_send(scene.fd, list, n, 0), n);
		n = 0;
	}
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(result_of(100 + i), 0);
	assert_int_equal(dump(), 0);
	assert_int_equal(scene.dumped, count);
}

/* 64 are committed together: in packets of 27 the last one is in the midst of one. */
static void
many_requests_at_once_are_answered_in_order(void **state)
{
	(void)state;
	many_requests(1000, 1);
	many_requests(1000, 27);
}

static void
what_stands_before_a_malformed_message_is_done(void **state)
{
	const struct enforcer_table table = sample_table();
	const struct enforcer_lease lease =
	    sample_lease("10.244.0.5", "192.0.2.1", 3000000);
	struct enforcer_message m[] = {
	    sample_leases(2, "a.example", &lease, 1),
	    sample_leases(3, "b.example", &lease, 1),
	};
	const struct iovec list[] = {
	    {&m[0], enforcer_size(&m[0])}, {&m[1], enforcer_size(&m[1]) - 1}};

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(pair_send(scene.fd, list, ARRAY_LEN(list), 0), ARRAY_LEN(list));
	assert_int_equal(result_of(2), 0);
	assert_false(take());
	wait_end();
	assert_true(scene_shows("192.0.2.1"));
}

/* The result is on its way before what takes longer begins. */
static void
a_lease_does_not_wait_for_what_comes_behind_it(void **state)
{
	const struct enforcer_table table = sample_table();
	const struct enforcer_lease lease =
	    sample_lease("10.244.0.5", "192.0.2.1", 3000000);
	struct enforcer_message m[] = {
	    sample_leases(2, "a.example", &lease, 1),
	    sample_message(ENFORCER_DUMP, 3, 0),
	};
	const struct iovec list[] = {
	    {&m[0], enforcer_size(&m[0])},
	    {&m[1], enforcer_size(&m[1])},
	};

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(pair_send(scene.fd, list, ARRAY_LEN(list), 0), ARRAY_LEN(list));
	assert_int_equal(result_of(2), 0);
	assert_false(pair_left(&scene.inbox));
	assert_int_equal(result_of(3), 0);
	assert_int_equal(scene.dumped, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ENFORCER_TEST(many_requests_at_once_are_answered_in_order),
	    ENFORCER_TEST(what_stands_before_a_malformed_message_is_done),
	    ENFORCER_TEST(a_lease_does_not_wait_for_what_comes_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
