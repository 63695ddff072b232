/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/alloc.h"
#include "tests/witness/order.h"

#define RECORDS 10000

static void
records_come_out_by_their_times(void **state)
{
	struct order o = {0};
	uint64_t last = 0;
	struct record r = {0};
	size_t count = 0;

	(void)state;
	for (uint64_t i = 0; i < RECORDS; i++) {
		r.at_ns = i * 7919 % RECORDS; /* a prime: each number once */
		assert_int_equal(order_put(&o, &r), 0);
	}
	while (order_take(&o, RECORDS / 2, &r)) {
		assert_int_equal(r.at_ns, count++);
		last = r.at_ns;
	}
	assert_int_equal(last, RECORDS / 2 - 1);
	assert_int_equal(o.len, RECORDS / 2);
	order_done(&o);
}

static void
equal_times_keep_the_order_of_capture(void **state)
{
	struct order o = {0};
	struct record r = {.at_ns = 5};

	(void)state;
	for (uint16_t i = 0; i < 100; i++) {
		r.sport = i;
		assert_int_equal(order_put(&o, &r), 0);
	}
	for (uint16_t i = 0; i < 100; i++) {
		assert_true(order_take(&o, 6, &r));
		assert_int_equal(r.sport, i);
	}
	assert_false(order_take(&o, 6, &r));
	order_done(&o);
}

static void
what_comes_too_late_is_told(void **state)
{
	struct order o = {0};
	struct record r = {.at_ns = 5};

	(void)state;
	assert_int_equal(order_put(&o, &r), 0);
	assert_true(order_take(&o, 6, &r));
	r.at_ns = 4;
	assert_int_equal(order_put(&o, &r), -ETIME);
	r.at_ns = 5;
	assert_int_equal(order_put(&o, &r), 0);
	order_done(&o);
}

static void
no_memory_is_told(void **state)
{
	struct order o = {0};
	struct record r = {.at_ns = 5};

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(order_put(&o, &r), -ENOMEM);
	alloc_reset();
	assert_int_equal(order_put(&o, &r), 0);
	order_done(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_come_out_by_their_times),
	    cmocka_unit_test(equal_times_keep_the_order_of_capture),
	    cmocka_unit_test(what_comes_too_late_is_told),
	    cmocka_unit_test(no_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
