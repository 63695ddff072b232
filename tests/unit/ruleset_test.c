/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>

#include "daemon/enforcer/interceptor.h"
#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/netlink.h"
#include "daemon/enforcer/ruleset.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"

/* What nft lists of the chains, line by line without indentation: read this to review
 * the fence. */
static const char expected[] =
    "chain refuse {\n"
    "counter\n"
    "log prefix \"egressd\" group 5 snaplen 128\n"
    "meta l4proto tcp reject with tcp reset\n"
    "reject with icmpx admin-prohibited\n"
    "}\n"
    "chain link {\n"
    "ip6 daddr fe80::/10 accept\n"
    "ip6 daddr ff02::/16 accept\n"
    "fib daddr type local accept\n"
    "}\n"
    "chain neighbour {\n"
    "exthdr rt exists counter drop\n"
    "icmpv6 type nd-router-solicit ip6 hoplimit 255 jump link\n"
    "icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 jump link\n"
    "icmpv6 type nd-neighbor-advert ip6 hoplimit 255 jump link\n"
    "icmpv6 type mld-listener-report ip6 daddr ff02::/16 accept\n"
    "icmpv6 type mld-listener-done ip6 daddr ff02::/16 accept\n"
    "icmpv6 type mld2-listener-report ip6 daddr ff02::/16 accept\n"
    "}\n"
    "chain pod {\n"
    "ip option lsrr exists counter drop\n"
    "ip option ssrr exists counter drop\n"
    "udp dport 53 ip saddr @pods4 update @rates4 { ip saddr limit rate over "
    "125/second burst 100 packets } counter drop\n"
    "udp dport 53 ip6 saddr @pods6 update @rates6 { ip6 saddr limit rate over "
    "125/second burst 100 packets } counter drop\n"
    "ip daddr . tcp dport @listen4 accept\n"
    "ip6 daddr . tcp dport @listen6 accept\n"
    "ip daddr . udp dport @listen4 accept\n"
    "ip6 daddr . udp dport @listen6 accept\n"
    "ct state invalid drop\n"
    "ct direction reply ip saddr . ip daddr . meta l4proto . th dport @cut4 "
    "goto refuse\n"
    "ct direction reply ip6 saddr . ip6 daddr . meta l4proto . th dport @cut6 "
    "goto refuse\n"
    "ct state established accept\n"
    "meta l4proto icmp ct state related accept\n"
    "meta l4proto ipv6-icmp ct state related accept\n"
    "ip saddr @open4 accept\n"
    "ip6 saddr @open6 accept\n"
    "meta nfproto ipv4 tcp dport 53 ct state new accept\n"
    "meta nfproto ipv6 tcp dport 53 ct state new accept\n"
    "tcp dport 53 goto refuse\n"
    "meta nfproto ipv4 udp dport 53 ct state new accept\n"
    "meta nfproto ipv6 udp dport 53 ct state new accept\n"
    "udp dport 53 goto refuse\n"
    "ip daddr 169.254.169.254 ip saddr . ip daddr . meta l4proto . th dport @fixed4 "
    "accept\n"
    "ip daddr 169.254.169.254 goto refuse\n"
    "ip saddr . ip daddr . meta l4proto . th dport @leases4 accept\n"
    "ip saddr . ip daddr . meta l4proto . th dport @fixed4 accept\n"
    "ip6 daddr fd00:ec2::254 ip6 saddr . ip6 daddr . meta l4proto . th dport @fixed6 "
    "accept\n"
    "ip6 daddr fd00:ec2::254 goto refuse\n"
    "ip6 saddr . ip6 daddr . meta l4proto . th dport @leases6 accept\n"
    "ip6 saddr . ip6 daddr . meta l4proto . th dport @fixed6 accept\n"
    "meta l4proto ipencap goto refuse\n"
    "meta l4proto ipv6 goto refuse\n"
    "meta l4proto gre goto refuse\n"
    "udp dport 4789 goto refuse\n"
    "udp dport 8472 goto refuse\n"
    "udp dport 6081 goto refuse\n"
    "ip daddr @internal4 accept\n"
    "ip6 daddr @internal6 accept\n"
    "goto refuse\n"
    "}\n"
    "chain interface {\n"
    "fib saddr . iif oif missing counter drop\n"
    "ip saddr != @pods4 counter drop\n"
    "meta nfproto ipv6 jump neighbour\n"
    "ip6 saddr != @pods6 counter drop\n"
    "goto pod\n"
    "}\n"
    "chain intercept {\n"
    "ip daddr . tcp dport @listen4 return\n"
    "ip6 daddr . tcp dport @listen6 return\n"
    "ip daddr . udp dport @listen4 return\n"
    "ip6 daddr . udp dport @listen6 return\n"
    "meta nfproto ipv4 tcp dport 53 dnat ip to 169.254.20.10:53\n"
    "meta nfproto ipv4 udp dport 53 dnat ip to 169.254.20.10:53\n"
    "meta nfproto ipv6 tcp dport 53 dnat ip6 to [fd00:53::10]:53\n"
    "meta nfproto ipv6 udp dport 53 dnat ip6 to [fd00:53::10]:53\n"
    "}\n"
    "chain guard {\n"
    "ip saddr @open4 accept\n"
    "ip6 saddr @open6 accept\n"
    "ip daddr . tcp dport @listen4 goto refuse\n"
    "ip6 daddr . tcp dport @listen6 goto refuse\n"
    "ip daddr . udp dport @listen4 goto refuse\n"
    "ip6 daddr . udp dport @listen6 goto refuse\n"
    "tcp dport 53 ct state untracked goto refuse\n"
    "meta l4proto tcp ct direction original ct original proto-dst 53 goto refuse\n"
    "udp dport 53 ct state untracked goto refuse\n"
    "meta l4proto udp ct direction original ct original proto-dst 53 goto refuse\n"
    "}\n"
    "chain translate {\n"
    "meta l4proto tcp meta nfproto ipv4 dnat ip to :ip saddr . ip daddr . meta l4proto . "
    "tcp dport map @leaseports4\n"
    "meta l4proto udp meta nfproto ipv4 dnat ip to :ip saddr . ip daddr . meta l4proto . "
    "udp dport map @leaseports4\n"
    "ip saddr . ip daddr . meta l4proto . th dport vmap @services4\n"
    "ip daddr . meta l4proto . th dport vmap @shared4\n"
    "meta l4proto tcp meta nfproto ipv6 dnat ip6 to :ip6 saddr . ip6 daddr . meta "
    "l4proto . "
    "tcp dport map @leaseports6\n"
    "meta l4proto udp meta nfproto ipv6 dnat ip6 to :ip6 saddr . ip6 daddr . meta "
    "l4proto . "
    "udp dport map @leaseports6\n"
    "ip6 saddr . ip6 daddr . meta l4proto . th dport vmap @services6\n"
    "ip6 daddr . meta l4proto . th dport vmap @shared6\n"
    "}\n"
    "chain nowhere {\n"
    "ip saddr @open4 accept\n"
    "ip6 saddr @open6 accept\n"
    "goto refuse\n"
    "}\n"
    "chain query {\n"
    "type filter hook prerouting priority raw; policy accept;\n"
    "}\n"
    "chain reply {\n"
    "type filter hook output priority raw; policy accept;\n"
    "}\n"
    "chain egress {\n"
    "type filter hook prerouting priority mangle; policy accept;\n"
    "iifname \"veth*\" goto interface\n"
    "ip saddr @pods4 goto pod\n"
    "ip6 saddr @pods6 jump neighbour\n"
    "ip6 saddr @pods6 goto pod\n"
    "}\n"
    "chain dns {\n"
    "type nat hook prerouting priority dstnat - 5; policy accept;\n"
    "iifname \"veth*\" goto intercept\n"
    "ip saddr @pods4 ip daddr @internal4 return\n"
    "ip saddr @pods4 goto intercept\n"
    "ip6 saddr @pods6 ip6 daddr @internal6 return\n"
    "ip6 saddr @pods6 goto intercept\n"
    "}\n"
    "chain lead {\n"
    "type nat hook prerouting priority dstnat - 4; policy accept;\n"
    "iifname \"veth*\" goto translate\n"
    "ip saddr @pods4 goto translate\n"
    "ip6 saddr @pods6 goto translate\n"
    "}\n"
    "chain forward {\n"
    "type filter hook forward priority mangle; policy accept;\n"
    "iifname \"veth*\" goto guard\n"
    "ip saddr @pods4 ip daddr @internal4 return\n"
    "ip saddr @pods4 goto guard\n"
    "ip6 saddr @pods6 ip6 daddr @internal6 return\n"
    "ip6 saddr @pods6 goto guard\n"
    "}\n";

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

