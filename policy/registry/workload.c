/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/workload.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "policy/registry/sidecar_image.h"
#include "policy/registry/tree.h"

/* Of a pod to an address. */
struct claim {
	struct table_link link;
	struct claim *next;
	struct addr addr;
	const struct pod *pod;
	const struct workload *workload; /* when it is known to hold */
	bool contested;
};

struct row {
	struct table_link link;
	struct addr addr;
	const struct workload *workload;
};

static bool
claim_matches(const struct table_link *link, const void *key)
{
	return addr_equal(&CONTAINER_OF(link, struct claim, link)->addr, key);
}

static bool
row_matches(const struct table_link *link, const void *key)
{
	return addr_equal(&CONTAINER_OF(link, struct row, link)->addr, key);
}

static size_t
count_addresses(const struct pod *pods)
{
	size_t n = 0;

	for (const struct pod *p = pods; p != NULL; p = p->next)
		n += p->address_count;
	return n;
}

static void
contest(struct claim *c, const struct pod *other, struct findings *findings)
{
	char text[ADDR_TEXT_MAX];
	const struct registry_source *a = &c->pod->source;
	const struct registry_source *b = &other->source;

	c->contested = true;
	findings_add(findings, FINDING_WARNING, b->file, b->line, 1,
	    "Pods %s/%s and %s/%s (%s:%u) both have the address %s: neither is known by "
	    "it",
	    b->namespace, b->name, a->namespace, a->name, a->file, a->line,
	    addr_format(&c->addr, text));
}

static int
claim_address(struct table *claims, struct claim ***end, const struct pod *pod,
    const struct addr *a, const struct workloads_input *input, const struct hash_key *key)
{
	uint64_t hash = hash_bytes(key, a, sizeof(*a));
	struct table_link *link = table_find(claims, hash, claim_matches, a);
	struct claim *c;

	if (link != NULL) {
		contest(CONTAINER_OF(link, struct claim, link), pod, input->findings);
		return 0;
	}
	c = memory_alloc(input->scratch, sizeof(*c));
	if (c == NULL)
		return input->scratch->lack;
	c->addr = *a;
	c->pod = pod;
	**end = c;
	*end = &c->next;
	return table_add(claims, hash, &c->link);
}

/* All addresses, in the order of the pods, into *ret_list. */
static int
claim_all(const struct workloads_input *input, const struct hash_key *key,
    struct claim **ret_list)
{
	struct claim *list = NULL;
	struct claim **end = &list;
	struct table claims;
	int r;

	r = table_init(&claims, MAX_OF(count_addresses(input->pods), 1));
	if (r < 0)
		return r;
	for (const struct pod *p = input->pods; p != NULL; p = p->next)
		for (size_t i = 0; i < p->address_count && r == 0; i++)
			r = claim_address(&claims, &end, p, &p->addresses[i], input, key);
	table_done(&claims);
	if (r == 0)
		*ret_list = list;
	return r;
}

static uint64_t
identity_of(const struct pod *pod, const struct hash_key *key)
{
	const char *const texts[] = {pod->source.namespace, pod->source.name, pod->uid};
	uint64_t hashes[ARRAY_LEN(texts)], identity;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		hashes[i] = hash_bytes(key, texts[i], strlen(texts[i]));
	identity = hash_bytes(key, hashes, sizeof(hashes));
	return identity != 0 ? identity : 1;
}

static struct workload *
make_workload(const struct pod *pod, const struct workloads_input *input,
    const struct hash_key *key)
{
	const struct interned *namespace =
	    intern_find(input->namespaces, pod->source.namespace);
	struct workload *w = memory_alloc(input->image, sizeof(*w));
	const struct sidecar *s;

	assert(namespace != NULL);
	if (w == NULL)
		return NULL;
	s = sidecar_set_choose(input->sidecars, namespace->id, &pod->labels);
	w->namespace = namespace->text;
	w->namespace_id = namespace->id;
	w->identity = identity_of(pod, key);
	w->scope_id = scopes_find(input->scopes, s, namespace->id);
	w->mode = sidecar_mode(s, input->mode);
	w->sidecar = s != NULL ? s->told : NULL;
	w->name = memory_text(input->image, pod->source.name, strlen(pod->source.name));
	return w->name != NULL ? w : NULL;
}

/* The first of a family is the pod's own: Kubernetes gives one of each. */
static void
add_address(struct workload *w, const struct addr *a)
{
	struct addr *own = a->family == AF_INET ? &w->v4 : &w->v6;

	if (own->family == 0)
		*own = *a;
}

/* A workload for each pod that has an address of its own; the claims of a pod stand
 * together. Returns the number of such claims. */
static int
make_workloads(struct workloads *w, const struct workloads_input *input,
    struct claim *claims, size_t *ret_rows)
{
	struct workload *workload = NULL;
	const struct pod *pod = NULL;
	size_t rows = 0;

