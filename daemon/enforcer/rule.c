/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/rule.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "daemon/enforcer/expr.h"

/* Where things lie in struct ip6_hdr and in ICMPv6. */
#define IP6_HOP_LIMIT 7
#define ICMPV6_TYPE 0

void
rule_begin(struct rule *r, struct netlink *nl, const char *chain)
{
	*r = (struct rule){.nl = nl, .nftnl = nftnl_rule_alloc()};
	if (r->nftnl == NULL) {
		netlink_fail(nl, -ENOMEM);
		return;
	}
	if (nftnl_rule_set_str(r->nftnl, NFTNL_RULE_TABLE, NETLINK_TABLE) != 0 ||
	    nftnl_rule_set_str(r->nftnl, NFTNL_RULE_CHAIN, chain) != 0)
		netlink_fail(nl, -ENOMEM);
}

void
rule_end(struct rule *r)
{
	struct nlmsghdr *nlh;

	if (r->nftnl == NULL)
		return;
	nlh = netlink_add(r->nl, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	if (nlh != NULL) {
		nftnl_rule_nlmsg_build_payload(nlh, r->nftnl);
		netlink_added(r->nl, nlh);
	}
	nftnl_rule_free(r->nftnl);
	r->nftnl = NULL;
}

void
rule_family(struct rule *r, uint8_t family)
{
	expr_meta(r, NFT_META_NFPROTO, EXPR_REG);
	expr_is_u8(r, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

void
rule_from_interface(struct rule *r, const char *pattern)
{
	char name[IFNAMSIZ] = {0};
	const size_t len = strnlen(pattern, sizeof(name) - 1);
	const bool prefix = len != 0 && pattern[len - 1] == '*';

	memcpy(name, pattern, len);
	expr_meta(r, NFT_META_IIFNAME, EXPR_REG);
	expr_compare(r, NFT_CMP_EQ, name, (uint32_t)(prefix ? len - 1 : sizeof(name)));
}

void
rule_source_in(struct rule *r, uint8_t family, const char *set)
{
	rule_family(r, family);
	(void)expr_source(r, family); /* the next register is not needed */
	expr_lookup(r, set, false);
}

void
rule_source_not_in(struct rule *r, uint8_t family, const char *set)
{
	rule_family(r, family);
	(void)expr_source(r, family); /* the next register is not needed */
	expr_lookup(r, set, true);
}

void
rule_destination_in(struct rule *r, uint8_t family, const char *set)
{
	rule_family(r, family);
	(void)expr_destination(r, family, EXPR_REG); /* the next register is not needed */
	expr_lookup(r, set, false);
}

void
rule_destination(struct rule *r, const struct prefix *p)
{
	const uint32_t size = (uint32_t)addr_len(&p->addr);
	uint8_t bits[16] = {0};

	rule_family(r, p->addr.family);
	(void)expr_destination(r, p->addr.family, EXPR_REG); /* as above */
	for (uint32_t i = 0; i < p->len; i++)
		bits[i / 8] |= (uint8_t)(0x80 >> i % 8);
	if (p->len < size * 8)
		expr_mask(r, bits, size);
	expr_compare(r, NFT_CMP_EQ, p->addr.bytes, size);
}

void
rule_to(struct rule *r, uint8_t proto, const struct endpoint *e)
{
	rule_protocol(r, proto);
	rule_port(r, e->port);
	rule_family(r, e->addr.family);
	(void)expr_destination(r, e->addr.family, EXPR_REG); /* as above */
	expr_compare(r, NFT_CMP_EQ, e->addr.bytes, (uint32_t)addr_len(&e->addr));
}

void
rule_from(struct rule *r, uint8_t proto, const struct endpoint *e)
{
	rule_protocol(r, proto);
	expr_source_port(r, EXPR_REG);
	expr_is_port(r, e->port);
	rule_family(r, e->addr.family);
	(void)expr_source(r, e->addr.family); /* as above */
	expr_compare(r, NFT_CMP_EQ, e->addr.bytes, (uint32_t)addr_len(&e->addr));
}

void
rule_destination_local(struct rule *r)
{
	const uint32_t type = RTN_LOCAL;

	EXPR(r, "fib", {NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE},
	    {NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR}, {NFTNL_EXPR_FIB_DREG, EXPR_REG});
	expr_compare(r, NFT_CMP_EQ, &type, sizeof(type));
}

void
rule_source_elsewhere(struct rule *r)
{
	const uint32_t missing = 0;

	EXPR(r, "fib", {NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_OIF},
	    {NFTNL_EXPR_FIB_FLAGS,
		NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT},
	    {NFTNL_EXPR_FIB_DREG, EXPR_REG});
	expr_compare(r, NFT_CMP_EQ, &missing, sizeof(missing));
}

void
rule_protocol(struct rule *r, uint8_t proto)
{
	expr_meta(r, NFT_META_L4PROTO, EXPR_REG);
	expr_is_u8(r, proto);
}

void
rule_port(struct rule *r, uint16_t port)
{
	expr_port(r, EXPR_REG);
	expr_is_port(r, port);
}

/* Source, destination, protocol and port, from EXPR_REG on. */
static void
load_flow(struct rule *r, uint8_t family)
{
	uint32_t reg;

	rule_family(r, family);
	reg = expr_source(r, family);
	reg = expr_destination(r, family, reg);
	if (family == AF_INET6) /* two full registers are taken */
		reg = NFT_REG32_08;
	expr_meta(r, NFT_META_L4PROTO, reg);
	expr_port(r, reg + 1);
}

void
rule_flow_in(struct rule *r, uint8_t family, const char *set)
{
	load_flow(r, family);
	expr_lookup(r, set, false);
}

void
rule_flow_goto(struct rule *r, uint8_t family, const char *map)
{
	load_flow(r, family);
	expr_map(r, map, NFT_REG_VERDICT);
}

void
rule_service_goto(struct rule *r, uint8_t family, const char *map)
{
	uint32_t reg;

	rule_family(r, family);
	reg = expr_destination(r, family, EXPR_REG);
	if (family == AF_INET6) /* one full register is taken */
		reg = NFT_REG32_04;
	expr_meta(r, NFT_META_L4PROTO, reg);
	expr_port(r, reg + 1);
	expr_map(r, map, NFT_REG_VERDICT);
}

void
rule_endpoint_in(struct rule *r, uint8_t family, const char *set)
{
	rule_family(r, family);
	expr_port(r, expr_destination(r, family, EXPR_REG));
	expr_lookup(r, set, false);
}

void
rule_icmpv6_type(struct rule *r, uint8_t type)
{
	rule_family(r, AF_INET6);
	rule_protocol(r, IPPROTO_ICMPV6);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, ICMPV6_TYPE, 1, EXPR_REG);
	expr_is_u8(r, type);
}

void
rule_hop_limit(struct rule *r, uint8_t limit)
{
	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP6_HOP_LIMIT, 1, EXPR_REG);
	expr_is_u8(r, limit);
}

void
rule_header_exists(struct rule *r, uint8_t family, uint8_t number)
{
	struct nftnl_expr *e;

	rule_family(r, family);
	e = expr_add(r, "exthdr");
	if (e == NULL)
		return;
	nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, number);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OFFSET, 0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_LEN, 1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OP,
	    family == AF_INET ? NFT_EXTHDR_OP_IPV4 : NFT_EXTHDR_OP_IPV6);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_DREG, EXPR_REG);
	expr_is_u8(r, true);
}

