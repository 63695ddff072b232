/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/entry_image.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/registry/target.h"
#include "policy/registry/way_make.h"

static const struct registry_port *
copy_ports(struct definitions *d, const struct service_entry *e)
{
	struct registry_port *ports =
	    memory_array(d->image, e->port_count, sizeof(*ports));

	for (size_t i = 0; ports != NULL && i < e->port_count; i++) {
		const struct interned *name =
		    intern_text(d->words, e->ports[i].port.name);
		const struct interned *protocol =
		    intern_text(d->words, e->ports[i].port.protocol);

		if (name == NULL || protocol == NULL)
			return NULL;
		ports[i] = e->ports[i].port;
		ports[i].name = name->text;
		ports[i].protocol = protocol->text;
	}
	return ports;
}

static struct prefix
whole_address(const struct addr *a)
{
	return (struct prefix){.addr = *a, .len = a->family == AF_INET ? 32 : 128};
}

static size_t
count_endpoint_addresses(const struct service_entry *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->endpoint_count; i++)
		n += e->endpoints[i].kind == ENDPOINT_ADDRESS;
	return n;
}

static const struct prefix *
copy_endpoints(struct definitions *d, const struct service_entry *e, size_t n)
{
	struct prefix *endpoints = memory_array(d->image, n, sizeof(*endpoints));

	n = 0;
	for (size_t i = 0; endpoints != NULL && i < e->endpoint_count; i++)
		if (e->endpoints[i].kind == ENDPOINT_ADDRESS)
			endpoints[n++] = whole_address(&e->endpoints[i].address);
	return endpoints;
}

/* first and all names behind it. */
static void
warn_left_out(const struct definitions *d, const struct service_entry *e,
    const struct entry_endpoint *first)
{
	char quoted[FINDING_QUOTE_MAX];

	findings_add(d->findings, FINDING_WARNING, e->source.file, first->line, 1,
	    "%d names of endpoints are asked for one host: that of %s and all new ones "
	    "behind it are left out",
	    REGISTRY_TARGETS_MAX,
	    finding_quote(first->name, strlen(first->name), quoted));
}

static int
copy_targets(struct definitions *d, const struct service_entry *e, struct entry_image *im)
{
	struct targets t;
	size_t known;
	int r;

	r = targets_init(&t, d->image, e->endpoint_count - im->endpoint_count);
	for (size_t i = 0; i < e->endpoint_count && r >= 0; i++) {
		if (e->endpoints[i].kind != ENDPOINT_NAME)
			continue;
		known = t.len;
		r = targets_add(&t, d->image, d->tree, e->endpoints[i].name);
		if (r == 0 && t.len > known)
			r = way_make_target(d, e, &e->endpoints[i], &t.list[known]);
		if (r > 0 && t.left_out == 1)
			warn_left_out(d, e, &e->endpoints[i]);
	}
	im->targets = t.list;
	im->target_count = t.len;
	return MIN_OF(r, 0);
}

static const struct prefix *
copy_addresses(struct definitions *d, const struct service_entry *e)
{
	struct prefix *addresses =
	    memory_array(d->image, e->address_count, sizeof(*addresses));

	if (addresses != NULL && e->address_count > 0)
		memcpy(addresses, e->addresses, e->address_count * sizeof(*addresses));
	return addresses;
}

int
entry_image_make(
    struct definitions *d, struct service_entry *entry, const struct interned *namespace)
{
	struct entry_image *im = memory_alloc(d->scratch, sizeof(*im));
	int r;

	if (im == NULL)
		return d->scratch->lack;
	im->source = entry->source;
	im->source.namespace = namespace->text;
	im->source.name =
	    memory_text(d->image, entry->source.name, strlen(entry->source.name));
	im->port_count = entry->port_count;
	im->ports = copy_ports(d, entry);
	im->address_count = entry->address_count;
	im->addresses = copy_addresses(d, entry);
	im->endpoint_count = count_endpoint_addresses(entry);
	im->endpoints = copy_endpoints(d, entry, im->endpoint_count);
	entry->image = im;
	r = copy_targets(d, entry, im);
	return r == 0 ? way_make(d, entry, im) : r;
}

