/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/expr.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

/* Where things lie: struct iphdr, struct ip6_hdr, and the ports' two places. */
#define IP4_SOURCE 12
#define IP4_DESTINATION 16
#define IP6_SOURCE 8
#define IP6_DESTINATION 24
#define TRANSPORT_SOURCE_PORT 0
#define TRANSPORT_DESTINATION_PORT 2

struct nftnl_expr *
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

void
expr_put(
    struct rule *r, const char *name, const struct expr_setting *settings, size_t count)
{
	struct nftnl_expr *e = expr_add(r, name);

	for (size_t i = 0; e != NULL && i < count; i++)
		nftnl_expr_set_u32(e, settings[i].attribute, settings[i].value);
}

void
expr_meta(struct rule *r, uint32_t key, uint32_t reg)
{
	EXPR(r, "meta", {NFTNL_EXPR_META_KEY, key}, {NFTNL_EXPR_META_DREG, reg});
}

void
expr_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	EXPR(r, "payload", {NFTNL_EXPR_PAYLOAD_BASE, base},
	    {NFTNL_EXPR_PAYLOAD_OFFSET, offset}, {NFTNL_EXPR_PAYLOAD_LEN, len},
	    {NFTNL_EXPR_PAYLOAD_DREG, reg});
}

void
expr_compare(struct rule *r, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "cmp");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	if (nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len) != 0)
		netlink_fail(r->nl, -ENOMEM);
}

void
expr_is_u8(struct rule *r, uint8_t value)
{
	expr_compare(r, NFT_CMP_EQ, &value, sizeof(value));
}

void
expr_is_port(struct rule *r, uint16_t port)
{
	const uint16_t wire = htobe16(port);

	expr_compare(r, NFT_CMP_EQ, &wire, sizeof(wire));
}

void
expr_mask(struct rule *r, const void *bits, uint32_t len)
{
	const uint8_t zero[16] = {0};
	struct nftnl_expr *e = expr_add(r, "bitwise");

	assert(len <= sizeof(zero));
	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	if (nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, bits, len) != 0 ||
	    nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, zero, len) != 0)
		netlink_fail(r->nl, -ENOMEM);
}

void
expr_lookup(struct rule *r, const char *set, bool invert)
{
	struct nftnl_expr *e = expr_add(r, "lookup");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, invert ? NFT_LOOKUP_F_INV : 0);
	if (nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set) != 0)
		netlink_fail(r->nl, -ENOMEM);
}

void
expr_map(struct rule *r, const char *map, uint32_t reg)
{
	struct nftnl_expr *e = expr_add(r, "lookup");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, reg);
	if (nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, map) != 0)
		netlink_fail(r->nl, -ENOMEM);
}

uint32_t
expr_source(struct rule *r, uint8_t family)
{
	if (family == AF_INET) {
		expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP4_SOURCE, 4, EXPR_REG);
		return NFT_REG32_01;
	}
	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP6_SOURCE, 16, EXPR_REG);
	return NFT_REG_2;
}

uint32_t
expr_destination(struct rule *r, uint8_t family, uint32_t reg)
{
	if (family == AF_INET) {
		expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP4_DESTINATION, 4, reg);
		return reg == EXPR_REG ? NFT_REG32_01 : reg + 1;
	}
	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP6_DESTINATION, 16, reg);
	return reg + 1;
}

void
expr_port(struct rule *r, uint32_t reg)
{
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TRANSPORT_DESTINATION_PORT, 2, reg);
}

void
expr_source_port(struct rule *r, uint32_t reg)
{
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TRANSPORT_SOURCE_PORT, 2, reg);
}

void
expr_immediate(struct rule *r, const void *data, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	if (nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len) != 0)
		netlink_fail(r->nl, -ENOMEM);
}
