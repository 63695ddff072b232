/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services and leases that lead elsewhere, as the kernel takes them and nft lists them.
 */
#include "daemon/enforcer/translation.h"

#include <errno.h>

#include "daemon/enforcer/element.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"
#include "tests/unit/unit.h"

static struct netlink nl;

static int
enter(void **state)
{
	(void)state;
	scene_enter();
	return netlink_open(&nl);
}

static int
leave(void **state)
{
	(void)state;
	netlink_close(&nl);
	return 0;
}

static struct enforcer_fixed
fixed(const char *pods, const char *destination, uint32_t service)
{
	struct enforcer_fixed f = sample_fixed(pods, destination);

	f.service = service;
	return f;
}

/* text NULL: the address stays. */
static struct enforcer_way
way(uint32_t service, const char *text, uint16_t port, uint32_t weight)
{
	return (struct enforcer_way){
	    .service = service,
	    .weight = weight,
	    .addr = text != NULL ? sample_addr(text) : (struct addr){0},
	    .proto = IPPROTO_TCP,
	    .port = port,
	};
}

static void
put(const struct ruleset *rs)
{
	const struct layout_way how = {.log = true};
	struct layout_found found;

	assert_int_equal(layout_find(&nl, &found), 0);
	netlink_begin(&nl);
	assert_int_equal(ruleset_put(&nl, rs, &found, &how), 0);
	assert_int_equal(netlink_commit(&nl, NULL), 0);
}

static void
put_these(const struct enforcer_fixed *list, size_t count,
    const struct enforcer_way *ways, size_t way_count)
{
	struct ruleset rs = {
	    .table = sample_table(),
	    .fixed = list,
	    .fixed_count = count,
	    .ways = ways,
	    .way_count = way_count,
	};

	put(&rs);
}

static void
each_way_is_taken_by_its_weight(void **state)
{
	const struct enforcer_fixed list[] = {
	    fixed("0.0.0.0/0", "192.0.2.1", 1), fixed("::/0", "2001:db8::1", 1)};
	const struct enforcer_way ways[] = {way(1, "10.0.0.1", 8080, 3),
	    way(1, "10.0.0.2", 81, 1), way(1, "fd00::1", 82, 5)};

	(void)state;
	put_these(list, ARRAY_LEN(list), ways, ARRAY_LEN(ways));
	assert_true(scene_shows("192.0.2.1 . tcp . 443 : goto service1"));
	assert_true(scene_shows("2001:db8::1 . tcp . 443 : goto service1"));
	assert_true(
	    scene_shows("meta nfproto ipv4 meta l4proto tcp numgen random mod 4 < 3 "
			"dnat ip to 10.0.0.1:8080"));
	assert_true(
	    scene_shows("meta nfproto ipv4 meta l4proto tcp dnat ip to 10.0.0.2:81"));
	assert_true(
	    scene_shows("meta nfproto ipv6 meta l4proto tcp dnat ip6 to [fd00::1]:82"));
	assert_true(
	    scene_shows("ip saddr @open4 accept\n\t\tip6 saddr @open6 accept\n\t\t"
			"goto refuse"));
}

static void
weights_that_32_bits_do_not_hold_are_shared_all_the_same(void **state)
{
	const struct enforcer_fixed list[] = {fixed("0.0.0.0/0", "192.0.2.1", 1)};
	const struct enforcer_way ways[] = {way(1, "10.0.0.1", 80, UINT32_MAX),
	    way(1, "10.0.0.2", 80, UINT32_MAX), way(1, "10.0.0.3", 80, 1)};

	(void)state;
	put_these(list, ARRAY_LEN(list), ways, ARRAY_LEN(ways));
	assert_true(scene_shows("numgen random mod 4294967295 < 2147483647 dnat ip to "
				"10.0.0.1:80"));
	assert_true(scene_shows("numgen random mod 2147483648 < 2147483647 dnat ip to "
				"10.0.0.2:80"));
}

static void
a_port_of_the_same_address(void **state)
{
	const struct enforcer_fixed list[] = {fixed("0.0.0.0/0", "192.0.2.0/24", 1)};
	const struct enforcer_way ways[] = {way(1, NULL, 8443, 1)};

	(void)state;
	put_these(list, ARRAY_LEN(list), ways, ARRAY_LEN(ways));
	assert_true(scene_shows("192.0.2.0/24 . tcp . 443 : goto service1"));
	assert_true(scene_shows("meta nfproto ipv4 meta l4proto tcp dnat ip to :8443"));
	assert_true(scene_shows("meta nfproto ipv6 meta l4proto tcp dnat ip6 to :8443"));
}

/* Also where one of them leads to itself; of two that are the same the first one. */
static void
the_longer_prefix_holds(void **state)
{
	const struct enforcer_fixed list[] = {
	    fixed("0.0.0.0/0", "192.0.2.0/24", 1),
	    fixed("0.0.0.0/0", "192.0.2.16/28", 0),
	    fixed("0.0.0.0/0", "192.0.2.20", 2),
	    fixed("0.0.0.0/0", "192.0.2.20", 1),
	    fixed("0.0.0.0/0", "192.0.2.255", 2),
	    fixed("10.244.1.2", "192.0.2.0/24", 2),
	};
	const struct enforcer_way ways[] = {
	    way(1, "10.0.0.1", 80, 1), way(2, "10.0.0.2", 80, 1)};

	(void)state;
	put_these(list, ARRAY_LEN(list), ways, ARRAY_LEN(ways));
	assert_true(scene_shows("192.0.2.0/28 . tcp . 443 : goto service1"));
	assert_true(scene_shows("192.0.2.20 . tcp . 443 : goto service2"));
	assert_true(scene_shows("192.0.2.32-192.0.2.254 . tcp . 443 : goto service1"));
	assert_true(scene_shows("192.0.2.255 . tcp . 443 : goto service2"));
	assert_true(scene_shows("10.244.1.2 . 192.0.2.0/24 . tcp . 443 : goto service2"));
	assert_false(scene_shows("192.0.2.16-"));
	assert_false(scene_shows("192.0.2.20 . tcp . 443 : goto service1"));
}

