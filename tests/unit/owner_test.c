/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <poll.h>

#include "tests/unit/owner_bed.h"

static void
a_table_is_made_in_one_transaction_and_again(void **state)
{
	const struct enforcer_table table = sample_table();
	char *first, *second;

	(void)state;
	assert_int_equal(put_table(&table), 0);
	first = scene_output("nft -s list table inet egressd");
	assert_non_null(strstr(first, "iifname \"veth*\" goto interface"));
	assert_non_null(strstr(first, "dnat ip6 to [fd00:53::10]:53"));
	assert_int_equal(put_table(&table), 0);
	second = scene_output("nft -s list table inet egressd");
	assert_string_equal(first, second);
	assert_int_equal(scene.lost, 0);
	free(first);
	free(second);
}

static void
allow_any_refuses_nothing_and_still_intercepts(void **state)
{
	struct enforcer_table table = sample_table();

	(void)state;
	table.enforce = 0;
	assert_int_equal(put_table(&table), 0);
	assert_false(scene_shows("goto interface"));
	assert_false(scene_shows("goto guard"));
	assert_false(scene_shows("goto pod\n\t\tip6"));
	assert_true(scene_shows("goto intercept"));
	table.intercept = 0;
	assert_int_equal(put_table(&table), 0);
	assert_false(scene_shows("goto intercept"));
	assert_false(scene_shows("dport 53 dnat"));
}

static void
refusing_is_reject_or_drop(void **state)
{
	struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_true(scene_shows("reject with tcp reset"));
	assert_true(scene_shows("reject with icmpx admin-prohibited"));
	assert_true(scene_shows("log prefix \"egressd\" group 5 snaplen 128"));
	table.drop = 1;
	assert_int_equal(put_table(&table), 0);
	assert_false(scene_shows("reject"));
}

static void
a_wildcard_listener_is_any_local_address(void **state)
{
	const struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_TABLE, 1, 1);

	(void)state;
	m.body.table = table;
	give(&m);
	m = sample_message(ENFORCER_LISTEN, 1, 1);
	m.body.listen[0] = sample_endpoint("0.0.0.0:5353");
	give(&m);
	assert_int_equal(end(1), 0);
	assert_true(scene_shows("fib daddr type local tcp dport 5353 accept"));
	assert_true(scene_shows("fib daddr type local udp dport 5353 return"));
	assert_true(scene_shows("udp dport 53 redirect to :5353"));
	/* nobody listens there, so nothing may pass to be redirected */
	assert_false(scene_shows("meta nfproto ipv6 udp dport 53 ct state new accept"));
	assert_true(scene_shows("udp dport 53 goto refuse"));
}

static void
another_owner_adopts_what_the_last_one_left(void **state)
{
	const struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(put_lease(2, "a.example",
			     sample_lease("fd00:244::5", "2001:db8::1", 3000000)),
	    0);
	owner_free(scene.owner);
	assert_true(scene_shows("2001:db8::1"));
	assert_int_equal(start(), 0);
	assert_int_equal(dump(), 1); /* even before it has made its table */
	assert_string_equal(scene.said[0].name, "a.example");
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(dump(), 1);
	assert_int_equal(scene.lost, 0);
	scene_needs_persist();
	/* and it is ours now */
	assert_int_equal(scene_run("nft delete table inet egressd 2>/dev/null"), 1);
}

static void
a_living_owner_is_not_robbed(void **state)
{
	const struct enforcer_table table = sample_table();
	struct owner *first;

	(void)state;
	scene_needs_persist();
	assert_int_equal(put_table(&table), 0);
	first = scene.owner;
	assert_int_equal(start(), 0);
	assert_int_equal(put_table(&table), -EPERM);
	owner_free(scene.owner);
	scene.owner = first;
	assert_int_equal(put_table(&table), 0);
}

static void
flushing_the_ruleset_leaves_an_owned_table(void **state)
{
	const struct enforcer_table table = sample_table();

	(void)state;
	scene_needs_persist();
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(owner_watch_fd(scene.owner), -1);
	assert_int_equal(
	    put_lease(2, "a.example", sample_lease("10.244.0.5", "192.0.2.1", 3000000)),
	    0);
	assert_int_equal(scene_run("nft flush ruleset"), 0);
	assert_int_equal(dump(), 1);
}

