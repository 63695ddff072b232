/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/ruleset.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>

#include "daemon/enforcer/contents.h"
#include "daemon/enforcer/element.h"
#include "daemon/enforcer/flood.h"
#include "daemon/enforcer/interceptor.h"
#include "daemon/enforcer/rule.h"
#include "daemon/enforcer/translation.h"
#include "daemon/enforcer/tunnel.h"

#define DNS_PORT 53
/* Enough for IPv6 with some extension headers and the ports behind them. */
#define LOG_SNAPLEN 128
#define LOG_PREFIX "egressd"
/* RFC 4861 sections 6.1 and 7.1: less has come through a router. */
#define NEIGHBOUR_HOP_LIMIT 255
#define ICMPV6_MLD2_REPORT 143 /* RFC 3810 section 5.2 */

static const uint8_t families[] = {AF_INET, AF_INET6};
static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

/* What every function here needs. */
struct put {
	struct netlink *nl;
	const struct ruleset *rs;
	const struct layout_way *way;
};

struct prefix
ruleset_metadata(uint8_t family)
{
	static const uint8_t four[] = {169, 254, 169, 254};
	static const uint8_t six[] = {/* fd00:ec2::254 */
	    0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};

	if (family == AF_INET)
		return (struct prefix){.addr = addr_make(AF_INET, four), .len = 32};
	return (struct prefix){.addr = addr_make(AF_INET6, six), .len = 128};
}

static struct rule
begin(const struct put *p, const char *chain)
{
	struct rule r;

	rule_begin(&r, p->nl, chain);
	return r;
}

/* A rule that is one set of words and a way to go. */
static void
put_goto(const struct put *p, const char *chain, const char *to)
{
	struct rule r = begin(p, chain);

	rule_goto(&r, to);
	rule_end(&r);
}

static void
put_interfaces(const struct put *p, const char *chain, const char *to)
{
	for (size_t i = 0; i < p->rs->interface_count; i++) {
		struct rule r = begin(p, chain);

		rule_from_interface(&r, p->rs->interfaces[i]);
		rule_goto(&r, to);
		rule_end(&r);
	}
}

/*
 * In a base chain: DNS from pods goes on to another one. Where the pods' interfaces are
 * known, a pod's source on another interface may be another node's pod, on its way to a
 * DNS server in here: that is none of ours.
 */
static void
put_dns_from_pods(const struct put *p, const char *chain, const char *to)
{
	struct rule r;

	put_interfaces(p, chain, to);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const char *pods = layout_set(families[i], "pods4", "pods6");

		if (p->rs->interface_count > 0) {
			r = begin(p, chain);
			rule_source_in(&r, families[i], pods);
			rule_destination_in(&r, families[i],
			    layout_set(families[i], "internal4", "internal6"));
			rule_return(&r);
			rule_end(&r);
		}
		r = begin(p, chain);
		rule_source_in(&r, families[i], pods);
		rule_goto(&r, to);
		rule_end(&r);
	}
}

static void
put_egress(const struct put *p)
{
	struct rule r;

	if (!p->rs->table.enforce)
		return;
	put_interfaces(p, "egress", "interface");
	r = begin(p, "egress");
	rule_source_in(&r, AF_INET, "pods4");
	rule_goto(&r, "pod");
	rule_end(&r);
	/* a pod's own address is also the source of its neighbour solicitations */
	r = begin(p, "egress");
	rule_source_in(&r, AF_INET6, "pods6");
	rule_jump(&r, "neighbour");
	rule_end(&r);
	r = begin(p, "egress");
	rule_source_in(&r, AF_INET6, "pods6");
	rule_goto(&r, "pod");
	rule_end(&r);
}

/* A node that follows source routes (accept_source_route, seg6_enabled) forwards what was
 * sent to itself, to where the route says and past the chains of this hook. */
static void
put_not_routed(
    const struct put *p, const char *chain, uint8_t family, uint8_t source_route)
{
	struct rule r = begin(p, chain);

	rule_header_exists(&r, family, source_route);
	rule_counter(&r);
	rule_drop(&r);
	rule_end(&r);
}

/* IPv6 does not work without: neighbour discovery and multicast listener reports, as far
 * as this link or this node. No router advertisements: a pod is nobody's router. */
static void
put_neighbour(const struct put *p)
{
	static const uint8_t discovery[] = {
	    ND_ROUTER_SOLICIT, ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT};
	static const uint8_t reports[] = {
	    MLD_LISTENER_REPORT, MLD_LISTENER_REDUCTION, ICMPV6_MLD2_REPORT};
	const struct prefix unicast = {
	    .addr = {.family = AF_INET6, .bytes = {0xfe, 0x80}}, .len = 10};
	const struct prefix multicast = {
	    .addr = {.family = AF_INET6, .bytes = {0xff, 0x02}}, .len = 16};
	struct rule r;

	put_not_routed(p, "neighbour", AF_INET6, IPPROTO_ROUTING);
	for (size_t i = 0; i < ARRAY_LEN(discovery); i++) {
		r = begin(p, "neighbour");
		rule_icmpv6_type(&r, discovery[i]);
		rule_hop_limit(&r, NEIGHBOUR_HOP_LIMIT);
		rule_jump(&r, "link");
		rule_end(&r);
	}
	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		r = begin(p, "neighbour");
		rule_icmpv6_type(&r, reports[i]);
		rule_destination(&r, &multicast);
		rule_accept(&r);
		rule_end(&r);
	}
	r = begin(p, "link");
	rule_destination(&r, &unicast);
	rule_accept(&r);
	rule_end(&r);
	r = begin(p, "link");
	rule_destination(&r, &multicast);
	rule_accept(&r);
	rule_end(&r);
	r = begin(p, "link");
	rule_destination_local(&r);
	rule_accept(&r);
	rule_end(&r);
}

