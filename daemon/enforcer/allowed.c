/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/allowed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/enforcer/element.h"
#include "daemon/enforcer/tunnel.h"

#define DNS_PORT 53

static int
compare_addr(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

/* By what a flow is looked up with. */
static int
compare_fixed(const void *a, const void *b)
{
	const struct enforcer_fixed *x = a, *y = b;

	if (x->destination.addr.family != y->destination.addr.family)
		return x->destination.addr.family < y->destination.addr.family ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	return (x->port > y->port) - (x->port < y->port);
}

/* A copy, which is not NULL for an empty list either. */
static void *
copy_of(const void *list, size_t count, size_t size)
{
	void *copy = calloc(count + 1, size);

	if (copy != NULL && count != 0)
		memcpy(copy, list, count * size);
	return copy;
}

int
allowed_init(struct allowed *a, const struct ruleset *rs)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int r = 0;

	*a = (struct allowed){.table = rs->table,
	    .open_count = rs->open_count,
	    .listen_count = rs->listen_count,
	    .fixed_count = rs->fixed_count};
	a->open = copy_of(rs->open, rs->open_count, sizeof(*a->open));
	a->listen = copy_of(rs->listen, rs->listen_count, sizeof(*a->listen));
	a->fixed = copy_of(rs->fixed, rs->fixed_count, sizeof(*a->fixed));
	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0; i++)
		r = cover_ranges(rs->internal, rs->internal_count, families[i],
		    &a->internal[i], &a->internal_count[i]);
	if (r < 0 || a->open == NULL || a->listen == NULL || a->fixed == NULL) {
		allowed_done(a);
		return -ENOMEM;
	}
	qsort(a->open, a->open_count, sizeof(*a->open), compare_addr);
	qsort(a->fixed, a->fixed_count, sizeof(*a->fixed), compare_fixed);
	return 0;
}

void
allowed_done(struct allowed *a)
{
	free(a->open);
	free(a->listen);
	free(a->fixed);
	free(a->internal[0]);
	free(a->internal[1]);
	*a = (struct allowed){0};
}

bool
allowed_in_ranges(const struct cover_range *ranges, size_t count, const struct addr *a)
{
	size_t low = 0, high = count, middle;

	/* the first range that ends at a or behind it */
	while (low < high) {
		middle = low + (high - low) / 2;
		if (memcmp(&ranges[middle].last, a, sizeof(*a)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && memcmp(&ranges[low].first, a, sizeof(*a)) <= 0;
}

static bool
in_fixed(const struct allowed *a, const struct conntrack_flow *flow)
{
	const struct enforcer_fixed key = {
	    .destination.addr.family = flow->destination.family,
	    .proto = flow->proto,
	    .port = flow->port};
	size_t low = 0, high = a->fixed_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare_fixed(&a->fixed[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < a->fixed_count && compare_fixed(&a->fixed[low], &key) == 0; low++)
		if (prefix_contains(&a->fixed[low].pods, &flow->source) &&
		    prefix_contains(&a->fixed[low].destination, &flow->destination))
			return true;
	return false;
}

/* A wildcard listener is any address of this node, which is not known here: its port is
 * left alone. */
static bool
is_ours(const struct allowed *a, const struct conntrack_flow *flow)
{
	for (size_t i = 0; i < a->listen_count; i++) {
		const struct endpoint *e = &a->listen[i];

		if (e->addr.family != flow->destination.family)
			continue;
		if (a->table.intercept && flow->port == DNS_PORT)
			return true;
		if (e->port == flow->port &&
		    (element_is_wildcard(&e->addr) ||
			addr_equal(&e->addr, &flow->destination)))
			return true;
	}
	return false;
}

bool
allowed_has(const struct allowed *a, const struct conntrack_flow *flow)
{
	const bool has_port = flow->proto == IPPROTO_TCP || flow->proto == IPPROTO_UDP;
	const size_t family = flow->destination.family == AF_INET6;

	if (!a->table.enforce || bsearch(&flow->source, a->open, a->open_count,
				     sizeof(*a->open), compare_addr) != NULL)
		return true;
	if (has_port && is_ours(a, flow))
		return true;
	if (has_port && a->table.intercept && flow->port == DNS_PORT)
		return false;
	if (in_fixed(a, flow))
		return true;
	if (ruleset_is_metadata(&flow->destination) || tunnel_is(flow->proto, flow->port))
		return false;
	return allowed_in_ranges(
	    a->internal[family], a->internal_count[family], &flow->destination);
}