static void
a_newer_layout_is_left_alone(void **state)
{
	const struct enforcer_table table = sample_table();
	const struct enforcer_message m = sample_message(ENFORCER_DUMP, 2, 0);

	(void)state;
	assert_int_equal(scene_run("nft 'add table inet egressd { comment \"egressd "
				   "9\"; }'"),
	    0);
	assert_int_equal(put_table(&table), -EPROTONOSUPPORT);
	give(&m);
	assert_int_equal(result_of(2), -EPROTONOSUPPORT);
	assert_true(scene_shows("egressd 9"));
	assert_false(scene_shows("leases4"));
}

static void
no_layout_or_another_shape_is_replaced_and_told(void **state)
{
	const struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(scene_run("nft 'add table inet egressd; add set inet egressd "
				   "leases4 { type ipv4_addr; }'"),
	    0);
	assert_int_equal(put_table(&table), 0);
	assert_true(scene_shows("comment \"egressd 1\""));
	assert_int_equal(scene.lost, 1);
	/* our comment, but a set that is none of ours */
	owner_free(scene.owner);
	assert_int_equal(
	    scene_run("nft 'delete table inet egressd; add table inet egressd "
		      "{ comment \"egressd 1\"; }; add set inet egressd "
		      "leases4 { type ipv4_addr; }'"),
	    0);
	assert_int_equal(start(), 0);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(scene.lost, 1);
	assert_true(scene_shows("size 1000"));
}

/* A table that cannot be brought to ours in place: what it holds is not lost with it. */
static void
a_replaced_table_leaves_its_leases(void **state)
{
	struct enforcer_table table = sample_table();
	struct enforcer_lease lease = sample_lease("10.244.0.6", "192.0.2.6", 3000000);
	struct enforcer_message m = sample_leases(1, "", &lease, 1);

	(void)state;
	table.own = 0;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(
	    put_lease(2, "a.example", sample_lease("10.244.0.5", "192.0.2.1", 3000000)),
	    0);
	assert_int_equal(put_lease(2, "b.example",
			     sample_lease("fd00:244::5", "2001:db8::1", 3000000)),
	    0);
	assert_int_equal(put_lease(3, "c.example", lease), 0);
	owner_free(scene.owner);
	assert_int_equal(
	    scene_run("nft 'flush table inet egressd; delete set inet egressd fixed4; "
		      "add set inet egressd fixed4 { type ipv4_addr; }'"),
	    0);
	assert_int_equal(start(), 0);
	assert_int_equal(dump(), 3);
	sample_begin(1, &table, give);
	m.kind = ENFORCER_REVOKE; /* what does not come over */
	give(&m);
	assert_int_equal(end(1), 0);
	assert_int_equal(scene.lost, 0);
	assert_int_equal(dump(), 2);
	assert_true(scene_shows("comment \"a.example\""));
	assert_true(scene_shows("comment \"b.example\""));
	assert_in_range(left_ms("192.0.2.1"), 2400000, 3000000);
	assert_true(scene_shows("ipv4_addr . ipv4_addr . inet_proto . inet_service"));
}

/* The sets of open pods and of flows that were cut came later than the first table: what
 * was there goes on. */
static void
a_table_without_later_sets_gets_them_and_keeps_its_leases(void **state)
{
	struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_OPEN, 1, 2);

	(void)state;
	table.own = 0;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(
	    put_lease(2, "a.example", sample_lease("10.244.0.5", "192.0.2.1", 3000000)),
	    0);
	owner_free(scene.owner);
	assert_int_equal(
	    scene_run("nft 'flush chain inet egressd pod; flush chain inet egressd guard;"
		      "flush chain inet egressd nowhere;"
		      "delete set inet egressd open4; delete set inet egressd open6;"
		      "delete set inet egressd cut4; delete set inet egressd cut6'"),
	    0);
	assert_int_equal(start(), 0);
	assert_int_equal(dump(), 1);
	sample_begin(1, &table, give);
	m.body.open[0] = sample_addr("10.244.0.7");
	m.body.open[1] = sample_addr("fd00:244::7");
	give(&m);
	assert_int_equal(end(1), 0);
	assert_int_equal(scene.lost, 0);
	assert_int_equal(dump(), 1);
	assert_true(scene_shows("elements = { 10.244.0.7 }"));
	assert_true(scene_shows("elements = { fd00:244::7 }"));
	assert_int_equal(put_table(&table), 0);
	assert_false(scene_shows("10.244.0.7"));
	assert_false(scene_shows("fd00:244::7"));
}

