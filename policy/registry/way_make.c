/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/way_make.h"

#include <stdlib.h>
#include <string.h>

#include "policy/registry/target.h"

/* Not the order, which only says which of two equal ones holds. */
static int
compare_keys(const struct way_override *x, const struct way_override *y)
{
	int order = memcmp(&x->endpoint, &y->endpoint, sizeof(x->endpoint));

	if (order == 0)
		order = x->number - y->number;
	return order != 0 ? order : x->proto - y->proto;
}

static int
compare_overrides(const void *a, const void *b)
{
	const struct way_override *x = a, *y = b;
	int order = compare_keys(x, y);

	return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static int
compare_found(const void *a, const void *b)
{
	return compare_keys(a, b);
}

/* Sorts, and leaves the first of those for one endpoint's port; returns how many. */
static size_t
settle(struct way_override *list, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		list[i].order = (uint32_t)i;
	if (count > 1)
		qsort(list, count, sizeof(*list), compare_overrides);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare_keys(&list[kept - 1], &list[i]) != 0)
			list[kept++] = list[i];
	return kept;
}

const struct way_override *
way_find(const struct way_override *list, size_t count, const struct registry_port *port,
    const struct addr *endpoint)
{
	const struct way_override key = {
	    .endpoint = *endpoint, .number = port->number, .proto = port->proto};

	if (count == 0)
		return NULL;
	return bsearch(&key, list, count, sizeof(key), compare_found);
}

/* What the endpoint itself says of the port; NULL: nothing. */
static const struct entry_endpoint_port *
own_port(const struct entry_endpoint *at, const char *name)
{
	for (size_t i = 0; i < at->port_count; i++)
		if (strcmp(at->ports[i].name, name) == 0)
			return &at->ports[i];
	return NULL;
}

/* Of one endpoint, to the end of list; only counted when that is NULL. */
static size_t
fill_endpoint(const struct service_entry *e, const struct entry_endpoint *at,
    struct way_override *list, size_t n)
{
	for (size_t i = 0; i < e->port_count && at->port_count > 0; i++) {
		const struct registry_port *p = &e->ports[i].port;
		const struct entry_endpoint_port *own = own_port(at, p->name);

		if (own == NULL)
			continue;
		if (list != NULL)
			list[n] = (struct way_override){
			    .endpoint = at->address,
			    .number = p->number,
			    .proto = p->proto,
			    .to = own->number != p->number ? own->number : 0,
			};
		n++;
	}
	return n;
}

static size_t
fill_overrides(const struct service_entry *e, struct way_override *list)
{
	size_t n = 0;

	for (size_t i = 0; i < e->endpoint_count; i++)
		if (e->endpoints[i].kind == ENDPOINT_ADDRESS)
			n = fill_endpoint(e, &e->endpoints[i], list, n);
	return n;
}

int
way_make_target(struct definitions *d, const struct service_entry *e,
    const struct entry_endpoint *at, struct registry_target *target)
{
	size_t n = fill_endpoint(e, at, NULL, 0);
	struct way_override *list;

	if (n == 0)
		return 0;
	list = memory_array(d->image, n, sizeof(*list));
	if (list == NULL)
		return d->image->lack;
	(void)fill_endpoint(e, at, list, 0); /* as many as were counted */
	target->port_count = settle(list, n);
	target->ports = list;
	return 0;
}

/* NULL when memory lacks. */
static const struct way_host *
make_host(struct memory *image, struct way_override *list, size_t count, bool fronted)
{
	struct way_host *ways = memory_alloc(image, sizeof(*ways));

	if (ways != NULL)
		*ways = (struct way_host){.overrides = list,
		    .override_count = settle(list, count),
		    .fronted = fronted};
	return ways;
}

static int
make_ways(struct definitions *d, const struct service_entry *e, struct entry_image *im)
{
	size_t n = fill_overrides(e, NULL);
	struct way_override *list;

	if (n == 0 && im->backend_count == 0)
		return 0;
	list = memory_array(d->image, n, sizeof(*list));
	if (list == NULL)
		return d->image->lack;
	(void)fill_overrides(e, list); /* as many as were counted */
	im->ways = make_host(d->image, list, n, im->backend_count > 0);
	return im->ways != NULL ? 0 : d->image->lack;
}