void
rule_state(struct rule *r, uint32_t states)
{
	const uint32_t none = 0;

	EXPR(r, "ct", {NFTNL_EXPR_CT_KEY, NFT_CT_STATE}, {NFTNL_EXPR_CT_DREG, EXPR_REG});
	expr_mask(r, &states, sizeof(states));
	expr_compare(r, NFT_CMP_NEQ, &none, sizeof(none));
}

void
rule_direction(struct rule *r, uint8_t direction)
{
	EXPR(r, "ct", {NFTNL_EXPR_CT_KEY, NFT_CT_DIRECTION},
	    {NFTNL_EXPR_CT_DREG, EXPR_REG});
	expr_is_u8(r, direction);
}

void
rule_original_port(struct rule *r, uint16_t port)
{
	struct nftnl_expr *e = expr_add(r, "ct");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_PROTO_DST);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, EXPR_REG);
	nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, IP_CT_DIR_ORIGINAL);
	expr_is_port(r, port);
}

static void
verdict(struct rule *r, int code, const char *chain)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain != NULL && nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain) != 0)
		netlink_fail(r->nl, -ENOMEM);
}

void
rule_accept(struct rule *r)
{
	verdict(r, NF_ACCEPT, NULL);
}

void
rule_drop(struct rule *r)
{
	verdict(r, NF_DROP, NULL);
}