static void
a_transaction_out_of_bounds_changes_nothing(void **state)
{
	struct enforcer_table table = sample_table();
	struct enforcer_lease lease = sample_lease("10.1.0.5", "192.0.2.1", 3000000);
	struct enforcer_message m = sample_leases(1, "a.example", &lease, 1);

	(void)state;
	sample_begin(1, &table, give);
	give(&m); /* its pod is in no range */
	assert_int_equal(end(1), -EPERM);
	assert_false(scene_shows("leases4"));
	table.set_size = 0;
	assert_int_equal(put_table(&table), -EPERM);
	sample_begin(1, &table, give);
	m = sample_message(ENFORCER_INTERFACES, 1, 1);
	m.body.interfaces[0].pattern[0] = '*';
	give(&m);
	assert_int_equal(end(1), -EPERM);
	table = sample_table();
	sample_begin(1, &table, give);
	m = sample_message(ENFORCER_OPEN, 1, 1);
	m.body.open[0] = sample_addr("10.1.0.5"); /* no pod */
	give(&m);
	assert_int_equal(end(1), -EPERM);
	sample_begin(1, &table, give);
	m.body.open[0] = (struct addr){.family = 3};
	give(&m);
	assert_int_equal(end(1), -EPERM);
	sample_begin(1, &table, give);
	m = sample_message(ENFORCER_CUT, 1, 1);
	m.body.cuts[0] = sample_cut("10.1.0.5", NULL); /* no pod */
	give(&m);
	assert_int_equal(end(1), -EPERM);
	assert_int_equal(put_table(&table), 0);
}

static void
overlapping_fixed_and_ranges_are_taken(void **state)
{
	const struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_FIXED, 1, 4);

	(void)state;
	for (int pass = 0; pass < 2; pass++) {
		sample_begin(1, &table, give);
		m.body.fixed[0] = sample_fixed("0.0.0.0/0", "198.51.100.0/24");
		m.body.fixed[1] = sample_fixed("0.0.0.0/0", "198.51.100.7/32");
		m.body.fixed[2] = sample_fixed("10.244.0.5/32", "198.51.0.0/16");
		m.body.fixed[3] = sample_fixed("::/0", "2001:db8::/32");
		give(&m);
		assert_int_equal(end(1), 0);
	}
	assert_true(scene_shows("10.244.0.5 . 198.51.0.0-198.51.99.255 . tcp . 443"));
	assert_true(scene_shows("::/0 . 2001:db8::/32 . tcp . 443"));
}

static bool
wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 60000) == 1;
}

static void
a_deleted_table_is_noticed_and_told_once(void **state)
{
	struct enforcer_table table = sample_table();
	const struct enforcer_lease lease =
	    sample_lease("10.244.0.5", "192.0.2.1", 3000000);

	(void)state;
	table.own = 0;
	assert_int_equal(put_table(&table), 0);
	assert_true(owner_watch_fd(scene.owner) >= 0);
	assert_int_equal(put_lease(2, "a.example", lease), 0);
	owner_watch(scene.owner);
	assert_int_equal(scene.lost, 0); /* we are not somebody else */
	assert_int_equal(scene_run("nft delete table inet egressd"), 0);
	assert_true(wait_readable(owner_watch_fd(scene.owner)));
	owner_watch(scene.owner);
	owner_watch(scene.owner);
	assert_int_equal(scene.lost, 1);
	assert_int_equal(put_lease(3, "a.example", lease), -ENOENT);
	assert_int_equal(scene.lost, 1);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(put_lease(4, "a.example", lease), 0);
	owner_watch(scene.owner);
	assert_int_equal(scene.lost, 1);
}

static void
a_commit_into_nothing_is_enoent_and_lost(void **state)
{
	struct enforcer_table table = sample_table();
	const struct enforcer_lease lease =
	    sample_lease("10.244.0.5", "192.0.2.1", 3000000);

	(void)state;
	table.own = 0;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(scene_run("nft flush ruleset"), 0);
	assert_int_equal(put_lease(2, "a.example", lease), -ENOENT);
	assert_int_equal(scene.lost, 1);
	assert_int_equal(put_lease(3, "a.example", lease), -ENOENT);
	assert_int_equal(scene.lost, 1);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(put_lease(4, "a.example", lease), 0);
	/* gone, and the next table comes before anybody has noticed */
	assert_int_equal(scene_run("nft delete table inet egressd"), 0);
	scene.lost = 0;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(scene.lost, 1);
}

