/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All who look at a place are gone through once, and what each sees there is noted as a
 * sighting; sorted by host, the sightings of one host are its audience: the scopes that
 * stand on a base that sees it, but for those that see something else, and single scopes.
 */
#include "policy/registry/audience.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/registry/visibility.h"

#define AUDIENCES_FIRST 64 /* room that the table begins with */

enum sighting_kind {
	SIGHTING_BASE,   /* the base sees it, and all that stand on it, */
	SIGHTING_EXCEPT, /* but for this scope */
	SIGHTING_SINGLE, /* this scope sees it, whatever its base does */
};

struct sighting {
	uint32_t host;
	uint32_t base; /* TREE_NOTHING for SIGHTING_SINGLE */
	enum sighting_kind kind;
	uint32_t scope;
};

struct sightings {
	struct sighting *list;
	size_t count;
};

/* An audience under way. */
struct draft_audience {
	struct audience audience;
	struct pod_run *runs[FAMILIES];
	size_t covered; /* scopes of namespaces */
	bool unknown;   /* who is not known sees it too */
};

int
audiences_init(struct audiences *a, const struct definitions *d,
    const struct workloads *w, const struct scopes *scopes)
{
	*a = (struct audiences){.d = d, .workloads = w, .scopes = scopes};
	return table_init(&a->table, AUDIENCES_FIRST);
}

void
audiences_done(struct audiences *a)
{
	table_done(&a->table);
}

static int
place_compare(const void *a, const void *b)
{
	const struct definition *x = *(struct definition *const *)a;
	const struct definition *y = *(struct definition *const *)b;

	if (x->node != y->node)
		return (uintptr_t)x->node < (uintptr_t)y->node ? -1 : 1;
	return (x->wildcard > y->wildcard) - (x->wildcard < y->wildcard);
}

/* Of one that no namespace's own scope has. */
static const struct scope *
rule_scope(const struct audiences *a, uint32_t scope_id)
{
	return &a->scopes->list[scope_id - a->scopes->namespace_count];
}

static bool
is_nobody(const struct audiences *a, uint32_t scope_id)
{
	return scope_id >= a->scopes->namespace_count &&
	       rule_scope(a, scope_id)->namespace == NULL;
}

/* What the scope's base sees in the place. */
static const struct registry_host *
base_host(const struct audiences *a, const struct definition *place, uint32_t base)
{
	const struct tree_grant *g;

	if (base == TREE_PUBLIC)
		return visibility_of(&place->node->public, place);
	if (base == TREE_NOTHING)
		return NULL;
	g = tree_grant(a->d->tree, place->node, base);
	return g != NULL ? visibility_of(&g->view, place) : NULL;
}

static void
note(struct sightings *s, const struct registry_host *host, uint32_t base,
    enum sighting_kind kind, uint32_t scope)
{
	s->list[s->count++] = (struct sighting){
	    .host = host->id, .base = base, .kind = kind, .scope = scope};
}

static void
note_grant(const struct audiences *a, const struct definition *place,
    const struct tree_grant *g, struct sightings *s)
{
	const struct registry_host *host = visibility_of(&g->view, place);
	uint32_t base = a->scopes->bases[g->scope_id];
	const struct registry_host *instead;

	if (host == NULL)
		return;
	if (is_nobody(a, g->scope_id) && rule_scope(a, g->scope_id)->rule->shared) {
		note(s, host, g->scope_id, SIGHTING_BASE, 0);
		return;
	}
	instead = base_host(a, place, base);
	if (instead == host)
		return;
	if (instead != NULL)
		note(s, instead, base, SIGHTING_EXCEPT, g->scope_id);
	note(s, host, TREE_NOTHING, SIGHTING_SINGLE, g->scope_id);
}

static int
sighting_compare(const void *a, const void *b)
{
	const struct sighting *x = a;
	const struct sighting *y = b;

	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->scope > y->scope) - (x->scope < y->scope);
}

static int
look_at(const struct audiences *a, const struct definition *place, struct sightings *s)
{
	size_t n = 0;

	for (const struct tree_grant *g = place->node->grants; g != NULL; g = g->next)
		n++;
	*s = (struct sightings){0};
	s->list = memory_array(a->d->scratch, 2 * n + 1, sizeof(*s->list));
	if (s->list == NULL)
		return a->d->scratch->lack;
	if (base_host(a, place, TREE_PUBLIC) != NULL)
		note(s, base_host(a, place, TREE_PUBLIC), TREE_PUBLIC, SIGHTING_BASE, 0);
	for (const struct tree_grant *g = place->node->grants; g != NULL; g = g->next)
		note_grant(a, place, g, s);
	if (s->count > 1)
		qsort(s->list, s->count, sizeof(*s->list), sighting_compare);
	return 0;
}

/* The pods of the scopes from first up to end. */
static void
add_scopes(
    const struct audiences *a, struct draft_audience *draft, uint32_t first, uint32_t end)
{
	for (int family = 0; family < FAMILIES; family++) {
		const uint32_t *start = a->workloads->addresses[family].start;
		size_t *pods = &draft->audience.pod_count[family];

		if (start[first] == start[end])
			continue;
		draft->runs[family][draft->audience.run_count[family]++] =
		    (struct pod_run){.start = start[first],
			.count = start[end] - start[first],
			.before = *pods};
		*pods += start[end] - start[first];
	}
	draft->covered += end - first;
}