/* Do its addresses stand before something? Not a Service's: what kube-proxy does for
 * these is its own affair. */
static bool
is_fronted(const struct service_entry *e)
{
	return e->address_count > 0 && e->resolution != RESOLUTION_NONE &&
	       strcmp(e->source.kind, "Service") != 0 &&
	       (e->endpoint_count > 0 || service_entry_asks_host(e));
}

/* NULL: it was left out. */
static const struct registry_target *
find_target(const struct entry_image *im, const char *text)
{
	struct name name;

	if (name_parse(text, strlen(text), &name) < 0)
		return NULL;
	for (size_t i = 0; i < im->target_count; i++)
		if (im->targets[i].len == name.len &&
		    memcmp(im->targets[i].name, name.bytes, name.len) == 0)
			return &im->targets[i];
	return NULL;
}

static void
add_endpoint(
    struct entry_image *im, const struct entry_endpoint *at, struct way_backend *list)
{
	struct way_backend backend = {
	    .addr = at->address, .weight = MAX_OF(at->weight, 1u)};

	if (at->kind == ENDPOINT_NAME) {
		backend.addr = (struct addr){0};
		backend.target = find_target(im, at->name);
	}
	if (at->kind == ENDPOINT_ADDRESS || backend.target != NULL)
		list[im->backend_count++] = backend;
}

/* The entry's first host is what its addresses stand for. */
static int
add_host(struct definitions *d, const struct service_entry *e, struct entry_image *im,
    struct way_backend *list)
{
	struct targets t;
	int r = targets_init(&t, d->image, 1);

	if (r == 0)
		r = targets_add(&t, d->image, d->tree, e->hosts[0].text);
	if (r == 0)
		list[im->backend_count++] =
		    (struct way_backend){.target = t.list, .weight = 1};
	return r;
}

static int
make_backends(
    struct definitions *d, const struct service_entry *e, struct entry_image *im)
{
	struct way_backend *list =
	    memory_array(d->image, MAX_OF(e->endpoint_count, 1u), sizeof(*list));

	if (list == NULL)
		return d->image->lack;
	im->backends = list;
	if (e->endpoint_count == 0)
		return add_host(d, e, im, list);
	for (size_t i = 0; i < e->endpoint_count; i++)
		add_endpoint(im, &e->endpoints[i], list);
	return 0;
}

int
way_make(struct definitions *d, const struct service_entry *e, struct entry_image *im)
{
	int r = 0;

	if (is_fronted(e))
		r = make_backends(d, e, im);
	if (r == 0)
		r = make_ways(d, e, im);
	im->leads = im->backend_count > 0;
	for (size_t i = 0; i < e->port_count && !im->leads; i++)
		im->leads = e->address_count > 0 && e->ports[i].port.to != 0;
	return r;
}

int
way_unite(struct definitions *d, const struct definition *def, struct registry_host *h)
{
	struct way_override *list;
	size_t n = 0;
	bool any = false, fronted = false;

	for (const struct definition_part *p = def->parts; p != NULL; p = p->next) {
		const struct way_host *ways = p->entry->image->ways;

		n += ways != NULL ? ways->override_count : 0;
		any = any || ways != NULL;
		fronted = fronted || (ways != NULL && ways->fronted);
	}
	if (!any)
		return 0;
	list = memory_array(d->image, n, sizeof(*list));
	if (list == NULL)
		return d->image->lack;
	n = 0;
	for (const struct definition_part *p = def->parts; p != NULL; p = p->next) {
		const struct way_host *ways = p->entry->image->ways;

		for (size_t i = 0; ways != NULL && i < ways->override_count; i++)
			list[n++] = ways->overrides[i];
	}
	h->ways = make_host(d->image, list, n, fronted);
	return h->ways != NULL ? 0 : d->image->lack;
}
