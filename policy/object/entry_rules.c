/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/entry_rules.h"

#include <string.h>

#define DRY_RUN "istio.io/dry-run"
#define USE_WAYPOINT "istio.io/use-waypoint"
#define AUTO_ALLOCATE "networking.istio.io/enable-autoallocate-ip"

static bool
by_dns(const struct draft *d)
{
	return d->entry->resolution == RESOLUTION_DNS ||
	       d->entry->resolution == RESOLUTION_DNS_ROUND_ROBIN;
}

static bool
dynamic_dns(const struct draft *d)
{
	return d->entry->resolution == RESOLUTION_DYNAMIC_DNS;
}

static size_t
elements(const struct node *list)
{
	return list != NULL && list->kind == NODE_SEQUENCE ? list->len : 0;
}

static const char *
label(const struct draft *d, const char *key)
{
	const struct node *n = reader_get(d->manifest->labels, key);

	return n != NULL && n->kind == NODE_SCALAR ? n->text : "";
}

/* E1 */
static void
annotation(const struct draft *d)
{
	const struct node *n = node_get(d->manifest->annotations, DRY_RUN);

	if (n != NULL)
		reader_error(d->rd, n->key,
		    "annotation " DRY_RUN " is not supported here: remove it");
}

/* E3: it is their presence that the schema looks at. */
static void
selector_and_endpoints(const struct draft *d)
{
	if (d->selector != NULL && d->endpoints != NULL)
		reader_error(d->rd, d->selector,
		    "workloadSelector and endpoints exclude each other: remove one");
}

/* E4 */
static void
no_hosts(const struct draft *d)
{
	if (d->hosts == NULL)
		reader_error(d->rd, d->manifest->spec, "hosts is missing: list one");
	else if (d->hosts->kind == NODE_SEQUENCE && d->hosts->len == 0)
		reader_error(d->rd, d->hosts, "hosts is empty: list at least one");
}

/* E8 */
static void
cidr_needs_no_lookup(const struct draft *d)
{
	if (elements(d->addresses) == 0 || d->entry->resolution == RESOLUTION_NONE ||
	    d->entry->resolution == RESOLUTION_STATIC)
		return;
	for (const struct node *c = d->addresses->child; c != NULL; c = c->next)
		if (c->kind == NODE_SCALAR && strchr(c->text, '/') != NULL)
			reader_refuse(d->rd, c, "address",
			    "is a CIDR, which only goes with resolution NONE or STATIC");
}

/* E16: presence, as with E3. W4 */
static void
none_has_no_endpoints(const struct draft *d)
{
	if (d->entry->resolution != RESOLUTION_NONE)
		return;
	if (d->endpoints != NULL)
		reader_error(d->rd, d->endpoints,
		    "resolution NONE (also when absent) has no endpoints: remove them or "
		    "state STATIC or DNS");
	if (d->selector != NULL)
		reader_warning(
		    d->rd, d->selector, "a workloadSelector with resolution NONE");
}

/* E26 */
static void
dns_needs_names(const struct draft *d)
{
	if (!by_dns(d) || elements(d->endpoints) > 0 || elements(d->hosts) == 0)
		return;
	for (const struct node *c = d->hosts->child; c != NULL; c = c->next)
		if (c->kind == NODE_SCALAR && strchr(c->text, '*') != NULL)
			reader_refuse(d->rd, c, "host",
			    "is a wildcard, which resolution DNS cannot look up: use "
			    "NONE, "
			    "or add endpoints");
}

/* E27 */
static void
round_robin_has_one(const struct draft *d)
{
	if (d->entry->resolution == RESOLUTION_DNS_ROUND_ROBIN &&
	    elements(d->endpoints) > 1)
		reader_error(d->rd, d->endpoints,
		    "resolution DNS_ROUND_ROBIN takes one endpoint, not %zu",
		    d->endpoints->len);
}

static bool
has_tcp_port(const struct service_entry *e)
{
	for (size_t i = 0; i < e->port_count; i++)
		if (e->ports[i].protocol->tcp)
			return true;
	return false;
}

/* W6 */
static void
shared_addresses(const struct draft *d)
{
	if (by_dns(d) && elements(d->addresses) > 0 && d->entry->host_count > 1 &&
	    has_tcp_port(d->entry))
		reader_warning(d->rd, d->addresses,
		    "several hosts share these addresses on a TCP port: nothing can tell "
		    "them apart there");
}

