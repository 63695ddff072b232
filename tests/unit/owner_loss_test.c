/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody else takes away where nobody looks for it just then. */
#include "tests/unit/unit.h"

#include "tests/unit/owner_bed.h"

/* The table, and a lease in it. */
static void
put_table_with_lease(const struct enforcer_table *table)
{
	const struct enforcer_lease lease =
	    sample_lease("10.244.0.5", "192.0.2.1", 3000000);

	assert_int_equal(put_table(table), 0);
	assert_int_equal(put_lease(2, "a.example", lease), 0);
}

/* By somebody else, before the loop has heard of it: the leases are not written again. */
static void
a_flush_in_front_of_a_switch_is_told(void **state)
{
	struct enforcer_table table = sample_table();

	(void)state;
	table.own = 0;
	put_table_with_lease(&table);
	assert_int_equal(scene_run("nft flush set inet egressd leases4"), 0);
	assert_int_equal(put_table(&table), 0);
	owner_watch(scene.owner);
	assert_int_equal(dump(), 0);
	assert_int_equal(scene.lost, 1);
}

static void
a_table_that_goes_between_dump_and_making_is_told(void **state)
{
	const struct enforcer_table table = sample_table();

	(void)state;
	put_table_with_lease(&table);
	owner_free(scene.owner);
	assert_int_equal(start(), 0);
	assert_int_equal(dump(), 1);
	assert_int_equal(scene_run("nft flush ruleset"), 0);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(dump(), 0);
	assert_int_equal(scene.lost, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    OWNER_TEST(a_flush_in_front_of_a_switch_is_told),
	    OWNER_TEST(a_table_that_goes_between_dump_and_making_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
