/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One Service with what its slices say. */
struct subject {
	struct registry_builder *b;
	const struct service *service;
	struct endpoint_slice **slices; /* of it */
	size_t slice_count;
	struct entry_port *ports; /* its own and the slices' */
	size_t port_count;
};

static int
slice_compare(const void *a, const void *b)
{
	const struct endpoint_slice *x = *(struct endpoint_slice *const *)a;
	const struct endpoint_slice *y = *(struct endpoint_slice *const *)b;
	int order = strcmp(x->namespace, y->namespace);

	return order != 0 ? order : strcmp(x->service, y->service);
}

/* By namespace and Service; those of nobody are left out. */
static int
sort_slices(struct registry_builder *b, struct endpoint_slice ***ret_list, size_t *ret_n)
{
	struct endpoint_slice **list =
	    memory_array(&b->build, b->slice_count, sizeof(struct endpoint_slice *));
	size_t n = 0;

	if (list == NULL)
		return b->build.lack;
	for (struct endpoint_slice *s = b->slices; s != NULL; s = s->next)
		if (s->service != NULL)
			list[n++] = s;
	if (n > 1)
		qsort(list, n, sizeof(struct endpoint_slice *), slice_compare);
	*ret_list = list;
	*ret_n = n;
	return 0;
}

/* The first slice that does not stand before the Service's, and how many are its. */
static void
find_slices(struct subject *s, struct endpoint_slice **list, size_t n)
{
	struct endpoint_slice key = {
	    .namespace = s->service->source.namespace,
	    .service = s->service->source.name,
	};
	const struct endpoint_slice *wanted = &key;
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice_compare(&list[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	s->slices = list + low;
	while (low + s->slice_count < n &&
	       slice_compare(&list[low + s->slice_count], &wanted) == 0)
		s->slice_count++;
}

static bool
has_port(const struct subject *s, const struct registry_port *p)
{
	for (size_t i = 0; i < s->port_count; i++)
		if (s->ports[i].port.number == p->number &&
		    s->ports[i].port.proto == p->proto)
			return true;
	return false;
}

static void
add_ports(struct subject *s, const struct service_ports *ports, size_t size)
{
	for (size_t i = 0; i < ports->count && s->port_count < size; i++)
		if (!has_port(s, &ports->list[i].port))
			s->ports[s->port_count++] = ports->list[i];
}

/* Behind a ClusterIP the slices' ports are not what a pod asks for. */
static int
unite_ports(struct subject *s)
{
	size_t size = s->service->ports.count;

	for (size_t i = 0; i < s->slice_count; i++)
		size += s->slices[i]->ports.count;
	size = MIN_OF(size, (size_t)SERVICE_ENTRY_PORTS_MAX);
	s->ports = memory_array(&s->b->build, size, sizeof(*s->ports));
	if (s->ports == NULL)
		return s->b->build.lack;
	add_ports(s, &s->service->ports, size);
	for (size_t i = 0; i < s->slice_count; i++)
		if (s->service->kind == SERVICE_HEADLESS)
			add_ports(s, &s->slices[i]->ports, size);
	return 0;
}

/* prefix: a hostname, or NULL. -EINVAL: longer than a name may be. */
static int
host_text(const struct subject *s, const char *prefix, const char **ret_text)
{
	const struct registry_settings *settings = s->b->settings;
	const char *domain =
	    settings->cluster_domain != NULL ? settings->cluster_domain : CLUSTER_DOMAIN;
	char text[NAME_TEXT_MAX];
	struct name name;
	int len;

	len = snprintf(text, sizeof(text), "%s%s%s.%s.svc.%s",
	    prefix != NULL ? prefix : "", prefix != NULL ? "." : "",
	    s->service->source.name, s->service->source.namespace, domain);
	if (len < 0 || (size_t)len >= sizeof(text) ||
	    name_parse(text, (size_t)len, &name) < 0)
		return -EINVAL;
	*ret_text = memory_text(&s->b->build, text, (size_t)len);
	return *ret_text != NULL ? 0 : s->b->build.lack;
}

/* An entry of one host, with room for count endpoints; NULL when its name is too long,
 * which is told, or memory lacks. */
static struct service_entry *
make_entry(const struct subject *s, const char *prefix, size_t count)
{
	const struct service *svc = s->service;
	struct memory *m = &s->b->build;
	struct service_entry *e = memory_alloc(m, sizeof(*e));
	struct entry_host *host = memory_alloc(m, sizeof(*host));
	int r;

	if (e == NULL || host == NULL)
		return NULL;
	r = host_text(s, prefix, &host->text);
	if (r == -EINVAL)
		findings_add(s->b->findings, FINDING_WARNING, svc->source.file,
		    svc->source.line, svc->column,
		    "the name of Service %s/%s under the cluster's domain is too long, "
		    "and left out",
		    svc->source.namespace, svc->source.name);
	if (r < 0)
		return NULL;
	host->line = svc->source.line;
	e->source = svc->source;
	e->column = svc->column;
	e->created = svc->created;
	e->hosts = host;
	e->host_count = 1;
	e->ports = s->ports;
	e->port_count = s->port_count;
	e->resolution = RESOLUTION_STATIC;
	e->internal = true;
	e->export = svc->export;
	e->labels = "";
	e->endpoints = memory_array(m, count, sizeof(*e->endpoints));
	return e->endpoints != NULL ? e : NULL;
}

static void
add_entry(const struct subject *s, struct service_entry *e)
{
	*s->b->entries_end = e;
	s->b->entries_end = &e->next;
	s->b->entry_count++;
}

static void
add_endpoint(struct service_entry *e, const struct addr *a)
{
	e->endpoints[e->endpoint_count++] =
	    (struct entry_endpoint){.kind = ENDPOINT_ADDRESS, .address = *a};
}

static void
take_cluster_ip(const struct subject *s)
{
	struct service_entry *e = make_entry(s, NULL, s->service->address_count);

	if (e == NULL)
		return;
	for (size_t i = 0; i < s->service->address_count; i++)
		add_endpoint(e, &s->service->addresses[i]);
	add_entry(s, e);
}

/* In the cluster's domain or an internal zone? Nobody outside can answer for it then. */
static bool
is_inside(const struct subject *s, const char *text)
{
	const struct registry_settings *settings = s->b->settings;
	const char *domain =
	    settings->cluster_domain != NULL ? settings->cluster_domain : CLUSTER_DOMAIN;
	struct name name, zone;

	if (name_parse(text, strlen(text), &name) < 0)
		return false;
	if (name_parse(domain, strlen(domain), &zone) == 0 && name_within(&name, &zone))
		return true;
	for (size_t i = 0; i < settings->zone_count; i++)
		if (name_within(&name, &settings->zones[i]))
			return true;
	return false;
}

static void
take_external_name(const struct subject *s)
{
	struct service_entry *e = make_entry(s, NULL, 1);

	if (e == NULL)
		return;
	e->resolution = RESOLUTION_DNS;
	/* as MESH_EXTERNAL, as Istio has it: whose name it is must not lead inside */
	e->internal = is_inside(s, s->service->external_name);
	e->endpoints[e->endpoint_count++] = (struct entry_endpoint){
	    .kind = ENDPOINT_NAME,
	    .name = s->service->external_name,
	    .line = s->service->source.line,
	};
	add_entry(s, e);
}

static bool
counts(const struct subject *s, const struct slice_endpoint *e)
{
	return e->ready || s->service->not_ready_too;
}

static size_t
count_endpoints(const struct subject *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->slice_count; i++)
		for (size_t k = 0; k < s->slices[i]->endpoint_count; k++)
			n += counts(s, &s->slices[i]->endpoints[k]);
	if (n > CLUSTER_ENDPOINTS_MAX)
		findings_add(s->b->findings, FINDING_WARNING, s->service->source.file,
		    s->service->source.line, s->service->column,
		    "Service %s/%s has %zu endpoints: only the first %d are answered",
		    s->service->source.namespace, s->service->source.name, n,
		    CLUSTER_ENDPOINTS_MAX);
	return n;
}

/* Those that count, in the order of the slices; how many. */
static size_t
list_endpoints(const struct subject *s, const struct slice_endpoint **list, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < s->slice_count; i++)
		for (size_t k = 0; k < s->slices[i]->endpoint_count && n < size; k++)
			if (counts(s, &s->slices[i]->endpoints[k]))
				list[n++] = &s->slices[i]->endpoints[k];
	return n;
}