static void
put_only_pods(const struct put *p, uint8_t family)
{
	struct rule r = begin(p, "interface");

	rule_source_not_in(&r, family, layout_set(family, "pods4", "pods6"));
	rule_counter(&r);
	rule_drop(&r);
	rule_end(&r);
}

/* What comes over a pod's interface has a source that lives there, and a pod's, but for
 * neighbour discovery from the link. That one too must live there: the node's complaint
 * that a neighbour is missing goes to the source, with the pod's bytes in it. */
static void
put_interface(const struct put *p)
{
	struct rule r = begin(p, "interface");

	/* the unspecified address, of who has none yet, lives everywhere */
	rule_source_elsewhere(&r);
	rule_counter(&r);
	rule_drop(&r);
	rule_end(&r);
	put_only_pods(p, AF_INET);
	r = begin(p, "interface");
	rule_family(&r, AF_INET6);
	rule_jump(&r, "neighbour");
	rule_end(&r);
	put_only_pods(p, AF_INET6);
	put_goto(p, "interface", "pod");
}

/* In chain pod, accept what goes to one of our listeners; in intercept, leave it. */
static void
put_listeners(const struct put *p, const char *chain, void (*verdict)(struct rule *r))
{
	struct rule r;

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		for (size_t j = 0; j < ARRAY_LEN(families); j++) {
			r = begin(p, chain);
			rule_protocol(&r, protocols[i]);
			rule_endpoint_in(&r, families[j],
			    layout_set(families[j], "listen4", "listen6"));
			verdict(&r);
			rule_end(&r);
		}
		for (size_t j = 0; j < p->rs->listen_count; j++) {
			const struct endpoint *e = &p->rs->listen[j];

			if (!element_is_wildcard(&e->addr))
				continue;
			r = begin(p, chain);
			rule_family(&r, e->addr.family);
			rule_destination_local(&r);
			rule_protocol(&r, protocols[i]);
			rule_port(&r, e->port);
			verdict(&r);
			rule_end(&r);
		}
	}
}

/* Chain dns will turn it to us, but only what conntrack follows and sees for the first
 * time; nothing else of port 53 may pass. */
static void
put_queries(const struct put *p)
{
	struct rule r;

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		for (size_t j = 0; j < ARRAY_LEN(families); j++) {
			if (interceptor_find(p->rs, families[j]) == NULL)
				continue;
			r = begin(p, "pod");
			rule_family(&r, families[j]);
			rule_protocol(&r, protocols[i]);
			rule_port(&r, DNS_PORT);
			rule_state(&r, NF_CT_STATE_BIT(IP_CT_NEW));
			rule_accept(&r);
			rule_end(&r);
		}
		r = begin(p, "pod");
		rule_protocol(&r, protocols[i]);
		rule_port(&r, DNS_PORT);
		rule_goto(&r, "refuse");
		rule_end(&r);
	}
}

static void
put_flow(const struct put *p, uint8_t family, const char *set)
{
	struct rule r = begin(p, "pod");

	rule_flow_in(&r, family, set);
	rule_accept(&r);
	rule_end(&r);
}

/* What the sets list, and never the metadata service but by its address. */
static void
put_destinations(const struct put *p, uint8_t family)
{
	const struct prefix metadata = ruleset_metadata(family);
	const char *fixed = layout_set(family, "fixed4", "fixed6");
	struct rule r = begin(p, "pod");

	rule_destination(&r, &metadata);
	rule_flow_in(&r, family, fixed);
	rule_accept(&r);
	rule_end(&r);
	r = begin(p, "pod");
	rule_destination(&r, &metadata);
	rule_goto(&r, "refuse");
	rule_end(&r);
	put_flow(p, family, layout_set(family, "leases4", "leases6"));
	put_flow(p, family, fixed);
}

static void
put_internal(const struct put *p, uint8_t family)
{
	struct rule r = begin(p, "pod");

	rule_destination_in(&r, family, layout_set(family, "internal4", "internal6"));
	rule_accept(&r);
	rule_end(&r);
}

/* Replies in flows that were cut (daemon/enforcer/cut.h): the other end has begun them
 * anew. */
static void
put_cut(const struct put *p, uint8_t family)
{
	struct rule r = begin(p, "pod");

	rule_direction(&r, IP_CT_DIR_REPLY);
	rule_flow_in(&r, family, layout_set(family, "cut4", "cut6"));
	rule_goto(&r, "refuse");
	rule_end(&r);
}

