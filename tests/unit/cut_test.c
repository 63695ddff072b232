/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "daemon/enforcer/cut.h"
#include "tests/unit/alloc.h"
#include "tests/unit/flows_bed.h"
#include "tests/unit/owner_bed.h"

#define POD "10.244.0.5"
#define OTHER "10.244.0.6"
#define FAR "192.0.2.1"
#define FAR_TOO "192.0.2.2"

static int
enter_with_flows(void **state)
{
	const struct enforcer_table table = sample_table();
	int r = enter(state);

	if (r < 0)
		return r;
	flows_begin();
	assert_int_equal(put_table(&table), 0);
	flows_send(POD, FAR, 443);
	flows_send(POD, FAR, 80);
	flows_send(POD, FAR_TOO, 443);
	flows_send(OTHER, FAR, 443);
	flows_send("fd00:244::5", "2001:db8::1", 443);
	return 0;
}

/* Give a table again, and these with it. */
static void
give_cuts(const struct enforcer_cut *list, uint16_t count)
{
	const struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_CUT, 1, count);

	sample_begin(1, &table, give);
	for (size_t i = 0; i < count; i++) {
		m.body.cuts[i] = list[i];
		if (list[i].destination.family != 0)
			m.body.cuts[i].proto = IPPROTO_UDP;
	}
	give(&m);
	assert_int_equal(end(1), 0);
}

/* Until the pass has ended; what it said, NULL when nothing. */
static const struct enforcer_message *
finish(void)
{
	while (owner_cut_fd(scene.owner) >= 0)
		owner_cut(scene.owner);
	for (size_t i = 0; i < scene.len; i++)
		if (scene.said[i].kind == ENFORCER_FLOWS)
			return &scene.said[i];
	return NULL;
}

static void
what_is_named_is_cut_and_nothing_else(void **state)
{
	const struct enforcer_cut cuts[] = {
	    sample_cut("fd00:244::5", "2001:db8::1"), sample_cut(POD, FAR),
	    sample_cut(OTHER, FAR_TOO), /* which is no flow */
	};
	const struct enforcer_message *m;

	(void)state;
	give_cuts(cuts, ARRAY_LEN(cuts));
	m = finish();
	assert_non_null(m);
	assert_int_equal(m->result, 0);
	assert_int_equal(m->packets, 2);
	assert_int_equal(m->lost, 0);
	assert_int_equal(flows_from_to(POD, FAR), 1); /* port 80 */
	assert_int_equal(flows_from_to(POD, FAR_TOO), 1);
	assert_int_equal(flows_from_to(OTHER, FAR), 1);
	assert_int_equal(flows_from_to("fd00:244::5", "2001:db8::1"), 0);
	assert_true(scene_shows("set cut4"));
	assert_true(scene_shows(POD " . " FAR " . udp . 443"));
	assert_true(scene_shows("fd00:244::5 . 2001:db8::1 . udp . 443"));
}

static void
all_flows_of_pods_are_cut_but_what_is_leased(void **state)
{
	const struct enforcer_cut cut = sample_cut("10.244.0.0/16", NULL);
	struct enforcer_lease lease = sample_lease(POD, FAR, 3000000);

	(void)state;
	lease.proto = IPPROTO_UDP;
	assert_int_equal(put_lease(2, "a.example", lease), 0);
	give_cuts(&cut, 1);
	assert_int_equal(finish()->packets, 3);
	assert_int_equal(flows_from_to(POD, FAR), 1);
	assert_int_equal(flows_from_to(POD, FAR_TOO), 0);
	assert_int_equal(flows_from_to(OTHER, FAR), 0);
	assert_int_equal(flows_from_to("fd00:244::5", "2001:db8::1"), 1);
}

/* Its owner ends between the commit and the pass: the next one does it, once. */
static void
a_pass_that_died_is_done_by_the_next_owner(void **state)
{
	const struct enforcer_cut cut = sample_cut(POD, FAR);
	const struct enforcer_table table = sample_table();
	struct enforcer_lease lease = sample_lease(OTHER, FAR, 3000000);

	(void)state;
	lease.proto = IPPROTO_UDP;
	assert_int_equal(put_lease(2, "a.example", lease), 0);
	give_cuts(&cut, 1);
	for (int i = 0; i < 2; i++) { /* the second does not come to it either */
		owner_free(scene.owner);
		assert_true(scene_shows("comment \"unfinished\""));
		assert_int_equal(start(), 0);
		assert_int_equal(put_table(&table), 0);
	}
	assert_int_equal(finish()->result, 0);
	assert_int_equal(flows_from_to(POD, FAR), 0);
	assert_int_equal(flows_from_to(OTHER, FAR), 1); /* is leased */
	assert_false(scene_shows("unfinished"));
	owner_free(scene.owner);
	assert_int_equal(start(), 0);
	flows_send(POD, FAR, 443);
	assert_int_equal(put_table(&table), 0);
	assert_null(finish());
	assert_int_equal(flows_from_to(POD, FAR), 1);
}

