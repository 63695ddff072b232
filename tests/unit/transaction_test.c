/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/enforcer/transaction.h"
#include "tests/unit/sample.h"

static struct transaction scene;

static int
enter(void **state)
{
	(void)state;
	transaction_init(&scene);
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	transaction_done(&scene);
	return 0;
}

static void
give(const struct enforcer_message *m)
{
	if (m->kind == ENFORCER_TABLE)
		transaction_begin(&scene, m);
	else
		transaction_add(&scene, m);
}

static void
begin(void)
{
	const struct enforcer_table table = sample_table();

	sample_begin(1, &table, give);
}

static void
lists_add_up_over_messages(void **state)
{
	struct enforcer_message m = sample_message(ENFORCER_INTERNAL, 1, 2);
	struct ruleset rs;

	(void)state;
	begin();
	m.body.ranges[0] = sample_prefix("10.96.0.0/12");
	m.body.ranges[1] = sample_prefix("fd00::/8");
	give(&m);
	give(&m);
	assert_int_equal(transaction_end(&scene), 0);
	rs = transaction_ruleset(&scene);
	assert_int_equal(rs.internal_count, 4);
	assert_int_equal(rs.pod_count, 2);
	assert_int_equal(rs.listen_count, 2);
	assert_int_equal(rs.interface_count, 1);
	assert_int_equal(rs.fixed_count, 0);
	assert_string_equal(rs.interfaces[0], "veth*");
	assert_int_equal(rs.listen[0].port, 53);
	assert_true(rs.table.enforce);
}

/* Written ahead, and then not to be said. */
static void
records_of_zeros_say_nothing(void **state)
{
	struct enforcer_message revokes = sample_message(ENFORCER_REVOKE, 1, 2);
	struct enforcer_message cuts = sample_message(ENFORCER_CUT, 1, 1);
	struct element *list;
	size_t count;

	(void)state;
	begin();
	memset(&revokes.body, 0, sizeof(revokes.body));
	memset(&cuts.body, 0, sizeof(cuts.body));
	revokes.body.leases[1] = sample_lease("10.244.0.5", "192.0.2.1", 60000);
	give(&revokes);
	give(&cuts);
	assert_int_equal(transaction_end(&scene), 0);
	assert_int_equal(transaction_revokes(&scene, &list, &count), 0);
	assert_int_equal(count, 1);
	free(list);
	(void)transaction_cuts(&scene, &count);
	assert_int_equal(count, 0);
}

static void
leases_of_zeros_are_refused(void **state)
{
	struct enforcer_message m = sample_message(ENFORCER_LEASES, 1, 1);

	(void)state;
	begin();
	memset(&m.body, 0, sizeof(m.body));
	give(&m);
	assert_int_equal(transaction_end(&scene), -EPERM);
}