/* By hostname; those without one stand last. */
static int
hostname_compare(const void *a, const void *b)
{
	const struct slice_endpoint *x = *(const struct slice_endpoint *const *)a;
	const struct slice_endpoint *y = *(const struct slice_endpoint *const *)b;

	if (x->hostname == NULL || y->hostname == NULL)
		return (x->hostname == NULL) - (y->hostname == NULL);
	return strcmp(x->hostname, y->hostname);
}

/* A host of its own for each hostname in a sorted list. */
static void
take_hostnames(const struct subject *s, const struct slice_endpoint **list, size_t n)
{
	size_t end;

	for (size_t i = 0; i < n && list[i]->hostname != NULL; i = end) {
		struct service_entry *e;

		end = i + 1;
		while (end < n && hostname_compare(&list[i], &list[end]) == 0)
			end++;
		e = make_entry(s, list[i]->hostname, end - i);
		if (e == NULL)
			return;
		for (size_t k = i; k < end; k++)
			add_endpoint(e, &list[k]->address);
		add_entry(s, e);
	}
}

static void
take_headless(const struct subject *s)
{
	size_t size = MIN_OF(count_endpoints(s), (size_t)CLUSTER_ENDPOINTS_MAX);
	const struct slice_endpoint **list =
	    memory_array(&s->b->build, size, sizeof(const struct slice_endpoint *));
	struct service_entry *e;
	size_t n;

	if (list == NULL)
		return;
	n = list_endpoints(s, list, size);
	e = make_entry(s, NULL, n);
	if (e == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		add_endpoint(e, &list[i]->address);
	add_entry(s, e);
	if (n > 1)
		qsort(list, n, sizeof(const struct slice_endpoint *), hostname_compare);
	take_hostnames(s, list, n);
}

static int
take_service(struct subject *s)
{
	int r = unite_ports(s);

	if (r < 0)
		return r;
	switch (s->service->kind) {
	case SERVICE_CLUSTER_IP:
		take_cluster_ip(s);
		break;
	case SERVICE_HEADLESS:
		take_headless(s);
		break;
	case SERVICE_EXTERNAL_NAME:
		take_external_name(s);
		break;
	}
	return s->b->build.lack;
}

int
cluster_apply(struct registry_builder *b)
{
	struct endpoint_slice **slices = NULL;
	size_t n = 0;
	int r = sort_slices(b, &slices, &n);

	for (const struct service *svc = b->services; svc != NULL && r == 0;
	     svc = svc->next) {
		struct subject s = {.b = b, .service = svc};

		find_slices(&s, slices, n);
		r = take_service(&s);
	}
	return r;
}