static int
port_compare(const void *a, const void *b)
{
	const struct registry_port *x = a;
	const struct registry_port *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->proto > y->proto) - (x->proto < y->proto);
}

static int
prefix_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct prefix));
}

/* Sorts n elements and leaves each once; returns how many. */
static size_t
unite(void *list, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	char *at = list;
	size_t kept = 0;

	if (n > 1)
		qsort(list, n, size, compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || compare(at + (kept - 1) * size, at + i * size) != 0) {
			if (kept != i)
				memcpy(at + kept * size, at + i * size, size);
			kept++;
		}
	return kept;
}

static void
warn_parts(const struct definitions *d, const struct definition *def,
    const struct service_entry *first)
{
	const struct registry_source *s = &first->source;
	char quoted[FINDING_QUOTE_MAX];

	findings_add(d->findings, FINDING_WARNING, s->file, s->line, 1,
	    "host %s has endpoints in several entries: %d of their names are asked, and "
	    "what ServiceEntry %s/%s and younger ones add to them is left out",
	    finding_quote(def->entry_host->text, strlen(def->entry_host->text), quoted),
	    REGISTRY_TARGETS_MAX, s->namespace, s->name);
}

/* The names of all parts; the host's own among them when one part has no endpoints while
 * another one does. */
static int
unite_targets(
    struct definitions *d, const struct definition *def, struct registry_host *h)
{
	bool itself = false, others = false;
	struct targets t;
	size_t n = 1;
	int r;

	for (const struct definition_part *p = def->parts; p != NULL; p = p->next) {
		n += p->entry->image->target_count;
		itself = itself || service_entry_asks_host(p->entry);
		others = others || p->entry->endpoint_count > 0;
	}
	r = targets_init(&t, d->image, n);
	if (r == 0 && itself && others)
		r = targets_add(&t, d->image, d->tree, def->entry_host->text);
	for (const struct definition_part *p = def->parts; p != NULL && r >= 0;
	     p = p->next) {
		size_t left_out = t.left_out;

		for (size_t i = 0; i < p->entry->image->target_count && r >= 0; i++)
			r = targets_join(&t, &p->entry->image->targets[i]);
		if (left_out == 0 && t.left_out > 0)
			warn_parts(d, def, p->entry);
	}
	h->targets = t.list;
	h->target_count = t.len;
	return MIN_OF(r, 0);
}

/* Which ports there are already: the oldest part that lists one says where it leads. */
struct port_set {
	uint8_t bits[2][(UINT16_MAX + 1) / 8];
};

static bool
is_new(struct port_set *seen, const struct registry_port *p)
{
	uint8_t *byte = &seen->bits[p->proto == IPPROTO_UDP][p->number / 8];
	uint8_t bit = (uint8_t)(1 << p->number % 8);
	bool new = (*byte & bit) == 0;

	*byte |= bit;
	return new;
}

/* The lists of all parts, one behind the other. */
static int
unite_parts(struct definitions *d, const struct definition *def, struct registry_host *h)
{
	struct registry_port *ports;
	struct prefix *addresses, *endpoints;
	struct port_set seen = {0};
	size_t np = 0, na = 0, ne = 0;
	int r;

	for (const struct definition_part *p = def->parts; p != NULL; p = p->next) {
		np += p->entry->image->port_count;
		na += p->entry->image->address_count;
		ne += p->entry->image->endpoint_count;
	}
	ports = memory_array(d->image, np, sizeof(*ports));
	addresses = memory_array(d->image, na, sizeof(*addresses));
	endpoints = memory_array(d->image, ne, sizeof(*endpoints));
	if (ports == NULL || addresses == NULL || endpoints == NULL)
		return d->image->lack;
	np = na = ne = 0;
	for (const struct definition_part *p = def->parts; p != NULL; p = p->next) {
		const struct entry_image *im = p->entry->image;

		for (size_t i = 0; i < im->port_count; i++)
			if (is_new(&seen, &im->ports[i]))
				ports[np++] = im->ports[i];
		for (size_t i = 0; i < im->address_count; i++)
			addresses[na++] = im->addresses[i];
		for (size_t i = 0; i < im->endpoint_count; i++)
			endpoints[ne++] = im->endpoints[i];
	}
	h->ports = ports;
	h->port_count = unite(ports, np, sizeof(*ports), port_compare);
	h->addresses = addresses;
	h->address_count = unite(addresses, na, sizeof(*addresses), prefix_compare);
	h->endpoints = endpoints;
	h->endpoint_count = unite(endpoints, ne, sizeof(*endpoints), prefix_compare);
	r = way_unite(d, def, h);
	return r == 0 ? unite_targets(d, def, h) : r;
}

