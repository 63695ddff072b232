/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <netinet/in.h> /* before linux/netfilter.h, which makes way for it */

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <netinet/ip.h>

#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/netlink.h"
#include "daemon/enforcer/rule.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"

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

/* A batch with the frame, and a rule at the end of this chain. */
static struct rule
begin(const char *chain)
{
	const struct layout_found none = {0};
	const struct layout_way way = {0};
	struct rule r;

	netlink_begin(&nl);
	layout_put(&nl, 10, &none, &way);
	rule_begin(&r, &nl, chain);
	return r;
}

static void
expect(struct rule *r, const char *text)
{
	rule_end(r);
	assert_int_equal(netlink_commit(&nl, NULL), 0);
	if (!scene_shows(text))
		fail_msg("nft does not show: %s", text);
	assert_int_equal(scene_run("nft delete table inet egressd"), 0);
}

static void
packets_are_named_as_nft_names_them(void **state)
{
	const struct prefix four = sample_prefix("10.96.0.0/12"),
			    six = sample_prefix("2001:db8::1/128");
	struct rule r;

	(void)state;
	r = begin("pod");
	rule_from_interface(&r, "cni0");
	expect(&r, "iifname \"cni0\"");
	r = begin("pod");
	rule_from_interface(&r, "a23456789012*");
	expect(&r, "iifname \"a23456789012*\"");
	r = begin("pod");
	rule_destination(&r, &four);
	expect(&r, "ip daddr 10.96.0.0/12");
	r = begin("pod");
	rule_destination(&r, &six);
	expect(&r, "ip6 daddr 2001:db8::1");
	r = begin("pod");
	rule_source_not_in(&r, AF_INET6, "pods6");
	expect(&r, "ip6 saddr != @pods6");
	r = begin("pod");
	rule_source_elsewhere(&r);
	expect(&r, "fib saddr . iif oif missing\n");
	r = begin("pod");
	rule_flow_in(&r, AF_INET6, "leases6");
	expect(&r, "ip6 saddr . ip6 daddr . meta l4proto . th dport @leases6");
	r = begin("pod");
	rule_header_exists(&r, AF_INET6, IPPROTO_ROUTING);
	expect(&r, "exthdr rt exists");
	r = begin("pod");
	rule_header_exists(&r, AF_INET, IPOPT_SSRR);
	expect(&r, "ip option ssrr exists");
	r = begin("pod");
	rule_state(&r, NF_CT_STATE_UNTRACKED_BIT | NF_CT_STATE_INVALID_BIT);
	expect(&r, "ct state invalid,untracked");
	r = begin("pod");
	rule_protocol(&r, IPPROTO_UDP);
	rule_direction(&r, IP_CT_DIR_ORIGINAL);
	rule_original_port(&r, 53);
	expect(&r, "ct direction original ct original proto-dst 53");
	r = begin("pod");
	rule_direction(&r, IP_CT_DIR_REPLY);
	expect(&r, "ct direction reply");
}

static void
verdicts_are_named_as_nft_names_them(void **state)
{
	const struct endpoint to = sample_endpoint("[2001:db8::1]:5353");
	struct rule r;

	(void)state;
	r = begin("pod");
	rule_counter(&r);
	rule_log(&r, "text", 7, 99);
	rule_return(&r);
	expect(&r,
	    "counter packets 0 bytes 0 log prefix \"text\" group 7 snaplen 99 return");
	r = begin("pod");
	rule_jump(&r, "refuse");
	expect(&r, "jump refuse");
	r = begin("dns");
	rule_family(&r, AF_INET6);
	rule_protocol(&r, IPPROTO_TCP);
	rule_redirect_to(&r, &to);
	expect(&r, "dnat ip6 to [2001:db8::1]:5353");
	r = begin("dns");
	rule_protocol(&r, IPPROTO_TCP);
	rule_redirect_port(&r, 5353);
	expect(&r, "redirect to :5353");
}

static void
a_rule_for_no_chain_fails_the_commit(void **state)
{
	struct rule r = begin("missing");

	(void)state;
	rule_drop(&r);
	rule_end(&r);
	assert_int_equal(netlink_commit(&nl, NULL), -ENOENT);
}

static void
a_failed_batch_takes_no_rule(void **state)
{
	struct rule r;

	(void)state;
	netlink_begin(&nl);
	netlink_fail(&nl, -ENOMEM);
	rule_begin(&r, &nl, "pod");
	rule_accept(&r);
	rule_end(&r);
	assert_int_equal(netlink_commit(&nl, NULL), -ENOMEM);
}

#define RULE_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RULE_TEST(packets_are_named_as_nft_names_them),
	    RULE_TEST(verdicts_are_named_as_nft_names_them),
	    RULE_TEST(a_rule_for_no_chain_fails_the_commit),
	    RULE_TEST(a_failed_batch_takes_no_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