static const char interfaces[][IFNAMSIZ] = {"veth*"};

static struct ruleset
make_ruleset(const struct endpoint *listen, size_t count)
{
	return (struct ruleset){
	    .table = sample_table(),
	    .interfaces = interfaces,
	    .interface_count = ARRAY_LEN(interfaces),
	    .listen = listen,
	    .listen_count = count,
	};
}

static int
put(const struct ruleset *rs, bool log)
{
	const struct layout_way way = {.log = log};
	struct layout_found found;
	int r;

	assert_int_equal(layout_find(&nl, &found), 0);
	netlink_begin(&nl);
	r = ruleset_put(&nl, rs, &found, &way);
	return r < 0 ? r : netlink_commit(&nl, NULL);
}

/* The listing from the first chain on, without blanks at the lines' ends, and without
 * empty lines. The caller frees it. */
static char *
list_chains(void)
{
	char *text = scene_output("nft -s list table inet egressd"), *out = text;
	const char *in = strstr(text, "\tchain refuse");

	assert_non_null(in);
	while (*in != '\0') {
		in += strspn(in, "\t\n");
		while (*in != '\0' && *in != '\n')
			*out++ = *in++;
		*out++ = '\n';
	}
	*out = '\0';
	return text;
}

static void
the_chains_are_these(void **state)
{
	const struct endpoint listen[] = {
	    sample_endpoint("169.254.20.10:53"), sample_endpoint("[fd00:53::10]:53")};
	const struct ruleset rs = make_ruleset(listen, ARRAY_LEN(listen));
	char *chains;

	(void)state;
	assert_int_equal(put(&rs, true), 0);
	chains = list_chains();
	assert_memory_equal(chains, expected, strlen(expected));
	free(chains);
}

