/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "resolver/failure.h"

static struct failure_table table;

static int
setup(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	return 0;
}

static void
empty_table_knows_nothing(void **state)
{
	(void)state;
	assert_int_equal(failure_find(&table, 0, 0), 0);
	assert_int_equal(failure_find(&table, 7, 0), 0);
}

static void
failure_is_known_for_its_time(void **state)
{
	(void)state;
	failure_add(&table, 7, -ETIMEDOUT, 100);
	assert_int_equal(failure_find(&table, 7, 100), -ETIMEDOUT);
	assert_int_equal(failure_find(&table, 7, 100 + FAILURE_KEPT_MS - 1), -ETIMEDOUT);
	assert_int_equal(failure_find(&table, 7, 100 + FAILURE_KEPT_MS), 0);
}

static void
question_of_the_same_place_is_another_one(void **state)
{
	(void)state;
	failure_add(&table, 7, -ETIMEDOUT, 0);
	assert_int_equal(failure_find(&table, 7 + FAILURE_SLOTS, 0), 0);
	failure_add(&table, 7 + FAILURE_SLOTS, -EREMOTEIO, 0);
	assert_int_equal(failure_find(&table, 7, 0), 0);
	assert_int_equal(failure_find(&table, 7 + FAILURE_SLOTS, 0), -EREMOTEIO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(empty_table_knows_nothing, setup),
	    cmocka_unit_test_setup(failure_is_known_for_its_time, setup),
	    cmocka_unit_test_setup(question_of_the_same_place_is_another_one, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