/* With no name to ask, that is. */
static bool
listed_only(const struct service_entry *e)
{
	return e->resolution == RESOLUTION_STATIC || e->endpoint_count > 0 ||
	       (e->selector != NULL && e->resolution != RESOLUTION_NONE);
}

/* All parts say the same. */
static int
copy_export(struct definitions *d, const struct definition *def, struct registry_host *h)
{
	const struct export *e = &def->parts->entry->export;
	const char **list = memory_array(d->image, e->count, sizeof(*list));

	if (list == NULL)
		return d->image->lack;
	for (size_t i = 0; i < e->count; i++) {
		const struct interned *namespace =
		    intern_text(d->namespaces, e->namespaces[i]);

		if (namespace == NULL)
			return d->image->lack;
		list[i] = namespace->text;
	}
	h->exported_to_all = e->public;
	h->exported_to = list;
	h->exported_count = e->count;
	return 0;
}

/* What a Service says of a name in an internal zone is asked there: the manifest's
 * addresses may be older than the zone's. */
static void
settle_service(const struct definition *def, struct registry_host *h)
{
	h->service = strcmp(h->source.kind, "Service") == 0;
	if (!h->service)
		return;
	def->node->service = true;
	for (const struct tree_node *n = def->node; n != NULL; n = n->parent)
		if (n->zone != TREE_NO_ZONE) {
			h->in_zone = true;
			h->zone = n->zone;
			h->listed_only = false;
			h->target_count = 0;
			return;
		}
}

static void
settle_origin(
    const struct definitions *d, const struct definition *def, struct registry_host *h)
{
	settle_service(def, h);
	h->listed_only = h->listed_only && h->target_count == 0;
	h->origin = targets_origin(h, &d->key);
}

int
entry_image_host(struct definitions *d, struct definition *def)
{
	const struct entry_image *oldest = def->parts->entry->image;
	struct registry_host *h = memory_alloc(d->image, sizeof(*h));

	if (h == NULL)
		return d->image->lack;
	h->source = oldest->source;
	h->host =
	    memory_text(d->image, def->entry_host->text, strlen(def->entry_host->text));
	if (h->host == NULL)
		return d->image->lack;
	h->wildcard = def->wildcard;
	h->resolution = def->parts->entry->resolution;
	/* where parts differ, what allows less holds */
	h->internal = true;
	for (const struct definition_part *p = def->parts; p != NULL; p = p->next) {
		h->internal = h->internal && p->entry->internal;
		h->listed_only = h->listed_only || listed_only(p->entry);
	}
	def->host = h;
	if (copy_export(d, def, h) < 0)
		return d->image->lack;
	if (def->part_count > 1) {
		int r = unite_parts(d, def, h);

		settle_origin(d, def, h);
		return r;
	}
	h->ports = oldest->ports;
	h->port_count = oldest->port_count;
	h->addresses = oldest->addresses;
	h->address_count = oldest->address_count;
	h->endpoints = oldest->endpoints;
	h->endpoint_count = oldest->endpoint_count;
	h->ways = oldest->ways;
	h->targets = oldest->targets;
	h->target_count = oldest->target_count;
	settle_origin(d, def, h);
	return 0;
}
