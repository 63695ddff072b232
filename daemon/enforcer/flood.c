/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/flood.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h> /* libnftnl/expr.h wants it */

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "daemon/enforcer/rule.h"

#define DNS_PORT 53

/* See daemon/enforcer/flood.h. */
static uint32_t
a_quarter_more(uint32_t n)
{
	return n + n / 4;
}

/* "limit rate over N/second burst M packets" */
static struct nftnl_expr *
limit_over(const struct enforcer_table *table)
{
	struct nftnl_expr *e = nftnl_expr_alloc("limit");

	if (e == NULL)
		return NULL;
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, a_quarter_more(table->query_rate));
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, a_quarter_more(table->query_burst));
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV);
	return e;
}

/* "update @set { key limit ... }", where the key is what the last word left in the first
 * register. */
static void
update_rate(struct rule *r, const char *set, const struct enforcer_table *table)
{
	struct nftnl_expr *limit = limit_over(table);
	struct nftnl_expr *e = r->nftnl != NULL ? nftnl_expr_alloc("dynset") : NULL;

	if (e == NULL || limit == NULL ||
	    nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set) != 0) {
		netlink_fail(r->nl, -ENOMEM);
		if (e != NULL)
			nftnl_expr_free(e);
		if (limit != NULL)
			nftnl_expr_free(limit);
		return;
	}
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_add_expr(e, NFTNL_EXPR_DYNSET_EXPRESSIONS, limit);
	nftnl_rule_add_expr(r->nftnl, e);
}

static void
put_port(struct netlink *nl, const struct ruleset *rs, const char *chain, uint16_t port)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct rule r;

		rule_begin(&r, nl, chain);
		rule_protocol(&r, IPPROTO_UDP);
		rule_port(&r, port);
		rule_source_in(
		    &r, families[i], layout_set(families[i], "pods4", "pods6"));
		update_rate(&r, layout_set(families[i], "rates4", "rates6"), &rs->table);
		rule_counter(&r);
		rule_drop(&r);
		rule_end(&r);
	}
}

/* Is this the port of a listener before the i-th? */
static bool
is_repeated(const struct ruleset *rs, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (rs->listen[k].port == rs->listen[i].port)
			return true;
	return false;
}

void
flood_put(struct netlink *nl, const struct ruleset *rs, const char *chain)
{
	bool put = !rs->table.intercept;

	if (rs->table.query_rate == 0)
		return;
	for (size_t i = 0; i < rs->listen_count; i++) {
		if (is_repeated(rs, i))
			continue;
		put_port(nl, rs, chain, rs->listen[i].port);
		put |= rs->listen[i].port == DNS_PORT;
	}
	if (!put)
		put_port(nl, rs, chain, DNS_PORT);
}
