/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "daemon/lease/pod.h"

static struct addr
v4(uint32_t host)
{
	uint8_t bytes[4] = {
	    10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host};

	return addr_make(AF_INET, bytes);
}

static void
test_same_address_is_same_pod(void **state)
{
	struct hash_key key = {{1, 2}};
	struct addr a = v4(1), b = v4(2);
	struct pods pods;
	struct pod *first, *second, *other;

	(void)state;
	assert_int_equal(pods_init(&pods, &key), 0);
	first = pods_get(&pods, &a);
	second = pods_get(&pods, &a);
	other = pods_get(&pods, &b);
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(first, other);
	assert_int_equal(pods.table.len, 2);
	pods_put(&pods, first);
	assert_int_equal(pods.table.len, 2);
	pods_put(&pods, second);
	pods_put(&pods, other);
	assert_int_equal(pods.table.len, 0);
	pods_done(&pods);
}

static void
test_no_more_than_the_limit(void **state)
{
	static struct pod *held[PODS_MAX];
	struct hash_key key = {{1, 2}};
	struct addr one_more = v4(PODS_MAX + 1);
	struct pods pods;

	(void)state;
	assert_int_equal(pods_init(&pods, &key), 0);
	for (uint32_t i = 0; i < PODS_MAX; i++) {
		struct addr a = v4(i);

		held[i] = pods_get(&pods, &a);
		assert_non_null(held[i]);
	}
	assert_null(pods_get(&pods, &one_more));
	pods_put(&pods, held[0]);
	held[0] = pods_get(&pods, &one_more);
	assert_non_null(held[0]);
	for (uint32_t i = 0; i < PODS_MAX; i++)
		pods_put(&pods, held[i]);
	pods_done(&pods);
}

static bool
is_even(void *ctx, const struct addr *addr)
{
	(void)ctx;
	return addr->bytes[3] % 2 == 0;
}

static void
test_strangers_leave_room_for_who_is_known(void **state)
{
	static struct pod *held[PODS_MAX];
	struct hash_key key = {{1, 2}};
	struct pods pods;
	size_t strangers = 0, known = 0;

	(void)state;
	assert_int_equal(pods_init(&pods, &key), 0);
	pods.known = is_even;
	for (uint32_t i = 0; i < 2 * PODS_MAX; i++) {
		struct addr a = v4(2 * i + 1);
		struct pod *pod = pods_get(&pods, &a);

		if (pod != NULL)
			held[strangers++] = pod;
	}
	assert_int_equal(strangers, PODS_STRANGERS_MAX);
	for (uint32_t i = 0; i < PODS_MAX - PODS_STRANGERS_MAX; i++) {
		struct addr a = v4(2 * i);

		held[strangers + known] = pods_get(&pods, &a);
		assert_non_null(held[strangers + known]);
		known++;
	}
	for (size_t i = 0; i < strangers + known; i++)
		pods_put(&pods, held[i]);
	assert_int_equal(pods.strangers, 0);
	pods_done(&pods);
}

static void
test_the_second_half_is_for_those_who_have_little(void **state)
{
	(void)state;
	assert_true(pod_may_have_more(0, 64, 0, 1000));
	assert_true(pod_may_have_more(63, 64, 499, 1000));
	assert_false(pod_may_have_more(64, 64, 64, 1000));
	assert_true(pod_may_have_more(7, 64, 500, 1000));
	assert_false(pod_may_have_more(8, 64, 500, 1000));
	assert_true(pod_may_have_more(0, 64, 999, 1000));
	assert_false(pod_may_have_more(0, 64, 1000, 1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_strangers_leave_room_for_who_is_known),
	    cmocka_unit_test(test_the_second_half_is_for_those_who_have_little),
	    cmocka_unit_test(test_same_address_is_same_pod),
	    cmocka_unit_test(test_no_more_than_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