void
rule_return(struct rule *r)
{
	verdict(r, NFT_RETURN, NULL);
}

void
rule_jump(struct rule *r, const char *chain)
{
	verdict(r, NFT_JUMP, chain);
}

void
rule_goto(struct rule *r, const char *chain)
{
	verdict(r, NFT_GOTO, chain);
}

void
rule_counter(struct rule *r)
{
	(void)expr_add(r, "counter"); /* starts at zero by itself */
}

void
rule_log(struct rule *r, const char *prefix, uint16_t group, uint32_t snaplen)
{
	struct nftnl_expr *e = expr_add(r, "log");

	if (e == NULL)
		return;
	if (nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, prefix) != 0)
		netlink_fail(r->nl, -ENOMEM);
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, group);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOG_SNAPLEN, snaplen);
}

static void
reject(struct rule *r, uint32_t type, uint8_t code)
{
	struct nftnl_expr *e = expr_add(r, "reject");

	if (e != NULL) {
		nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, type);
		nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
	}
}

void
rule_reject_tcp(struct rule *r)
{
	rule_protocol(r, IPPROTO_TCP);
	reject(r, NFT_REJECT_TCP_RST, 0);
}

void
rule_reject_admin(struct rule *r)
{
	reject(r, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

void
rule_notrack(struct rule *r)
{
	(void)expr_add(r, "notrack");
}

void
rule_redirect_to(struct rule *r, const struct endpoint *e)
{
	const uint16_t port = htobe16(e->port);

	expr_immediate(r, e->addr.bytes, (uint32_t)addr_len(&e->addr), EXPR_REG);
	expr_immediate(r, &port, sizeof(port), NFT_REG_2);
	EXPR(r, "nat", {NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT},
	    {NFTNL_EXPR_NAT_FAMILY,
		e->addr.family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6},
	    {NFTNL_EXPR_NAT_REG_ADDR_MIN, EXPR_REG},
	    {NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2},
	    {NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED});
}

void
rule_redirect_port(struct rule *r, uint16_t port)
{
	const uint16_t wire = htobe16(port);

	expr_immediate(r, &wire, sizeof(wire), EXPR_REG);
	EXPR(r, "redir", {NFTNL_EXPR_REDIR_REG_PROTO_MIN, EXPR_REG},
	    {NFTNL_EXPR_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED});
}

void
rule_chance(struct rule *r, uint32_t part, uint32_t whole)
{
	const uint32_t wire = htobe32(part);

	EXPR(r, "numgen", {NFTNL_EXPR_NG_DREG, EXPR_REG}, {NFTNL_EXPR_NG_MODULUS, whole},
	    {NFTNL_EXPR_NG_TYPE, NFT_NG_RANDOM}, {NFTNL_EXPR_NG_OFFSET, 0});
	/* compared byte by byte: the most significant one goes first */
	EXPR(r, "byteorder", {NFTNL_EXPR_BYTEORDER_SREG, EXPR_REG},
	    {NFTNL_EXPR_BYTEORDER_DREG, EXPR_REG},
	    {NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON},
	    {NFTNL_EXPR_BYTEORDER_LEN, sizeof(wire)},
	    {NFTNL_EXPR_BYTEORDER_SIZE, sizeof(wire)});
	expr_compare(r, NFT_CMP_LT, &wire, sizeof(wire));
}

/* The port lies in reg. */
static void
lead_to_port(struct rule *r, uint8_t family, uint32_t reg)
{
	EXPR(r, "nat", {NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT},
	    {NFTNL_EXPR_NAT_FAMILY, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6},
	    {NFTNL_EXPR_NAT_REG_PROTO_MIN, reg},
	    {NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED});
}

void
rule_lead_port(struct rule *r, uint8_t family, uint16_t port)
{
	const uint16_t wire = htobe16(port);

	expr_immediate(r, &wire, sizeof(wire), EXPR_REG);
	lead_to_port(r, family, EXPR_REG);
}

void
rule_lead_flow(struct rule *r, uint8_t family, const char *map)
{
	load_flow(r, family);
	expr_map(r, map, EXPR_REG);
	lead_to_port(r, family, EXPR_REG);
}
