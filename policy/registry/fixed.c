/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/fixed.h"

#include <string.h>

#include "policy/registry/registry.h"
#include "policy/registry/way.h"

struct builder {
	struct fixed *f;
	const struct fixed_input *in;
	struct audiences audiences;
	struct fixed_group *groups; /* NULL: they are only counted */
	struct fixed_service *services;
	const struct audience *nobody;
	uint64_t mark; /* one for each entry and pass */
};

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
	    .services = im->services,
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

/* The ports of the entry that the host has, which may be fewer. */
static int
take_ports(
    const struct builder *b, const struct registry_host *host, struct fixed_group *g)
{
	struct memory *image = b->in->definitions->image;
	struct registry_port *ports;
	uint32_t *services;
	uint32_t n = 0;

	if (host->whole == NULL)
		return 0;
	ports = memory_array(image, g->port_count, sizeof(*ports));
	services = memory_array(image, g->port_count, sizeof(*services));
	if (ports == NULL || services == NULL)
		return image->lack;
	for (uint32_t i = 0; i < g->port_count; i++) {
		if (registry_port(host->ports, host->port_count, g->ports[i].number,
			g->ports[i].proto) == NULL)
			continue;
		ports[n] = g->ports[i];
		services[n++] = g->services != NULL ? g->services[i] : 0;
	}
	g->ports = ports;
	g->services = g->services != NULL ? services : NULL;
	g->port_count = n;
	return 0;
}

static int
add_groups(struct builder *b, const struct service_entry *e,
    const struct registry_host *host, const struct audience *audience)
{
	int r = 0;

	for (int family = 0; family < FAMILIES && r == 0; family++) {
		struct fixed_group g = group_of(e, family);

		if (g.address_count == 0)
			continue;
		if (b->groups != NULL) {
			r = take_ports(b, host, &g);
			g.host = host;
			g.audience = audience;
			g.first = b->f->count;
			b->groups[b->f->group_count] = g;
			b->f->count += group_size(&g);
		}
		b->f->group_count++;
	}
	return r;
}

/* An entry's addresses belong to none of its hosts in particular: who sees one of the
 * hosts may reach them, and an audience that sees several is named once. */
static int
add_host(struct builder *b, const struct service_entry *e, struct definition_host *h)
{
	struct audience_entry *a = h->audience;

	if (h->host->whole == NULL && a->mark == b->mark)
		return 0;
	if (h->host->whole == NULL)
		a->mark = b->mark;
	return add_groups(b, e, h->host, a->audience);
}

static int
add_entry(struct builder *b, const struct service_entry *e)
{
	const struct definition *any = NULL;
	bool seen = false;
	int r = 0;

	b->mark++;
	for (size_t i = 0; i < e->host_count && r == 0; i++) {
		const struct definition *def = e->definitions[i];

		if (def == NULL)
			continue;
		any = any != NULL ? any : def;
		for (struct definition_host *h = def->hosts; h != NULL && r == 0;
		     h = h->next)
			if (h->audience != NULL) {
				seen = true;
				r = add_host(b, e, h);
			}
	}
	/* one that nobody sees stays, for who asks why */
	if (r == 0 && !seen && any != NULL)
		r = add_groups(b, e, any->host, b->nobody);
	return r;
}

static bool
opens(const struct service_entry *e)
{
	return e->address_count > 0 && e->port_count > 0;
}

static bool
leads(const struct entry_image *im, const struct registry_port *port)
{
	return im->backend_count > 0 || port->to != 0;
}

/* At most, when its names are resolved. */
static size_t
count_ways(const struct fixed_service *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->backend_count; i++)
		n += s->backends[i].target != NULL ? FAMILIES * WAY_ADDRESSES_MAX : 1;
	if (s->named)
		n = MIN_OF(n, (size_t)WAY_NAMED_MAX);
	return MAX_OF(n, (size_t)1);
}

static bool
is_named(const struct entry_image *im)
{
	for (size_t i = 0; i < im->backend_count; i++)
		if (im->backends[i].target != NULL)
			return true;
	return false;
}

/* Of one of its definitions: location and endpoints are the entry's for all of them. */
static const struct registry_host *
host_of(const struct service_entry *e)
{
	for (size_t i = 0; i < e->host_count; i++)
		if (e->definitions[i] != NULL)
			return e->definitions[i]->host;
	return NULL;
}

