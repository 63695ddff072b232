/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "resolver/entropy.h"

static unsigned fills;
static int fill_result;

/* Bytes that count on, so that one given twice is seen. */
static int
fill(void *out, size_t len)
{
	uint8_t *bytes = out;

	assert_int_equal(len, ENTROPY_STOCK);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i ^ fills);
	if (fill_result == 0)
		fills++;
	return fill_result;
}

static int
setup(void **state)
{
	(void)state;
	fills = 0;
	fill_result = 0;
	return 0;
}

static void
no_byte_is_given_twice(void **state)
{
	struct entropy e;
	uint8_t byte;
	bool seen[256] = {false};

	(void)state;
	entropy_init(&e, fill);
	for (size_t i = 0; i < ENTROPY_STOCK; i++) {
		assert_int_equal(entropy_take(&e, 1, &byte), 0);
		assert_false(seen[byte]);
		seen[byte] = true;
	}
	assert_int_equal(fills, 1);
	entropy_done(&e);
}

static void
bytes_given_leave_the_stock(void **state)
{
	static const uint8_t zero[100];
	struct entropy e;
	uint8_t out[100];

	(void)state;
	entropy_init(&e, fill);
	assert_int_equal(entropy_take(&e, sizeof(out), out), 0);
	assert_memory_equal(e.stock + e.left, zero, sizeof(zero));
	entropy_done(&e);
	assert_memory_equal(e.stock, zero, sizeof(zero));
}

static void
a_stock_that_is_too_small_is_filled_anew(void **state)
{
	struct entropy e;
	uint8_t out[ENTROPY_STOCK];

	(void)state;
	entropy_init(&e, fill);
	assert_int_equal(entropy_take(&e, ENTROPY_STOCK - 1, out), 0);
	assert_int_equal(entropy_take(&e, 2, out), 0);
	assert_int_equal(fills, 2);
	assert_int_equal(entropy_take(&e, ENTROPY_STOCK, out), 0);
	assert_int_equal(fills, 3);
	entropy_done(&e);
}

static void
a_failed_source_gives_nothing(void **state)
{
	struct entropy e;
	uint8_t out[2] = {7, 7};

	(void)state;
	entropy_init(&e, fill);
	fill_result = -EIO;
	assert_int_equal(entropy_take(&e, 2, out), -EIO);
	assert_int_equal(out[0], 7);
	assert_int_equal(entropy_take(&e, 2, out), -EIO);
	fill_result = 0;
	assert_int_equal(entropy_take(&e, 2, out), 0);
	entropy_done(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(no_byte_is_given_twice, setup),
	    cmocka_unit_test_setup(bytes_given_leave_the_stock, setup),
	    cmocka_unit_test_setup(a_stock_that_is_too_small_is_filled_anew, setup),
	    cmocka_unit_test_setup(a_failed_source_gives_nothing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