/* Pods under ALLOW_ANY on a node where others are held to the registry. */
static void
put_open(const struct put *p, const char *chain)
{
	struct rule r;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		r = begin(p, chain);
		rule_source_in(
		    &r, families[i], layout_set(families[i], "open4", "open6"));
		rule_accept(&r);
		rule_end(&r);
	}
}

static void
put_pod(const struct put *p)
{
	static const uint8_t errors[] = {IPPROTO_ICMP, IPPROTO_ICMPV6};
	struct rule r;

	put_not_routed(p, "pod", AF_INET, IPOPT_LSRR);
	put_not_routed(p, "pod", AF_INET, IPOPT_SSRR);
	flood_put(p->nl, p->rs, "pod");
	/* Before conntrack's opinion: to us even what it calls invalid may come. */
	put_listeners(p, "pod", rule_accept);
	r = begin(p, "pod");
	rule_state(&r, NF_CT_STATE_INVALID_BIT);
	rule_drop(&r);
	rule_end(&r);
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		put_cut(p, families[i]);
	r = begin(p, "pod");
	rule_state(&r, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
	rule_accept(&r);
	rule_end(&r);
	/* Errors about flows that live, the path's MTU among them. Not what a conntrack
	 * helper calls related: of FTP the two ends choose what that is. */
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		r = begin(p, "pod");
		rule_protocol(&r, errors[i]);
		rule_state(&r, NF_CT_STATE_BIT(IP_CT_RELATED));
		rule_accept(&r);
		rule_end(&r);
	}
	put_open(p, "pod");
	if (p->rs->table.intercept)
		put_queries(p);
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		put_destinations(p, families[i]);
	tunnel_put(p->nl, "pod", "refuse");
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		put_internal(p, families[i]);
	put_goto(p, "pod", "refuse");
}

static void
put_refuse(const struct put *p)
{
	struct rule r = begin(p, "refuse");

	rule_counter(&r);
	rule_end(&r);
	if (p->way->log) {
		r = begin(p, "refuse");
		rule_log(&r, LOG_PREFIX, p->rs->table.log_group, LOG_SNAPLEN);
		rule_end(&r);
	}
	r = begin(p, "refuse");
	if (p->rs->table.drop) {
		rule_drop(&r);
	} else {
		rule_reject_tcp(&r);
		rule_end(&r);
		r = begin(p, "refuse");
		rule_reject_admin(&r);
	}
	rule_end(&r);
}

static void
put_dns(const struct put *p)
{
	const struct endpoint *to;
	struct rule r;

	if (!p->rs->table.intercept)
		return;
	put_dns_from_pods(p, "dns", "intercept");
	put_listeners(p, "intercept", rule_return);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		to = interceptor_find(p->rs, families[i]);
		for (size_t j = 0; to != NULL && j < ARRAY_LEN(protocols); j++) {
			r = begin(p, "intercept");
			rule_family(&r, families[i]);
			rule_protocol(&r, protocols[j]);
			rule_port(&r, DNS_PORT);
			if (element_is_wildcard(&to->addr))
				rule_redirect_port(&r, to->port);
			else
				rule_redirect_to(&r, to);
			rule_end(&r);
		}
	}
}

static void
go_refuse(struct rule *r)
{
	rule_goto(r, "refuse");
}

/*
 * What a pod sent to port 53 and is about to be forwarded was not turned to us: it is
 * untracked, or of a flow that is older than the table. The port is the one that the pod
 * named: a service may well lead to a port 53.
 */
static void
put_forward(const struct put *p)
{
	struct rule r;

	if (!p->rs->table.enforce)
		return;
	put_dns_from_pods(p, "forward", "guard");
	put_open(p, "guard");
	/* to us, and yet to be forwarded: the node has lost the listener's address */
	put_listeners(p, "guard", go_refuse);
	if (!p->rs->table.intercept)
		return;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		r = begin(p, "guard");
		rule_protocol(&r, protocols[i]);
		rule_port(&r, DNS_PORT);
		rule_state(&r, NF_CT_STATE_UNTRACKED_BIT);
		rule_goto(&r, "refuse");
		rule_end(&r);
		r = begin(p, "guard");
		rule_protocol(&r, protocols[i]);
		rule_direction(&r, IP_CT_DIR_ORIGINAL);
		rule_original_port(&r, DNS_PORT);
		rule_goto(&r, "refuse");
		rule_end(&r);
	}
}

int
ruleset_put(struct netlink *nl, const struct ruleset *rs,
    const struct layout_found *found, const struct layout_way *way)
{
	const struct put p = {.nl = nl, .rs = rs, .way = way};
	int r;

	layout_put(nl, rs->table.set_size, found, way);
	put_refuse(&p);
	put_neighbour(&p);
	put_pod(&p);
	put_interface(&p);
	put_egress(&p);
	put_dns(&p);
	interceptor_put(nl, rs);
	put_forward(&p);
	r = translation_put(nl, rs, way->replace ? 0 : found->services);
	return r == 0 ? contents_put(nl, rs) : r;
}