static void
without_log_all_else_is_the_same(void **state)
{
	const struct endpoint listen[] = {sample_endpoint("169.254.20.10:53")};
	const struct ruleset rs = make_ruleset(listen, ARRAY_LEN(listen));

	(void)state;
	assert_int_equal(put(&rs, false), 0);
	assert_false(scene_shows("log prefix"));
	assert_true(scene_shows("reject with tcp reset"));
}

static void
the_first_listener_of_a_family_gets_its_queries(void **state)
{
	const struct endpoint listen[] = {
	    sample_endpoint("[::1]:53"),
	    sample_endpoint("127.0.0.1:5353"),
	    sample_endpoint("[fd00:53::10]:5300"),
	    sample_endpoint("169.254.20.11:5301"),
	    sample_endpoint("169.254.20.10:53"),
	};
	const struct ruleset rs = make_ruleset(listen, ARRAY_LEN(listen));

	(void)state;
	assert_int_equal(put(&rs, true), 0);
	assert_true(scene_shows("udp dport 53 dnat ip to 169.254.20.11:5301"));
	assert_true(scene_shows("tcp dport 53 dnat ip6 to [fd00:53::10]:5300"));
	assert_false(scene_shows("dnat ip to 169.254.20.10"));
	assert_false(scene_shows("dnat ip to 127.0.0.1"));
}

/* On an address that pods ask, but a port that they do not. */
static void
a_listener_apart_gets_the_queries_of_its_family(void **state)
{
	const struct endpoint listen[] = {
	    sample_endpoint("127.0.0.1:5353"),
	    sample_endpoint("169.254.20.10:53"),
	    sample_endpoint("169.254.20.10:54"),
	    sample_endpoint("169.254.20.10:55"),
	};
	const struct ruleset rs = make_ruleset(listen, ARRAY_LEN(listen));

	(void)state;
	assert_int_equal(put(&rs, true), 0);
	assert_true(scene_shows("udp dport 53 dnat ip to 169.254.20.10:54"));
}