/* The second switch comes before the first one's flows were looked for. */
static void
a_pass_that_begins_again_forgets_nothing(void **state)
{
	const struct enforcer_cut first = sample_cut(OTHER, NULL);
	const struct enforcer_cut second = sample_cut("fd00:244::5", NULL);
	const struct enforcer_table table = sample_table();

	(void)state;
	give_cuts(&first, 1);
	assert_true(owner_cut_fd(scene.owner) >= 0);
	give_cuts(&second, 1);
	assert_int_equal(put_table(&table), 0); /* has none of its own */
	assert_int_equal(finish()->packets, 2);
	assert_int_equal(flows_from_to(OTHER, FAR), 0);
	assert_int_equal(flows_from_to(POD, FAR), 2);
	assert_int_equal(flows_from_to("fd00:244::5", "2001:db8::1"), 0);
}

static void
without_cuts_nobody_looks(void **state)
{
	const struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(owner_cut_fd(scene.owner), -1);
	assert_null(finish());
}

static void
a_table_that_was_not_made_cuts_nothing(void **state)
{
	struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_CUT, 1, 1);

	(void)state;
	table.set_size = 0;
	m.body.cuts[0] = sample_cut(POD, NULL);
	sample_begin(1, &table, give);
	give(&m);
	assert_int_equal(end(1), -EPERM);
	assert_int_equal(owner_cut_fd(scene.owner), -1);
	assert_int_equal(flows_from_to(POD, FAR), 2);
}

static void
a_set_that_is_full_is_told_and_flows_are_cut_all_the_same(void **state)
{
	const struct enforcer_cut cut = sample_cut(POD, NULL);
	struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_CUT, 1, 1);
	const struct enforcer_message *told;

	(void)state;
	owner_free(scene.owner); /* who keeps the table for itself */
	assert_int_equal(scene_run("nft delete table inet egressd"), 0);
	assert_int_equal(start(), 0);
	table.own = 0;
	m.body.cuts[0] = cut;
	sample_begin(1, &table, give);
	give(&m);
	assert_int_equal(end(1), 0);
	assert_int_equal(
	    scene_run("nft 'flush chain inet egressd pod; delete set inet egressd cut4; "
		      "add set inet egressd cut4 { type ipv4_addr . ipv4_addr . "
		      "inet_proto . inet_service; flags timeout; size 1; }'"),
	    0);
	told = finish();
	assert_non_null(told);
	assert_int_equal(told->result, -ENFILE);
	assert_int_equal(told->packets, 3);
	assert_int_equal(flows_from_to(POD, FAR), 0);
}

static void
a_failure_is_told(void **state)
{
	const struct enforcer_cut cut = sample_cut(POD, NULL);
	const struct ruleset rs = {.table = sample_table()};
	struct cut c;
	size_t n = 0;

	(void)state;
	do {
		scene.len = 0;
		cut_init(&c, hear, NULL);
		alloc_fail_at(n++);
		cut_begin(&c, &cut, 1, &rs);
		alloc_reset();
		if (cut_fd(&c) < 0) {
			assert_int_equal(scene.len, 1);
			assert_int_equal(scene.said[0].result, -ENOMEM);
		}
		assert_true(n < 100);
		cut_done(&c);
	} while (scene.len > 0);
	assert_true(n > 5);
}

#define CUT_TEST(f) cmocka_unit_test_setup_teardown(f, enter_with_flows, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CUT_TEST(what_is_named_is_cut_and_nothing_else),
	    CUT_TEST(all_flows_of_pods_are_cut_but_what_is_leased),
	    CUT_TEST(a_pass_that_died_is_done_by_the_next_owner),
	    CUT_TEST(a_pass_that_begins_again_forgets_nothing),
	    CUT_TEST(without_cuts_nobody_looks),
	    CUT_TEST(a_table_that_was_not_made_cuts_nothing),
	    CUT_TEST(a_set_that_is_full_is_told_and_flows_are_cut_all_the_same),
	    CUT_TEST(a_failure_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