/* A base that sees the host, and the exceptions behind it; how many sightings that is. */
static size_t
add_base(const struct audiences *a, struct draft_audience *draft,
    const struct sighting *list, size_t n)
{
	uint32_t from = 0;
	uint32_t end = (uint32_t)a->scopes->namespace_count;
	size_t i;

	if (list->base != TREE_PUBLIC) {
		const struct scope_rule *rule = rule_scope(a, list->base)->rule;

		from = rule->first;
		end = rule->first + rule->count;
	}
	draft->unknown = draft->unknown || list->base == a->scopes->unknown;
	for (i = 1; i < n && list[i].base == list->base; i++) {
		add_scopes(a, draft, from, list[i].scope);
		from = list[i].scope + 1;
	}
	add_scopes(a, draft, from, end);
	return i;
}

static void
add_single(const struct audiences *a, struct draft_audience *draft, uint32_t scope)
{
	if (is_nobody(a, scope))
		draft->unknown = draft->unknown || scope == a->scopes->unknown;
	else
		add_scopes(a, draft, scope, scope + 1);
}

static bool
covers_all(const struct audiences *a, const struct draft_audience *draft)
{
	size_t scopes = a->scopes->namespace_count;

	for (size_t i = 0; i < a->scopes->rule_count; i++)
		scopes += a->scopes->rules[i].count;
	return draft->unknown && draft->covered == scopes;
}

static bool
audience_matches(const struct table_link *link, const void *key)
{
	const struct audience *x =
	    CONTAINER_OF(link, struct audience_entry, link)->audience;
	const struct audience *y = key;

	if (x->all || y->all)
		return x->all == y->all;
	for (int family = 0; family < FAMILIES; family++) {
		size_t n = x->run_count[family];

		if (n != y->run_count[family] ||
		    (n > 0 && memcmp(x->runs[family], y->runs[family],
				  n * sizeof(struct pod_run)) != 0))
			return false;
	}
	return true;
}

static uint64_t
audience_hash(const struct audiences *a, const struct audience *x)
{
	uint64_t words[FAMILIES + 1] = {x->all};

	for (int family = 0; family < FAMILIES; family++)
		words[family + 1] = hash_bytes(&a->d->key, x->runs[family],
		    x->run_count[family] * sizeof(struct pod_run));
	return hash_bytes(&a->d->key, words, sizeof(words));
}

static int
keep(struct audiences *a, const struct draft_audience *draft, uint64_t hash,
    struct audience_entry **ret_entry)
{
	struct audience_entry *e = memory_alloc(a->d->scratch, sizeof(*e));
	struct audience *x = memory_alloc(a->d->image, sizeof(*x));
	int r;

	if (e == NULL || x == NULL)
		return e == NULL ? a->d->scratch->lack : a->d->image->lack;
	*x = draft->audience;
	for (int family = 0; family < FAMILIES; family++) {
		size_t n = x->run_count[family];
		struct pod_run *runs = memory_array(a->d->image, n, sizeof(*runs));

		if (runs == NULL)
			return a->d->image->lack;
		if (n > 0)
			memcpy(runs, draft->runs[family], n * sizeof(*runs));
		x->runs[family] = runs;
	}
	e->audience = x;
	r = tree_table_grow(&a->table);
	if (r == 0)
		r = table_add(&a->table, hash, &e->link);
	if (r == 0)
		*ret_entry = e;
	return r;
}

static int
intern(
    struct audiences *a, struct draft_audience *draft, struct audience_entry **ret_entry)
{
	struct audience *x = &draft->audience;
	struct table_link *link;
	uint64_t hash;

	x->all = covers_all(a, draft);
	for (int family = 0; family < FAMILIES; family++) {
		if (x->all)
			x->run_count[family] = x->pod_count[family] = 0;
		x->runs[family] = draft->runs[family];
	}
	hash = audience_hash(a, x);
	link = table_find(&a->table, hash, audience_matches, x);
	if (link == NULL)
		return keep(a, draft, hash, ret_entry);
	*ret_entry = CONTAINER_OF(link, struct audience_entry, link);
	return 0;
}

/* Of the host that the n sightings are of. */
static int
make(struct audiences *a, const struct sighting *list, size_t n,
    struct audience_entry **ret_entry)
{
	struct draft_audience draft = {.covered = 0};

	for (int family = 0; family < FAMILIES; family++) {
		draft.runs[family] =
		    memory_array(a->d->scratch, n, sizeof(struct pod_run));
		if (draft.runs[family] == NULL)
			return a->d->scratch->lack;
	}
	for (size_t i = 0; i < n;) {
		if (list[i].kind == SIGHTING_BASE) {
			i += add_base(a, &draft, &list[i], n - i);
		} else {
			add_single(a, &draft, list[i].scope);
			i++;
		}
	}
	return intern(a, &draft, ret_entry);
}

static int
find_place(struct audiences *a, const struct definition *place)
{
	struct sightings s;
	size_t n;
	int r;

	r = look_at(a, place, &s);
	for (size_t i = 0; i < s.count && r == 0; i += n) {
		n = 1;
		while (i + n < s.count && s.list[i + n].host == s.list[i].host)
			n++;
		r = make(a, &s.list[i], n, &a->d->hosts[s.list[i].host]->audience);
	}
	return r;
}

int
audiences_find(struct audiences *a, struct definition **list, size_t n)
{
	int r = 0;

	if (n > 1)
		qsort(list, n, sizeof(struct definition *), place_compare);
	for (size_t i = 0; i < n && r == 0; i++)
		if (i == 0 || place_compare(&list[i - 1], &list[i]) != 0)
			r = find_place(a, list[i]);
	return r;
}
