/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the kernel's own order: the metadata address, then the internal ranges, then leases
 * and what entries list.
 */
#include "policy/explain/explain_address.h"

#include <string.h>

#include "policy/registry/range.h"

static bool
is_metadata(const struct addr *a)
{
	struct prefix whole = {.addr = *a, .len = (uint8_t)(addr_len(a) * 8)};

	return range_covers_metadata(&whole);
}

/* What the workload sees in the place of h. */
static const struct registry_host *
seen_instead(const struct explainer *x, const struct registry_host *h)
{
	const struct tree_node *path[NAME_LABELS_MAX + 1];
	const char *text = h->host + (h->wildcard ? 2 : 0);
	struct tree_view view;
	struct name name;
	size_t len;

	if (name_parse(text, strlen(text), &name) < 0 ||
	    !explainer_path(x, &name, path, &len))
		return NULL;
	view = explainer_view(x, path[len - 1]);
	return h->wildcard ? view.wildcard : view.exact;
}

/* As the kernel's list has it: who is not known gets what is open to all without
 * exception. */
static bool
is_open(const struct explainer *x, const struct fixed_group *g)
{
	if (g->audience->all)
		return true;
	return x->w != NULL && seen_instead(x, g->host) == g->host;
}

static const struct fixed_group *
next_group(const struct explainer *x, const struct fixed_group *g)
{
	const struct fixed *f = &x->r->fixed;
	const struct fixed_group *end = f->groups + f->group_count;

	for (g = g != NULL ? g + 1 : f->groups; g < end; g++)
		if (prefixes_contain(g->addresses, g->address_count, &x->q->address))
			return g;
	return NULL;
}

/* On the port that was asked about, or on the first one. */
static void
note_ways(const struct explainer *x, const struct fixed_group *g,
    const struct registry_port *port)
{
	char ways[EXPLAINER_LIST_MAX];

	if (g->services == NULL || g->services[port - g->ports] == 0 ||
	    explainer_ways(x->r, g->services[port - g->ports], ways)[0] == '\0')
		return;
	explain_say(x->out, EXPLAIN_NOTE, NULL,
	    "port %u leads from that address to the entry's endpoints: %s", port->number,
	    ways);
}

static bool
allow_listed(const struct explainer *x)
{
	char ports[EXPLAINER_LIST_MAX];

	for (const struct fixed_group *g = next_group(x, NULL); g != NULL;
	     g = next_group(x, g)) {
		const struct registry_port *port =
		    explainer_port(x, g->ports, g->port_count);

		if (port == NULL || !is_open(x, g))
			continue;
		x->out->allowed = true;
		explain_say(x->out, EXPLAIN_RULE, g->host,
		    "the entry of host %s lists the address, open without a lookup on %s",
		    g->host->host,
		    x->q->port != 0 ? explainer_ports(port, 1, ports)
				    : explainer_ports(g->ports, g->port_count, ports));
		note_ways(x, g, port);
		return true;
	}
	return false;
}

static void
near_group(const struct explainer *x, const struct fixed_group *g)
{
	const struct registry_sidecar *s = explainer_sidecar(x);
	const struct registry_host *h = g->host;
	char text[EXPLAINER_LIST_MAX];

	if (s != NULL && s->imports != NULL && explainer_sees(x, h) &&
	    seen_instead(x, h) == NULL)
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "lists the address, but %s does not import host %s: it imports %s",
		    explainer_place(s, text), h->host, s->imports);
	else if (is_open(x, g))
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "lists the address, but not port %u/%s; it lists %s", x->q->port,
		    explainer_proto(x->q->proto),
		    explainer_ports(g->ports, g->port_count, text));
	else if (x->w == NULL && h->exported_to_all)
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "lists the address, but another entry for %s goes before it in some "
		    "namespace: it is open only to pods that a manifest tells of",
		    h->host);
	else if (explainer_sees(x, h))
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "lists the address, but another entry for %s goes before it",
		    h->host);
	else
		explain_say(x->out, EXPLAIN_NEAR, h, "lists the address, but is %s",
		    explainer_export(h, text));
}

static void
near_endpoint(const struct explainer *x, const struct registry_host *h)
{
	char ports[EXPLAINER_LIST_MAX];

	if (h != NULL &&
	    prefixes_contain(h->endpoints, h->endpoint_count, &x->q->address))
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "the address is an endpoint of host %s: it opens after a lookup of "
		    "that name, on %s",
		    h->host, explainer_ports(h->ports, h->port_count, ports));
}

static void
near(const struct explainer *x)
{
	const struct table *nodes = &x->r->tree.nodes;

	for (const struct fixed_group *g = next_group(x, NULL); g != NULL;
	     g = next_group(x, g))
		near_group(x, g);
	for (struct table_link *l = table_first(nodes); l != NULL;
	     l = table_next(nodes, l)) {
		struct tree_view view =
		    explainer_view(x, CONTAINER_OF(l, struct tree_node, link));

		near_endpoint(x, view.exact);
		near_endpoint(x, view.wildcard);
	}
}

/* Where no external name may lead. */
static void
note_range(const struct explainer *x)
{
	const struct addr *a = &x->q->address;
	struct addr inner = range_unwrap(a);
	enum range_kind kind = range_of(a);

	if (kind == RANGE_NEVER)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "forbidden: loopback, link-local, metadata, multicast and reserved "
		    "addresses open only by an entry that lists them");
	else if (kind == RANGE_PRIVATE ||
		 prefixes_contain(x->r->own, x->r->own_count, a) ||
		 prefixes_contain(x->r->own, x->r->own_count, &inner))
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "forbidden: an external name must not lead inside; only an entry "
		    "with location MESH_INTERNAL, or one that lists the address, opens "
		    "it");
}

static void
refuse(const struct explainer *x, bool metadata)
{
	x->out->needs_lookup = !metadata;
	explain_say(x->out, EXPLAIN_RULE, NULL,
	    metadata
		? "the metadata address is open only where an entry lists it under "
		  "addresses, and no lookup opens it"
		: "no entry that this workload sees lists the address: it is open only "
		  "after a lookup of a name by that pod");
	near(x);
	if (x->out->count == 1)
		note_range(x); /* nobody lists it */
}

void
explain_address(const struct explainer *x)
{
	const struct explain_question *q = x->q;
	bool metadata = is_metadata(&q->address);

	if (explainer_mode(x) == OUTBOUND_ALLOW_ANY) {
		x->out->allowed = true;
		explain_say(x->out, EXPLAIN_RULE, NULL,
		    "the mode is ALLOW_ANY: nothing is refused");
	} else if (!metadata &&
		   prefixes_contain(q->internal, q->internal_count, &q->address)) {
		x->out->allowed = true;
		explain_say(x->out, EXPLAIN_RULE, NULL,
		    "the address is in the internal ranges of the configuration: open to "
		    "all pods, on all ports");
	} else if (!allow_listed(x)) {
		refuse(x, metadata);
	}
}