static void
whoever_changes_the_table_is_noticed(void **state)
{
	static const char *const changes[] = {
	    "nft insert rule inet egressd pod accept",
	    "nft flush chain inet egressd refuse",
	    "nft flush set inet egressd leases4",
	    "nft add table inet egressd '{ flags dormant; }'",
	    "nft add chain inet egressd other",
	};
	static const char *const harmless[] = {
	    "nft add table inet other",
	    "nft add table ip egressd",
	    "nft flush chain ip egressd none 2>/dev/null || true",
	};
	struct enforcer_table table = sample_table();
	char *before, *after;

	(void)state;
	table.own = 0;
	assert_int_equal(put_table(&table), 0);
	before = scene_output("nft -s list chain inet egressd pod");
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		scene.lost = 0;
		assert_int_equal(put_lease(2, "a.example",
				     sample_lease("10.244.0.5", "192.0.2.1", 3000000)),
		    0);
		assert_int_equal(scene_run(changes[i]), 0);
		assert_true(wait_readable(owner_watch_fd(scene.owner)));
		owner_watch(scene.owner);
		assert_int_equal(scene.lost, 1);
		assert_int_equal(put_table(&table), 0);
	}
	after = scene_output("nft -s list chain inet egressd pod");
	assert_string_equal(before, after);
	assert_false(scene_shows("dormant"));
	free(before);
	free(after);
	scene.lost = 0;
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		assert_int_equal(scene_run(harmless[i]), 0);
	owner_watch(scene.owner);
	assert_int_equal(scene.lost, 0);
}

static void
without_a_table_there_is_nothing_to_dump(void **state)
{
	const struct enforcer_message m = sample_message(ENFORCER_DUMP, 7, 0);

	(void)state;
	give(&m);
	assert_int_equal(result_of(7), -ENOENT);
	assert_int_equal(scene_run("nft add table inet egressd"), 0);
	scene.len = 0;
	give(&m);
	assert_int_equal(result_of(7), -ENOENT);
}

static void
a_message_out_of_place_is_refused(void **state)
{
	const struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_END, 1, 0);

	(void)state;
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	m = sample_message(ENFORCER_PODS, 1, 0);
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	m = sample_message(ENFORCER_REVOKE, 1, 0);
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	m = sample_message(ENFORCER_FLOWS, 1, 0);
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	m = sample_message(ENFORCER_CUT, 1, 0);
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	m = sample_message(ENFORCER_RESULT, 1, 0);
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	sample_begin(1, &table, give);
	m = sample_message(ENFORCER_LEASES, 2, 0); /* not of this transaction */
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	m = sample_message(ENFORCER_DUMP, 1, 0);
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	m = sample_message(ENFORCER_TABLE, 1, 1);
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	assert_int_equal(end(1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    OWNER_TEST(a_table_is_made_in_one_transaction_and_again),
	    OWNER_TEST(allow_any_refuses_nothing_and_still_intercepts),
	    OWNER_TEST(refusing_is_reject_or_drop),
	    OWNER_TEST(a_wildcard_listener_is_any_local_address),
	    OWNER_TEST(another_owner_adopts_what_the_last_one_left),
	    OWNER_TEST(a_living_owner_is_not_robbed),
	    OWNER_TEST(flushing_the_ruleset_leaves_an_owned_table),
	    OWNER_TEST(a_newer_layout_is_left_alone),
	    OWNER_TEST(no_layout_or_another_shape_is_replaced_and_told),
	    OWNER_TEST(a_replaced_table_leaves_its_leases),
	    OWNER_TEST(a_table_without_later_sets_gets_them_and_keeps_its_leases),
	    OWNER_TEST(a_transaction_out_of_bounds_changes_nothing),
	    OWNER_TEST(overlapping_fixed_and_ranges_are_taken),
	    OWNER_TEST(a_deleted_table_is_noticed_and_told_once),
	    OWNER_TEST(a_commit_into_nothing_is_enoent_and_lost),
	    OWNER_TEST(whoever_changes_the_table_is_noticed),
	    OWNER_TEST(without_a_table_there_is_nothing_to_dump),
	    OWNER_TEST(a_message_out_of_place_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