static void
chains_that_nothing_leads_to_any_more_go(void **state)
{
	const struct enforcer_fixed list[] = {
	    fixed("0.0.0.0/0", "192.0.2.1", 1), fixed("0.0.0.0/0", "192.0.2.2", 2)};
	const struct enforcer_way ways[] = {
	    way(1, "10.0.0.1", 80, 1), way(2, "10.0.0.2", 80, 1)};

	(void)state;
	put_these(list, 2, ways, 2);
	assert_true(scene_shows("chain service2"));
	put_these(list, 1, ways, 1);
	assert_true(scene_shows("chain service1"));
	assert_false(scene_shows("service2"));
	put_these(NULL, 0, NULL, 0);
	assert_false(scene_shows("chain service"));
	put_these(list, 2, ways, 2);
	assert_true(scene_shows("192.0.2.2 . tcp . 443 : goto service2"));
}

/* With whom nothing is refused, what leads nowhere goes on. */
static void
what_leads_nowhere_is_refused_where_anything_is(void **state)
{
	const struct enforcer_fixed list[] = {fixed("0.0.0.0/0", "192.0.2.1", 1)};
	struct ruleset rs = {
	    .table = sample_table(), .fixed = list, .fixed_count = ARRAY_LEN(list)};

	(void)state;
	put(&rs);
	assert_true(scene_shows("goto service1"));
	assert_true(scene_shows("chain service1 {\n\t\tgoto nowhere\n"));
	assert_true(scene_shows("chain nowhere {\n\t\tip saddr @open4 accept"));
	rs.table.enforce = 0;
	put(&rs);
	assert_true(scene_shows("chain service1 {\n\t}"));
}

/* The rest of the table stays. */
static void
a_service_leads_elsewhere_at_once(void **state)
{
	const struct enforcer_fixed list[] = {
	    fixed("0.0.0.0/0", "192.0.2.1", 1), fixed("0.0.0.0/0", "192.0.2.2", 2)};
	const struct enforcer_way before[] = {
	    way(1, "10.0.0.1", 80, 1), way(2, "10.0.0.2", 80, 1)};
	const struct enforcer_way after[] = {
	    way(2, "10.0.0.3", 81, 1), way(2, "10.0.0.4", 81, 1)};
	const struct ruleset rs = {.fixed = list, .fixed_count = 2};

	(void)state;
	assert_int_equal(translation_services(&rs), 2);
	put_these(list, 2, before, 2);
	netlink_begin(&nl);
	translation_lead(&nl, true, 2, after, 2);
	assert_int_equal(netlink_commit(&nl, NULL), 0);
	assert_true(scene_shows("numgen random mod 2 < 1 dnat ip to 10.0.0.3:81"));
	assert_true(scene_shows("dnat ip to 10.0.0.4:81\n\t\tgoto nowhere"));
	assert_true(scene_shows("dnat ip to 10.0.0.1:80"));
	assert_false(scene_shows("10.0.0.2:80"));
	netlink_begin(&nl);
	translation_lead(&nl, true, 2, NULL, 0);
	assert_int_equal(netlink_commit(&nl, NULL), 0);
	assert_true(scene_shows("chain service2 {\n\t\tgoto nowhere\n"));
	netlink_begin(&nl);
	translation_lead(&nl, true, 3, after, 2);
	assert_int_equal(netlink_commit(&nl, NULL), -ENOENT);
}

static void
grant(const struct enforcer_lease *lease, bool renew)
{
	struct element e = {.lease = lease,
	    .name = "a.t",
	    .timeout_ms = lease->timeout_ms,
	    .renew = renew};

	netlink_begin(&nl);
	element_grant(&nl, &e, 1);
	assert_int_equal(netlink_commit(&nl, NULL), 0);
}

static void
a_lease_leads_to_its_port_until_a_change_of_the_table(void **state)
{
	struct enforcer_lease lease = sample_lease("10.244.1.2", "192.0.2.1", 60000);

	(void)state;
	put_these(NULL, 0, NULL, 0);
	lease.to = 8443;
	grant(&lease, false);
	grant(&lease, true);
	assert_true(scene_shows("dnat ip to :ip saddr . ip daddr . meta l4proto . tcp "
				"dport map @leaseports4"));
	assert_true(scene_shows("comment \"a.t\" : 8443"));
	put_these(NULL, 0, NULL, 0);
	assert_false(scene_shows(": 8443"));
	assert_true(scene_shows("comment \"a.t\""));
	lease.to = 9443;
	grant(&lease, true);
	assert_true(scene_shows("comment \"a.t\" : 9443"));
}

#define TRANSLATION_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TRANSLATION_TEST(each_way_is_taken_by_its_weight),
	    TRANSLATION_TEST(weights_that_32_bits_do_not_hold_are_shared_all_the_same),
	    TRANSLATION_TEST(a_port_of_the_same_address),
	    TRANSLATION_TEST(the_longer_prefix_holds),
	    TRANSLATION_TEST(chains_that_nothing_leads_to_any_more_go),
	    TRANSLATION_TEST(what_leads_nowhere_is_refused_where_anything_is),
	    TRANSLATION_TEST(a_service_leads_elsewhere_at_once),
	    TRANSLATION_TEST(a_lease_leads_to_its_port_until_a_change_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
