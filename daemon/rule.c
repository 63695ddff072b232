/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/rule.h"

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

/* The four registers of 16 bytes; each is also four of 4 bytes (NFT_REG32_00 on). */
#define REG NFT_REG_1

/* Where things lie: struct iphdr, struct ip6_hdr, and the ports' two places. */
#define IP4_SOURCE 12
#define IP4_DESTINATION 16
#define IP6_HOP_LIMIT 7
#define IP6_SOURCE 8
#define IP6_DESTINATION 24
#define TRANSPORT_DESTINATION_PORT 2
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

/* A new expression at the rule's end; NULL when there is no rule. */
static struct nftnl_expr *
expr_add(struct rule *r, const char *name)
{
	struct nftnl_expr *e;

	if (r->nftnl == NULL)
		return NULL;
	e = nftnl_expr_alloc(name);
	if (e != NULL)
		nftnl_rule_add_expr(r->nftnl, e);
	else
		netlink_fail(r->nl, -ENOMEM);
	return e;
}

struct setting {
	uint16_t attribute;
	uint32_t value;
};

static void
expr_put(struct rule *r, const char *name, const struct setting *settings, size_t count)
{
	struct nftnl_expr *e = expr_add(r, name);

	for (size_t i = 0; e != NULL && i < count; i++)
		nftnl_expr_set_u32(e, settings[i].attribute, settings[i].value);
}

#define EXPR(r, name, ...)                                                               \
	expr_put(r, name, (const struct setting[]){__VA_ARGS__},                         \
	    ARRAY_LEN(((const struct setting[]){__VA_ARGS__})))

static void
load_meta(struct rule *r, uint32_t key, uint32_t reg)
{
	EXPR(r, "meta", {NFTNL_EXPR_META_KEY, key}, {NFTNL_EXPR_META_DREG, reg});
}

static void
load_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	EXPR(r, "payload", {NFTNL_EXPR_PAYLOAD_BASE, base},
	    {NFTNL_EXPR_PAYLOAD_OFFSET, offset}, {NFTNL_EXPR_PAYLOAD_LEN, len},
	    {NFTNL_EXPR_PAYLOAD_DREG, reg});
}

static void
compare(struct rule *r, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "cmp");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	if (nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len) != 0)
		netlink_fail(r->nl, -ENOMEM);
}

static void
compare_u8(struct rule *r, uint8_t value)
{
	compare(r, NFT_CMP_EQ, &value, sizeof(value));
}

static void
compare_port(struct rule *r, uint16_t port)
{
	const uint16_t wire = htobe16(port);

	compare(r, NFT_CMP_EQ, &wire, sizeof(wire));
}

static void
mask(struct rule *r, const void *bits, uint32_t len)
{
	const uint8_t zero[16] = {0};
	struct nftnl_expr *e = expr_add(r, "bitwise");

	assert(len <= sizeof(zero));
	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	if (nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, bits, len) != 0 ||
	    nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, zero, len) != 0)
		netlink_fail(r->nl, -ENOMEM);
}

static void
lookup(struct rule *r, const char *set, bool invert)
{
	struct nftnl_expr *e = expr_add(r, "lookup");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, invert ? NFT_LOOKUP_F_INV : 0);
	if (nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set) != 0)
		netlink_fail(r->nl, -ENOMEM);
}

/* Load an address to a register; returns the next free one. */
static uint32_t
load_source(struct rule *r, uint8_t family)
{
	if (family == AF_INET) {
		load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP4_SOURCE, 4, REG);
		return NFT_REG32_01;
	}
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP6_SOURCE, 16, REG);
	return NFT_REG_2;
}

static uint32_t
load_destination(struct rule *r, uint8_t family, uint32_t reg)
{
	if (family == AF_INET) {
		load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP4_DESTINATION, 4, reg);
		return reg == REG ? NFT_REG32_01 : reg + 1;
	}
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP6_DESTINATION, 16, reg);
	return reg + 1;
}

static void
load_port(struct rule *r, uint32_t reg)
{
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TRANSPORT_DESTINATION_PORT, 2, reg);
}