/* E31 */
static void
dynamic_needs_wildcards(const struct draft *d)
{
	if (!dynamic_dns(d) || elements(d->hosts) == 0)
		return;
	for (const struct node *c = d->hosts->child; c != NULL; c = c->next)
		if (c->kind == NODE_SCALAR && c->text[0] != '*')
			reader_refuse(d->rd, c, "host",
			    "is no wildcard, which resolution DYNAMIC_DNS needs: use "
			    "DNS");
}

/* E32, E33 */
static void
dynamic_lists_nothing(const struct draft *d)
{
	if (!dynamic_dns(d))
		return;
	if (elements(d->addresses) > 0)
		reader_error(d->rd, d->addresses,
		    "resolution DYNAMIC_DNS has no addresses: remove them");
	if (elements(d->endpoints) > 0)
		reader_error(d->rd, d->endpoints,
		    "resolution DYNAMIC_DNS has no endpoints: remove them");
}

/* The place of a port's line, for findings. */
static struct node
port_place(const struct entry_port *p)
{
	return (struct node){.line = p->line, .column = p->column};
}

/* E34 */
static void
dynamic_protocols(const struct draft *d)
{
	if (!dynamic_dns(d))
		return;
	for (size_t i = 0; i < d->entry->port_count; i++) {
		const struct entry_port *p = &d->entry->ports[i];
		struct node at = port_place(p);

		if (!p->protocol->dynamic_dns)
			reader_error(d->rd, &at,
			    "port %u: resolution DYNAMIC_DNS takes HTTP, HTTP2, GRPC and "
			    "TLS only",
			    p->port.number);
	}
}

/* E36; E35, a location that is neither, ends where the word is read. */
static void
dynamic_waypoint(const struct draft *d)
{
	const char *waypoint = label(d, USE_WAYPOINT);

	if (dynamic_dns(d) && d->entry->internal && waypoint[0] != '\0' &&
	    strcmp(waypoint, "none") != 0)
		reader_error(d->rd, d->location,
		    "MESH_INTERNAL with DYNAMIC_DNS excludes the label " USE_WAYPOINT);
}

/* E38 */
static void
hosts_need_names_inside(const struct draft *d)
{
	if (d->entry->resolution == RESOLUTION_NONE || elements(d->hosts) < 2)
		return;
	for (size_t i = 0; i < d->entry->port_count; i++) {
		const struct entry_port *p = &d->entry->ports[i];
		struct node at = port_place(p);

		if (!p->protocol->http && !p->protocol->tls)
			reader_error(d->rd, &at,
			    "port %u is neither HTTP nor TLS, but the entry has several "
			    "hosts: write an entry for each",
			    p->port.number);
	}
}

/* W3: Istio opens such a port to every address; here only answers open it. */
static void
tcp_without_addresses(const struct draft *d)
{
	bool allocated = d->entry->resolution != RESOLUTION_NONE &&
			 strcmp(label(d, AUTO_ALLOCATE), "false") != 0;

	if (elements(d->addresses) > 0 || allocated)
		return;
	for (size_t i = 0; i < d->entry->port_count; i++) {
		const struct entry_port *p = &d->entry->ports[i];
		struct node at = port_place(p);

		if (p->port.protocol[0] == '\0' || strcmp(p->port.protocol, "TCP") == 0)
			reader_warning(d->rd, &at,
			    "port %u is TCP and the entry lists no addresses: it opens "
			    "for the addresses that its hosts resolve to, not for every "
			    "address as in Istio",
			    p->port.number);
	}
}

/* Ours. */
static void
no_ports(const struct draft *d)
{
	if (elements(d->ports) == 0)
		reader_note(d->rd, d->manifest->spec,
		    "no ports: the hosts resolve, and nothing opens");
}

typedef void (*rule_fn)(const struct draft *d);

static const rule_fn rules[] = {
    annotation,
    selector_and_endpoints,
    no_hosts,
    cidr_needs_no_lookup,
    none_has_no_endpoints,
    dns_needs_names,
    round_robin_has_one,
    shared_addresses,
    dynamic_needs_wildcards,
    dynamic_lists_nothing,
    dynamic_protocols,
    dynamic_waypoint,
    hosts_need_names_inside,
    tcp_without_addresses,
    no_ports,
};

void
entry_rules_check(const struct draft *d)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		rules[i](d);
}
