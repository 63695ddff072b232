/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/translation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/rule.h"
#include "daemon/enforcer/service_map.h"

static const uint8_t families[] = {AF_INET, AF_INET6};
static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

/* Where a pod's flow may lead elsewhere, in the order in which it is looked for: by a
 * lookup of its own, by an entry that only some pods see, by one that all do. */
static void
put_maps(struct netlink *nl)
{
	struct rule r;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const uint8_t f = families[i];

		for (size_t j = 0; j < ARRAY_LEN(protocols); j++) {
			rule_begin(&r, nl, "translate");
			rule_protocol(&r, protocols[j]);
			rule_lead_flow(
			    &r, f, layout_set(f, "leaseports4", "leaseports6"));
			rule_end(&r);
		}
		rule_begin(&r, nl, "translate");
		rule_flow_goto(&r, f, layout_set(f, "services4", "services6"));
		rule_end(&r);
		rule_begin(&r, nl, "translate");
		rule_service_goto(&r, f, layout_set(f, "shared4", "shared6"));
		rule_end(&r);
	}
}

static void
put_from_pods(struct netlink *nl, const struct ruleset *rs)
{
	struct rule r;

	for (size_t i = 0; i < rs->interface_count; i++) {
		rule_begin(&r, nl, "lead");
		rule_from_interface(&r, rs->interfaces[i]);
		rule_goto(&r, "translate");
		rule_end(&r);
	}
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		rule_begin(&r, nl, "lead");
		rule_source_in(
		    &r, families[i], layout_set(families[i], "pods4", "pods6"));
		rule_goto(&r, "translate");
		rule_end(&r);
	}
}

/* One family's ways of a service, with a sum that 32 bits hold. */
struct share {
	struct netlink *nl;
	const char *chain;
	const struct enforcer_way *ways;
	size_t count;
	uint8_t family;
	unsigned shift;
	uint64_t left; /* of all weights, for those that come */
};

static uint32_t
weight_of(const struct share *s, const struct enforcer_way *way)
{
	return MAX_OF(way->weight >> s->shift, 1u);
}

static bool
is_of(const struct share *s, const struct enforcer_way *way)
{
	return way->addr.family == 0 || way->addr.family == s->family;
}

static void
add_weights(struct share *s)
{
	for (s->shift = 0; s->shift < 32; s->shift++) {
		s->left = 0;
		for (size_t i = 0; i < s->count; i++)
			if (is_of(s, &s->ways[i]))
				s->left += weight_of(s, &s->ways[i]);
		if (s->left <= UINT32_MAX)
			return;
	}
}

/* The last one takes what all others have left. */
static void
put_way(struct share *s, const struct enforcer_way *way)
{
	const uint32_t weight = weight_of(s, way);
	const struct endpoint to = {.addr = way->addr, .port = way->port};
	struct rule r;

	rule_begin(&r, s->nl, s->chain);
	rule_family(&r, s->family);
	rule_protocol(&r, way->proto);
	if (weight < s->left)
		rule_chance(&r, weight, (uint32_t)s->left);
	if (way->addr.family == 0)
		rule_lead_port(&r, s->family, way->port);
	else
		rule_redirect_to(&r, &to);
	rule_end(&r);
	s->left -= weight;
}

/* What leads nowhere is refused, but of pods of which nothing is. */
static void
put_nowhere(struct netlink *nl)
{
	static const char chain[] = "nowhere";
	struct rule r;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		rule_begin(&r, nl, chain);
		rule_source_in(
		    &r, families[i], layout_set(families[i], "open4", "open6"));
		rule_accept(&r);
		rule_end(&r);
	}
	rule_begin(&r, nl, chain);
	rule_goto(&r, "refuse");
	rule_end(&r);
}

/* Into a chain without rules. */
static void
put_ways(struct netlink *nl, bool enforce, const char *chain,
    const struct enforcer_way *ways, size_t count)
{
	struct rule r;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct share s = {.nl = nl,
		    .chain = chain,
		    .ways = ways,
		    .count = count,
		    .family = families[i]};

		add_weights(&s);
		for (size_t j = 0; j < count; j++)
			if (is_of(&s, &ways[j]))
				put_way(&s, &ways[j]);
	}
	if (!enforce)
		return;
	rule_begin(&r, nl, chain);
	rule_goto(&r, "nowhere");
	rule_end(&r);
}

static int
compare_ways(const void *a, const void *b)
{
	const struct enforcer_way *x = a, *y = b;

	return (x->service > y->service) - (x->service < y->service);
}

uint32_t
translation_services(const struct ruleset *rs)
{
	uint32_t highest = 0;

	for (size_t i = 0; i < rs->fixed_count; i++)
		highest = MAX_OF(highest, rs->fixed[i].service);
	for (size_t i = 0; i < rs->way_count; i++)
		highest = MAX_OF(highest, rs->ways[i].service);
	return highest;
}

static int
put_services(struct netlink *nl, const struct ruleset *rs, uint32_t highest)
{
	struct enforcer_way *ways = calloc(rs->way_count + 1, sizeof(*ways));
	char chain[SERVICE_CHAIN_MAX];
	size_t next = 0, end;

	if (ways == NULL)
		return -ENOMEM;
	if (rs->way_count != 0)
		memcpy(ways, rs->ways, rs->way_count * sizeof(*ways));
	qsort(ways, rs->way_count, sizeof(*ways), compare_ways);
	for (uint32_t n = 1; n <= highest; n++, next = end) {
		for (end = next; end < rs->way_count && ways[end].service == n; end++)
			;
		service_chain(n, chain);
		layout_put_chain(nl, chain);
		put_ways(nl, rs->table.enforce, chain, ways + next, end - next);
	}
	free(ways);
	return 0;
}

int
translation_put(struct netlink *nl, const struct ruleset *rs, uint32_t standing)
{
	char chain[SERVICE_CHAIN_MAX];
	const uint32_t highest = translation_services(rs);
	int r = put_services(nl, rs, highest);

	if (r < 0)
		return r;
	for (uint32_t n = highest + 1; n <= standing; n++) {
		service_chain(n, chain);
		layout_delete_chain(nl, chain);
	}
	if (rs->table.enforce)
		put_nowhere(nl);
	put_from_pods(nl, rs);
	put_maps(nl);
	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0; i++)
		r = highest == 0 ? 0 : service_map_put(nl, rs, families[i]);
	return r;
}

void
translation_lead(struct netlink *nl, bool enforce, uint32_t service,
    const struct enforcer_way *ways, size_t count)
{
	char chain[SERVICE_CHAIN_MAX];

	service_chain(service, chain);
	layout_flush_chain(nl, chain);
	put_ways(nl, enforce, chain, ways, count);
}