void
rule_family(struct rule *r, uint8_t family)
{
	load_meta(r, NFT_META_NFPROTO, REG);
	compare_u8(r, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

void
rule_from_interface(struct rule *r, const char *pattern)
{
	char name[IFNAMSIZ] = {0};
	const size_t len = strnlen(pattern, sizeof(name) - 1);
	const bool prefix = len != 0 && pattern[len - 1] == '*';

	memcpy(name, pattern, len);
	load_meta(r, NFT_META_IIFNAME, REG);
	compare(r, NFT_CMP_EQ, name, (uint32_t)(prefix ? len - 1 : sizeof(name)));
}

void
rule_source_in(struct rule *r, uint8_t family, const char *set)
{
	rule_family(r, family);
	(void)load_source(r, family); /* the next register is not needed */
	lookup(r, set, false);
}

void
rule_source_not_in(struct rule *r, uint8_t family, const char *set)
{
	rule_family(r, family);
	(void)load_source(r, family); /* the next register is not needed */
	lookup(r, set, true);
}

void
rule_destination_in(struct rule *r, uint8_t family, const char *set)
{
	rule_family(r, family);
	(void)load_destination(r, family, REG); /* the next register is not needed */
	lookup(r, set, false);
}

void
rule_destination(struct rule *r, const struct prefix *p)
{
	const uint32_t size = (uint32_t)addr_len(&p->addr);
	uint8_t bits[16] = {0};

	rule_family(r, p->addr.family);
	(void)load_destination(r, p->addr.family, REG); /* as above */
	for (uint32_t i = 0; i < p->len; i++)
		bits[i / 8] |= (uint8_t)(0x80 >> i % 8);
	if (p->len < size * 8)
		mask(r, bits, size);
	compare(r, NFT_CMP_EQ, p->addr.bytes, size);
}

void
rule_destination_local(struct rule *r)
{
	const uint32_t type = RTN_LOCAL;

	EXPR(r, "fib", {NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE},
	    {NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR}, {NFTNL_EXPR_FIB_DREG, REG});
	compare(r, NFT_CMP_EQ, &type, sizeof(type));
}

void
rule_source_elsewhere(struct rule *r)
{
	const uint32_t missing = 0;

	EXPR(r, "fib", {NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_OIF},
	    {NFTNL_EXPR_FIB_FLAGS,
		NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT},
	    {NFTNL_EXPR_FIB_DREG, REG});
	compare(r, NFT_CMP_EQ, &missing, sizeof(missing));
}

void
rule_protocol(struct rule *r, uint8_t proto)
{
	load_meta(r, NFT_META_L4PROTO, REG);
	compare_u8(r, proto);
}

void
rule_port(struct rule *r, uint16_t port)
{
	load_port(r, REG);
	compare_port(r, port);
}

void
rule_flow_in(struct rule *r, uint8_t family, const char *set)
{
	uint32_t reg;

	rule_family(r, family);
	reg = load_source(r, family);
	reg = load_destination(r, family, reg);
	if (family == AF_INET6) /* two full registers are taken */
		reg = NFT_REG32_08;
	load_meta(r, NFT_META_L4PROTO, reg);
	load_port(r, reg + 1);
	lookup(r, set, false);
}

void
rule_endpoint_in(struct rule *r, uint8_t family, const char *set)
{
	rule_family(r, family);
	load_port(r, load_destination(r, family, REG));
	lookup(r, set, false);
}

void
rule_icmpv6_type(struct rule *r, uint8_t type)
{
	rule_family(r, AF_INET6);
	rule_protocol(r, IPPROTO_ICMPV6);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, ICMPV6_TYPE, 1, REG);
	compare_u8(r, type);
}

void
rule_hop_limit(struct rule *r, uint8_t limit)
{
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP6_HOP_LIMIT, 1, REG);
	compare_u8(r, limit);
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
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_DREG, REG);
	compare_u8(r, true);
}

void
rule_state(struct rule *r, uint32_t states)
{
	const uint32_t none = 0;

	EXPR(r, "ct", {NFTNL_EXPR_CT_KEY, NFT_CT_STATE}, {NFTNL_EXPR_CT_DREG, REG});
	mask(r, &states, sizeof(states));
	compare(r, NFT_CMP_NEQ, &none, sizeof(none));
}

void
rule_direction(struct rule *r, uint8_t direction)
{
	EXPR(r, "ct", {NFTNL_EXPR_CT_KEY, NFT_CT_DIRECTION}, {NFTNL_EXPR_CT_DREG, REG});
	compare_u8(r, direction);
}

void
rule_original_port(struct rule *r, uint16_t port)
{
	struct nftnl_expr *e = expr_add(r, "ct");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_PROTO_DST);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, REG);
	nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, IP_CT_DIR_ORIGINAL);
	compare_port(r, port);
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

static void
load_immediate(struct rule *r, const void *data, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	if (nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len) != 0)
		netlink_fail(r->nl, -ENOMEM);
}

void
rule_redirect_to(struct rule *r, const struct endpoint *e)
{
	const uint16_t port = htobe16(e->port);

	load_immediate(r, e->addr.bytes, (uint32_t)addr_len(&e->addr), REG);
	load_immediate(r, &port, sizeof(port), NFT_REG_2);
	EXPR(r, "nat", {NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT},
	    {NFTNL_EXPR_NAT_FAMILY,
		e->addr.family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6},
	    {NFTNL_EXPR_NAT_REG_ADDR_MIN, REG}, {NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2},
	    {NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED});
}

void
rule_redirect_port(struct rule *r, uint16_t port)
{
	const uint16_t wire = htobe16(port);

	load_immediate(r, &wire, sizeof(wire), REG);
	EXPR(r, "redir", {NFTNL_EXPR_REDIR_REG_PROTO_MIN, REG},
	    {NFTNL_EXPR_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED});
}
