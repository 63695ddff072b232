/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods and WorkloadEntries are put in the order of their namespaces, so that an entry
 * looks at those of its own only.
 */
#include "policy/registry/member.h"

#include <stdlib.h>
#include <string.h>

/* A Pod or a WorkloadEntry. */
struct candidate {
	const char *namespace;
	const struct labels *labels;
	const struct pod *pod; /* NULL: the other */
	const struct workload_entry *entry;
};

struct candidates {
	struct candidate *list;
	size_t count;
};

static int
candidate_compare(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	return strcmp(x->namespace, y->namespace);
}

static int
collect(struct registry_builder *b, struct candidates *c)
{
	size_t n = b->pod_count + b->workload_entry_count;

	*c = (struct candidates){.list = memory_array(&b->build, n, sizeof(*c->list))};
	if (c->list == NULL)
		return b->build.lack;
	for (const struct pod *p = b->pods; p != NULL; p = p->next)
		c->list[c->count++] = (struct candidate){
		    .namespace = p->source.namespace, .labels = &p->labels, .pod = p};
	for (const struct workload_entry *w = b->workload_entries; w != NULL; w = w->next)
		c->list[c->count++] = (struct candidate){
		    .namespace = w->source.namespace, .labels = &w->labels, .entry = w};
	if (c->count > 1)
		qsort(c->list, c->count, sizeof(*c->list), candidate_compare);
	return 0;
}

/* The first candidate of the namespace; count when there is none. */
static size_t
first_of(const struct candidates *c, const char *namespace)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(c->list[middle].namespace, namespace) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_member(const struct service_entry *e, const struct candidate *c)
{
	return labels_match(&e->selected, c->labels);
}

static size_t
endpoints_of(const struct candidate *c)
{
	return c->pod != NULL ? c->pod->address_count : 1;
}

static void
add_pod(struct service_entry *e, const struct pod *p, size_t size)
{
	for (size_t i = 0; i < p->address_count && e->endpoint_count < size; i++)
		e->endpoints[e->endpoint_count++] = (struct entry_endpoint){
		    .kind = ENDPOINT_ADDRESS, .address = p->addresses[i]};
}

static void
add_workload(struct registry_builder *b, struct service_entry *e,
    const struct workload_entry *w, size_t size)
{
	if (w->endpoint.kind == ENDPOINT_NONE || e->endpoint_count == size)
		return;
	if (w->endpoint.kind == ENDPOINT_NAME && e->resolution != RESOLUTION_DNS &&
	    e->resolution != RESOLUTION_DNS_ROUND_ROBIN) {
		findings_add(b->findings, FINDING_WARNING, w->source.file, w->source.line,
		    1,
		    "the address of WorkloadEntry %s/%s is a name, which ServiceEntry %s "
		    "does not resolve: it is left out; use resolution DNS there",
		    w->source.namespace, w->source.name, e->source.name);
		return;
	}
	e->endpoints[e->endpoint_count++] = w->endpoint;
}

static bool
has_address(const struct service_entry *e)
{
	for (size_t i = 0; i < e->endpoint_count; i++)
		if (e->endpoints[i].kind == ENDPOINT_ADDRESS)
			return true;
	return false;
}

static int
select_members(
    struct registry_builder *b, struct service_entry *e, const struct candidates *c)
{
	size_t start = first_of(c, e->source.namespace);
	size_t end = start, wanted = 0, size;

	for (; end < c->count && strcmp(c->list[end].namespace, e->source.namespace) == 0;
	     end++)
		if (is_member(e, &c->list[end]))
			wanted += endpoints_of(&c->list[end]);
	size = MIN_OF(wanted, (size_t)SERVICE_ENTRY_ENDPOINTS_MAX);
	if (wanted > size)
		findings_add(b->findings, FINDING_WARNING, e->source.file, e->source.line,
		    e->column,
		    "the workloadSelector of ServiceEntry %s/%s matches %zu addresses: "
		    "only the first %zu are answered",
		    e->source.namespace, e->source.name, wanted, size);
	e->endpoints = memory_array(&b->build, size, sizeof(*e->endpoints));
	if (e->endpoints == NULL)
		return b->build.lack;
	for (size_t i = start; i < end; i++) {
		if (!is_member(e, &c->list[i]))
			continue;
		if (c->list[i].pod != NULL)
			add_pod(e, c->list[i].pod, size);
		else
			add_workload(b, e, c->list[i].entry, size);
	}
	if (e->resolution == RESOLUTION_NONE && has_address(e))
		e->resolution = RESOLUTION_STATIC;
	return 0;
}

int
member_apply(struct registry_builder *b)
{
	struct candidates c;
	int r = collect(b, &c);

	for (struct service_entry *e = b->entries; e != NULL && r == 0; e = e->next)
		if (e->selector != NULL && e->endpoint_count == 0)
			r = select_members(b, e, &c);
	return r;
}
