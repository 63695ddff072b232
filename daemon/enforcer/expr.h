/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the words of daemon/enforcer/rule.h are made of: expressions of nf_tables, each
 * appended to a rule, and its registers.
 *
 * Errors stay in the batch of the rule's netlink and are told by its commit.
 */
#ifndef DAEMON_ENFORCER_EXPR_H
#define DAEMON_ENFORCER_EXPR_H

#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "daemon/enforcer/rule.h"

/* The first of the four registers of 16 bytes; each is also four of 4 bytes
 * (NFT_REG32_00 on). */
#define EXPR_REG NFT_REG_1

struct expr_setting {
	uint16_t attribute;
	uint32_t value;
};

/* A new expression at the rule's end; NULL when there is no rule. */
struct nftnl_expr *expr_add(struct rule *r, const char *name);
void expr_put(
    struct rule *r, const char *name, const struct expr_setting *settings, size_t count);
#define EXPR(r, name, ...)                                                               \
	expr_put(r, name, (const struct expr_setting[]){__VA_ARGS__},                    \
	    ARRAY_LEN(((const struct expr_setting[]){__VA_ARGS__})))

/* Into reg. */
void expr_meta(struct rule *r, uint32_t key, uint32_t reg);
void expr_payload(
    struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg);
void expr_port(struct rule *r, uint32_t reg);
void expr_source_port(struct rule *r, uint32_t reg);
void expr_immediate(struct rule *r, const void *data, uint32_t len, uint32_t reg);
/* An address into EXPR_REG, or into reg; returns the next free one. */
uint32_t expr_source(struct rule *r, uint8_t family);
uint32_t expr_destination(struct rule *r, uint8_t family, uint32_t reg);

/* What is in EXPR_REG. */
void expr_compare(struct rule *r, uint32_t op, const void *data, uint32_t len);
void expr_is_u8(struct rule *r, uint8_t value);
void expr_is_port(struct rule *r, uint16_t port);
void expr_mask(struct rule *r, const void *bits, uint32_t len);
void expr_lookup(struct rule *r, const char *set, bool invert);
/* To what the map has for it, in reg; the rule ends where it has nothing. */
void expr_map(struct rule *r, const char *map, uint32_t reg);

#endif