/* What is turned needs conntrack, the way back being another one. */
static void
what_pods_ask_us_by_ourselves_is_untracked_where_nothing_else_comes(void **state)
{
	const struct endpoint listen[] = {
	    sample_endpoint("169.254.20.10:53"),
	    sample_endpoint("[fd00:53::10]:53"),
	    sample_endpoint("169.254.20.10:54"),
	    sample_endpoint("169.254.20.11:53"),
	};
	struct interceptor_alone alone = {0};
	bool look = false;
	struct ruleset rs = make_ruleset(listen, ARRAY_LEN(listen));

	(void)state;
	assert_int_equal(put(&rs, true), 0);
	assert_false(scene_shows("notrack"));
	assert_false(interceptor_settle(&rs, &alone, &look));
	look = true;
	assert_true(interceptor_settle(&rs, &alone, &look));
	assert_true(look);
	assert_false(interceptor_settle(&rs, &alone, &look)); /* nothing new */
	assert_false(look);
	rs.alone = &alone;
	assert_int_equal(put(&rs, true), 0);
	assert_true(scene_shows("\t\tudp dport 53 ip daddr 169.254.20.10 notrack\n"));
	assert_true(scene_shows("\t\tudp sport 53 ip saddr 169.254.20.10 notrack\n"));
	assert_true(scene_shows("\t\tudp sport 53 ip saddr 169.254.20.11 notrack\n"));
	assert_false(scene_shows("fd00:53::10 notrack"));
	rs.table.intercept = 0;
	assert_true(interceptor_settle(&rs, &alone, &look));
	assert_int_equal(put(&rs, true), 0);
	assert_false(scene_shows("notrack"));
}

static void
a_family_without_listener_has_no_way_out_by_port_53(void **state)
{
	const struct endpoint listen[] = {sample_endpoint("169.254.20.10:53")};
	const struct ruleset rs = make_ruleset(listen, ARRAY_LEN(listen));

	(void)state;
	assert_int_equal(put(&rs, true), 0);
	assert_true(scene_shows("meta nfproto ipv4 udp dport 53 ct state new accept"));
	assert_false(scene_shows("meta nfproto ipv6 udp dport 53"));
	assert_true(scene_shows("\t\tudp dport 53 goto refuse"));
}

static void
without_interception_port_53_is_a_port_like_others(void **state)
{
	const struct endpoint listen[] = {sample_endpoint("169.254.20.10:53")};
	struct ruleset rs = make_ruleset(listen, ARRAY_LEN(listen));

	(void)state;
	rs.table.intercept = 0;
	rs.table.query_rate = 0;
	assert_int_equal(put(&rs, true), 0);
	assert_false(scene_shows("dport 53 ct state"));
	assert_false(scene_shows("dport 53 dnat"));
	assert_true(scene_shows("udp dport @listen4 goto refuse"));
	assert_true(scene_shows("udp dport @listen4 accept"));
}

static void
the_metadata_addresses_are_single(void **state)
{
	const struct prefix four = ruleset_metadata(AF_INET),
			    six = ruleset_metadata(AF_INET6);
	const struct addr expected4 = sample_addr("169.254.169.254"),
			  expected6 = sample_addr("fd00:ec2::254");

	(void)state;
	assert_true(addr_equal(&four.addr, &expected4));
	assert_true(addr_equal(&six.addr, &expected6));
	assert_int_equal(four.len, 32);
	assert_int_equal(six.len, 128);
}

#define RULESET_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RULESET_TEST(the_chains_are_these),
	    RULESET_TEST(without_log_all_else_is_the_same),
	    RULESET_TEST(the_first_listener_of_a_family_gets_its_queries),
	    RULESET_TEST(a_listener_apart_gets_the_queries_of_its_family),
	    RULESET_TEST(
		what_pods_ask_us_by_ourselves_is_untracked_where_nothing_else_comes),
	    RULESET_TEST(a_family_without_listener_has_no_way_out_by_port_53),
	    RULESET_TEST(without_interception_port_53_is_a_port_like_others),
	    cmocka_unit_test(the_metadata_addresses_are_single),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
