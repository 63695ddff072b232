/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/fixed.h"

#include <errno.h>
#include <string.h>

#include "policy/audience.h"

static bool
larger(const struct audience *a, const struct audience *b)
{
	if (b == NULL || a->all != b->all)
		return b == NULL || a->all;
	return a->pod_count[FAMILY_V4] + a->pod_count[FAMILY_V6] >
	       b->pod_count[FAMILY_V4] + b->pod_count[FAMILY_V6];
}

/* An entry's addresses belong to none of its hosts in particular: who sees most of them
 * counts. *ret_host stays NULL when all are shadowed. */
static int
choose(const struct definitions *d, const struct workloads *w,
    const struct service_entry *e, const struct registry_host **ret_host,
    const struct audience **ret_audience)
{
	const struct audience *best = NULL;
	const struct audience *a;
	int r;

	for (size_t i = 0; i < e->host_count; i++) {
		if (e->definitions[i] == NULL)
			continue;
		r = audience_get(d, w, e->definitions[i], &a);
		if (r < 0)
			return r;
		if (larger(a, best)) {
			best = a;
			*ret_host = e->definitions[i]->host;
		}
	}
	*ret_audience = best;
	return 0;
}

/* Addresses stand with IPv4 first. */
static struct fixed_group
group_of(const struct service_entry *e, int family)
{
	const struct entry_image *im = e->image;
	size_t v4 = 0;

	while (v4 < im->address_count && im->addresses[v4].addr.family == AF_INET)
		v4++;
	return (struct fixed_group){
	    .addresses = im->addresses + (family == FAMILY_V4 ? 0 : v4),
	    .address_count =
		(uint32_t)(family == FAMILY_V4 ? v4 : im->address_count - v4),
	    .ports = im->ports,
	    .port_count = (uint32_t)im->port_count,
	    .family = family,
	};
}

static size_t
group_size(const struct fixed_group *g)
{
	size_t pods = g->audience->all ? 1 : g->audience->pod_count[g->family];

	return pods * g->address_count * g->port_count;
}

static int
add_entry(struct fixed *f, struct fixed_group *groups, const struct definitions *d,
    const struct workloads *w, const struct service_entry *e)
{
	const struct registry_host *host = NULL;
	const struct audience *audience = NULL;
	int r;

	r = choose(d, w, e, &host, &audience);
	if (r < 0 || host == NULL)
		return r;
	for (int family = 0; family < FAMILIES; family++) {
		struct fixed_group g = group_of(e, family);

		g.host = host;
		g.audience = audience;
		g.first = f->count;
		/* one that no known pod sees stays, for who asks why */
		if (g.address_count == 0)
			continue;
		groups[f->group_count++] = g;
		f->count += group_size(&g);
	}
	return 0;
}

static bool
opens(const struct service_entry *e)
{
	return e->address_count > 0 && e->port_count > 0;
}

int
fixed_build(struct fixed *f, const struct definitions *d, const struct workloads *w,
    struct service_entry *const *entries, size_t entry_count)
{
	struct fixed_group *groups;
	size_t n = 0;
	int r = 0;

	*f = (struct fixed){0};
	for (size_t i = 0; i < entry_count; i++)
		n += opens(entries[i]);
	groups = memory_array(d->image, n * FAMILIES, sizeof(*groups));
	if (groups == NULL)
		return d->image->lack;
	f->groups = groups;
	for (size_t i = 0; i < entry_count && r == 0; i++)
		if (opens(entries[i]))
			r = add_entry(f, groups, d, w, entries[i]);
	return r;
}

/* The pod number k of the audience, as a prefix. */
static struct prefix
pod_of(const struct fixed_group *g, const struct workloads *w, size_t k)
{
	const struct pod_run *runs = g->audience->runs[g->family];
	uint8_t family = g->family == FAMILY_V4 ? AF_INET : AF_INET6;
	size_t low = 0;
	size_t high;

	if (g->audience->all)
		return (struct prefix){.addr = {.family = family}};
	high = g->audience->run_count[g->family];
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (runs[middle].before <= k)
			low = middle;
		else
			high = middle;
	}
	return (struct prefix){
	    .addr =
		w->addresses[g->family].list[runs[low].start + (k - runs[low].before)],
	    .len = family == AF_INET ? 32 : 128,
	};
}

bool
fixed_get(const struct fixed *f, const struct workloads *w, size_t i,
    struct registry_fixed *ret_fixed)
{
	const struct fixed_group *g;
	const struct registry_port *port;
	size_t low = 0;
	size_t high = f->group_count;

	if (i >= f->count)
		return false;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (f->groups[middle].first <= i)
			low = middle;
		else
			high = middle;
	}
	g = &f->groups[low];
	i -= g->first;
	port = &g->ports[i % g->port_count];
	i /= g->port_count;
	*ret_fixed = (struct registry_fixed){
	    .pods = pod_of(g, w, i / g->address_count),
	    .destination = g->addresses[i % g->address_count],
	    .port = port->number,
	    .proto = port->proto,
	    .host = g->host,
	};
	return true;
}