static void
leases_keep_their_own_name(void **state)
{
	const struct enforcer_lease leases[] = {
	    sample_lease("10.244.0.5", "192.0.2.1", 60000),
	    sample_lease("10.244.0.6", "192.0.2.1", 60000),
	};
	struct enforcer_message m;
	struct element *list;
	size_t count;

	(void)state;
	begin();
	m = sample_leases(1, "a.example", &leases[1], 1);
	give(&m);
	m = sample_leases(1, "b.example", &leases[0], 1);
	give(&m);
	m.kind = ENFORCER_REVOKE;
	give(&m);
	assert_int_equal(transaction_end(&scene), 0);
	assert_int_equal(transaction_grants(&scene, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(list[0].name, "b.example"); /* sorted by key */
	assert_string_equal(list[1].name, "a.example");
	assert_int_equal(list[0].timeout_ms, 60000);
	free(list);
	assert_int_equal(transaction_revokes(&scene, &list, &count), 0);
	assert_int_equal(count, 1);
	assert_true(list[0].timeout_ms > 0); /* an element that ends by itself */
	free(list);
}

static void
the_first_bad_value_refuses_the_whole(void **state)
{
	struct enforcer_message m = sample_message(ENFORCER_FIXED, 1, 1);

	(void)state;
	begin();
	m.body.fixed[0] = sample_fixed("0.0.0.0/0", "192.0.2.0/24");
	m.body.fixed[0].port = 0;
	give(&m);
	m.body.fixed[0].port = 80;
	give(&m);
	assert_int_equal(transaction_end(&scene), -EPERM);
	transaction_clear(&scene);
	assert_false(scene.open);
	begin();
	assert_int_equal(transaction_end(&scene), 0); /* and the next is a new one */
}

static void
ways_are_kept_as_they_come(void **state)
{
	struct enforcer_message m = sample_message(ENFORCER_WAYS, 1, 1);
	struct ruleset rs;

	(void)state;
	begin();
	m.body.ways[0] = (struct enforcer_way){
	    .service = 2, .weight = 3, .proto = IPPROTO_TCP, .port = 80};
	give(&m);
	assert_int_equal(transaction_end(&scene), 0);
	rs = transaction_ruleset(&scene);
	assert_int_equal(rs.way_count, 1);
	assert_int_equal(rs.ways[0].weight, 3);
	transaction_clear(&scene);
	begin();
	m.body.ways[0].weight = 0;
	give(&m);
	assert_int_equal(transaction_end(&scene), -EPERM);
}

/* The order of PODS and LEASES does not matter: both are looked at when all is there. */
static void
leases_are_measured_by_the_ranges_of_their_own_transaction(void **state)
{
	const struct enforcer_lease lease = sample_lease("10.99.0.1", "192.0.2.1", 60000);
	struct enforcer_message m = sample_leases(1, "a.example", &lease, 1);

	(void)state;
	begin();
	give(&m);
	assert_int_equal(transaction_end(&scene), -EPERM);
	transaction_clear(&scene);
	begin();
	give(&m);
	m = sample_message(ENFORCER_PODS, 1, 1);
	m.body.ranges[0] = sample_prefix("10.99.0.0/16");
	give(&m);
	assert_int_equal(transaction_end(&scene), 0);
}

static void
a_list_above_its_limit_is_refused(void **state)
{
	struct enforcer_message m =
	    sample_message(ENFORCER_INTERFACES, 1, ENFORCER_LIST_MAX);

	(void)state;
	begin(); /* has one pattern */
	for (size_t i = 0; i < ENFORCER_LIST_MAX; i++)
		m.body.interfaces[i].pattern[0] = 'v';
	for (size_t i = 0; i < TRANSACTION_INTERFACES_MAX / ENFORCER_LIST_MAX - 1; i++)
		give(&m);
	assert_int_equal(transaction_end(&scene), 0);
	give(&m);
	assert_int_equal(transaction_end(&scene), -EPERM);
}

static void
an_empty_transaction_has_no_lists(void **state)
{
	struct enforcer_message m = sample_message(ENFORCER_TABLE, 1, 1);
	struct element *list;
	size_t count;

	(void)state;
	m.body.table = sample_table();
	give(&m);
	assert_int_equal(transaction_end(&scene), 0);
	assert_int_equal(transaction_ruleset(&scene).pod_count, 0);
	assert_int_equal(transaction_grants(&scene, &list, &count), 0);
	assert_null(list);
	assert_int_equal(count, 0);
}

#define TRANSACTION_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TRANSACTION_TEST(lists_add_up_over_messages),
	    TRANSACTION_TEST(leases_keep_their_own_name),
	    TRANSACTION_TEST(records_of_zeros_say_nothing),
	    TRANSACTION_TEST(leases_of_zeros_are_refused),
	    TRANSACTION_TEST(the_first_bad_value_refuses_the_whole),
	    TRANSACTION_TEST(ways_are_kept_as_they_come),
	    TRANSACTION_TEST(leases_are_measured_by_the_ranges_of_their_own_transaction),
	    TRANSACTION_TEST(a_list_above_its_limit_is_refused),
	    TRANSACTION_TEST(an_empty_transaction_has_no_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