	for (struct claim *c = claims; c != NULL; c = c->next) {
		if (c->contested)
			continue;
		if (c->pod != pod) {
			workload = make_workload(c->pod, input, &w->key);
			if (workload == NULL)
				return input->image->lack;
			pod = c->pod;
			w->pod_count++;
		}
		c->workload = workload;
		add_address(workload, &c->addr);
		rows++;
	}
	*ret_rows = rows;
	return 0;
}

static int
fill_table(struct workloads *w, struct memory *image, const struct claim *claims)
{
	int r = 0;

	for (const struct claim *c = claims; c != NULL && r == 0; c = c->next) {
		struct row *row;

		if (c->workload == NULL)
			continue;
		row = memory_alloc(image, sizeof(*row));
		if (row == NULL)
			return image->lack;
		row->addr = c->addr;
		row->workload = c->workload;
		r = table_add(&w->table, hash_bytes(&w->key, &c->addr, sizeof(c->addr)),
		    &row->link);
	}
	return r;
}

/* Those of one family, sorted by scope: counted first, so each finds its place. */
static int
fill_addresses(
    struct workloads *w, int family, struct memory *image, const struct claim *claims)
{
	uint8_t af = family == FAMILY_V4 ? AF_INET : AF_INET6;
	uint32_t *start = memory_array(image, w->scope_count + 2, sizeof(*start));
	struct addr *list;

	if (start == NULL)
		return image->lack;
	/* one place further than it will be, so that filling moves it into place */
	for (const struct claim *c = claims; c != NULL; c = c->next)
		if (c->workload != NULL && c->addr.family == af)
			start[c->workload->scope_id + 2]++;
	for (size_t i = 1; i < w->scope_count + 2; i++)
		start[i] += start[i - 1];
	list = memory_array(image, start[w->scope_count + 1], sizeof(*list));
	if (list == NULL)
		return image->lack;
	for (const struct claim *c = claims; c != NULL; c = c->next)
		if (c->workload != NULL && c->addr.family == af)
			list[start[c->workload->scope_id + 1]++] = c->addr;
	w->addresses[family] = (struct workload_addresses){.list = list, .start = start};
	return 0;
}

int
workloads_build(
    struct workloads *w, const struct workloads_input *input, const struct hash_key *key)
{
	struct claim *claims = NULL;
	size_t rows = 0;
	int r;

	*w = (struct workloads){.key = *key};
	r = claim_all(input, key, &claims);
	if (r == 0)
		r = make_workloads(w, input, claims, &rows);
	w->scope_count = input->scopes->count;
	if (r == 0)
		r = tree_table(&w->table, input->image, rows);
	if (r == 0)
		r = fill_table(w, input->image, claims);
	for (int family = 0; family < FAMILIES && r == 0; family++)
		r = fill_addresses(w, family, input->image, claims);
	return r;
}

bool
workloads_address(const struct workloads *w, size_t i, struct addr *ret_addr)
{
	for (int family = 0; family < FAMILIES; family++) {
		const struct workload_addresses *all = &w->addresses[family];
		size_t count = all->start[w->scope_count];

		if (i < count) {
			*ret_addr = all->list[i];
			return true;
		}
		i -= count;
	}
	return false;
}

/* Into list, NULL: only counted. */
static size_t
list_open(const struct workloads *w, struct addr *list)
{
	size_t n = 0;

	for (struct table_link *l = table_first(&w->table); l != NULL;
	     l = table_next(&w->table, l)) {
		const struct row *row = CONTAINER_OF(l, struct row, link);

		if (row->workload->mode != OUTBOUND_ALLOW_ANY)
			continue;
		if (list != NULL)
			list[n] = row->addr;
		n++;
	}
	return n;
}

int
workloads_open(const struct workloads *w, struct memory *image, size_t *ret_count,
    const struct addr **ret_list)
{
	size_t count = list_open(w, NULL);
	struct addr *list = memory_array(image, count, sizeof(*list));

	if (list == NULL)
		return image->lack;
	*ret_count = list_open(w, list);
	*ret_list = list;
	return 0;
}

const struct workload *
workloads_find(const struct workloads *w, const struct addr *a)
{
	struct table_link *link =
	    table_find(&w->table, hash_bytes(&w->key, a, sizeof(*a)), row_matches, a);

	return link != NULL ? CONTAINER_OF(link, struct row, link)->workload : NULL;
}

const struct workload *
workloads_named(const struct workloads *w, const char *namespace, const char *name)
{
	for (struct table_link *l = table_first(&w->table); l != NULL;
	     l = table_next(&w->table, l)) {
		const struct workload *one = CONTAINER_OF(l, struct row, link)->workload;

		if (strcmp(one->name, name) == 0 &&
		    strcmp(one->namespace, namespace) == 0)
			return one;
	}
	return NULL;
}