static int
number_ports(struct builder *b, const struct service_entry *e)
{
	struct entry_image *im = e->image;
	struct memory *image = b->in->definitions->image;
	uint32_t *list = memory_array(image, im->port_count, sizeof(*list));
	struct registry_source *source = memory_alloc(image, sizeof(*source));

	if (list == NULL || source == NULL)
		return image->lack;
	*source = im->source;
	for (size_t i = 0; i < im->port_count; i++) {
		if (!leads(im, &im->ports[i]))
			continue;
		b->services[b->f->service_count++] = (struct fixed_service){
		    .source = source,
		    .host = host_of(e),
		    .port = im->ports[i],
		    .backends = im->backends,
		    .backend_count = im->backend_count,
		    .named = is_named(im),
		    .ways = im->ways,
		};
		list[i] = (uint32_t)b->f->service_count;
		b->f->way_count += count_ways(&b->services[b->f->service_count - 1]);
	}
	im->services = list;
	return 0;
}

static int
make_services(struct builder *b)
{
	const struct fixed_input *in = b->in;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < in->entry_count; i++)
		n += in->entries[i]->image->leads ? in->entries[i]->port_count : 0;
	if (n == 0)
		return 0;
	b->services = memory_array(in->definitions->image, n, sizeof(*b->services));
	if (b->services == NULL)
		return in->definitions->image->lack;
	b->f->services = b->services;
	for (size_t i = 0; i < in->entry_count && r == 0; i++)
		if (in->entries[i]->image->leads)
			r = number_ports(b, in->entries[i]);
	return r;
}

static int
add_entries(struct builder *b)
{
	int r = 0;

	b->f->group_count = 0;
	for (size_t i = 0; i < b->in->entry_count && r == 0; i++)
		if (opens(b->in->entries[i]))
			r = add_entry(b, b->in->entries[i]);
	return r;
}

/* All definitions that an entry with addresses has a part in, one or more times each. */
static int
list_definitions(
    const struct builder *b, struct definition ***ret_list, size_t *ret_count)
{
	const struct fixed_input *in = b->in;
	struct definition **list;
	size_t n = 0;

	for (size_t i = 0; i < in->entry_count; i++)
		n += opens(in->entries[i]) ? in->entries[i]->host_count : 0;
	list = memory_array(in->definitions->scratch, n, sizeof(struct definition *));
	if (list == NULL)
		return in->definitions->scratch->lack;
	n = 0;
	for (size_t i = 0; i < in->entry_count; i++)
		for (size_t k = 0;
		     opens(in->entries[i]) && k < in->entries[i]->host_count; k++)
			if (in->entries[i]->definitions[k] != NULL)
				list[n++] = in->entries[i]->definitions[k];
	*ret_list = list;
	*ret_count = n;
	return 0;
}

static int
find_audiences(struct builder *b)
{
	struct definition **list = NULL;
	size_t n = 0;
	int r;

	b->nobody = memory_alloc(b->in->definitions->image, sizeof(*b->nobody));
	if (b->nobody == NULL)
		return b->in->definitions->image->lack;
	r = list_definitions(b, &list, &n);
	return r == 0 ? audiences_find(&b->audiences, list, n) : r;
}

/* Counted first, then made. */
static int
make_groups(struct builder *b)
{
	int r;

	r = add_entries(b);
	if (r < 0)
		return r;
	b->groups = memory_array(
	    b->in->definitions->image, b->f->group_count, sizeof(*b->groups));
	if (b->groups == NULL)
		return b->in->definitions->image->lack;
	b->f->groups = b->groups;
	return add_entries(b);
}

int
fixed_build(struct fixed *f, const struct fixed_input *input)
{
	struct builder b = {.f = f, .in = input};
	int r;

	*f = (struct fixed){0};
	r = audiences_init(
	    &b.audiences, input->definitions, input->workloads, input->scopes);
	if (r == 0)
		r = find_audiences(&b);
	if (r == 0)
		r = make_services(&b);
	if (r == 0)
		r = make_groups(&b);
	audiences_done(&b.audiences);
	return r;
}

const struct registry_host *
fixed_largest(const struct fixed *f, size_t *ret_count)
{
	const struct fixed_group *largest = f->groups;

	for (size_t i = 1; i < f->group_count; i++)
		if (group_size(&f->groups[i]) > group_size(largest))
			largest = &f->groups[i];
	*ret_count = group_size(largest);
	return largest->host;
}

const struct registry_source *
fixed_widest(const struct fixed *f)
{
	const struct fixed_service *widest = f->services;

	for (size_t i = 1; i < f->service_count; i++)
		if (count_ways(&f->services[i]) > count_ways(widest))
			widest = &f->services[i];
	return widest->source;
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
	uint32_t service;

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
	service = g->services != NULL ? g->services[i % g->port_count] : 0;
	i /= g->port_count;
	*ret_fixed = (struct registry_fixed){
	    .pods = pod_of(g, w, i / g->address_count),
	    .destination = g->addresses[i % g->address_count],
	    .port = port->number,
	    .proto = port->proto,
	    .service = service,
	    .host = g->host,
	};
	return true;
}
