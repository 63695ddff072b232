/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/audience.h"

#include <stdlib.h>

#include "policy/visibility.h"

/* Namespaces, and whether they are the audience or all but the audience. */
struct selection {
	uint32_t *ids; /* sorted */
	size_t count;
	bool all_but;
};

static int
id_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool
is_public_one(const struct definition *def)
{
	return visibility_of(&def->node->public, def) == def->host;
}

/* Those for whom something else goes before the public definition. */
static int
select_all_but(
    const struct definitions *d, const struct definition *def, struct selection *s)
{
	size_t n = 0;

	for (const struct tree_grant *g = def->node->grants; g != NULL; g = g->next)
		n++;
	s->all_but = true;
	s->ids = memory_array(d->scratch, n, sizeof(*s->ids));
	if (s->ids == NULL)
		return d->scratch->lack;
	for (const struct tree_grant *g = def->node->grants; g != NULL; g = g->next) {
		const struct registry_host *host = visibility_of(&g->view, def);

		if (host != NULL && host != def->host)
			s->ids[s->count++] = g->namespace_id;
	}
	return 0;
}

static void
select_one(const struct definitions *d, const struct definition *def,
    const char *namespace, struct selection *s)
{
	const struct interned *in = intern_find(d->namespaces, namespace);
	const struct tree_grant *g =
	    in != NULL ? tree_grant(d->tree, def->node, in->id) : NULL;

	if (g != NULL && visibility_of(&g->view, def) == def->host)
		s->ids[s->count++] = in->id;
}

/* Its own namespace, or those it is exported to. */
static int
select_named(
    const struct definitions *d, const struct definition *def, struct selection *s)
{
	const struct export *e = &def->parts->entry->export;

	s->ids = memory_array(d->scratch, e->count + 1, sizeof(*s->ids));
	if (s->ids == NULL)
		return d->scratch->lack;
	if (e->public)
		select_one(d, def, def->namespace->text, s);
	for (size_t i = 0; i < e->count; i++)
		select_one(d, def, e->namespaces[i], s);
	return 0;
}

static void
add_run(struct pod_run *runs, size_t *count, uint32_t start, uint32_t end, size_t *pods)
{
	if (start == end)
		return;
	runs[(*count)++] =
	    (struct pod_run){.start = start, .count = end - start, .before = *pods};
	*pods += end - start;
}

static int
make_runs(const struct definitions *d, const struct workloads *w, int family,
    const struct selection *s, struct audience *a)
{
	const uint32_t *start = w->addresses[family].start;
	struct pod_run *runs = memory_array(d->image, s->count + 1, sizeof(*runs));
	size_t *count = &a->run_count[family];
	size_t *pods = &a->pod_count[family];
	uint32_t from = 0;

	if (runs == NULL)
		return d->image->lack;
	a->runs[family] = runs;
	for (size_t i = 0; i < s->count; i++) {
		uint32_t id = s->ids[i];

		if (s->all_but)
			add_run(runs, count, from, start[id], pods);
		else
			add_run(runs, count, start[id], start[id + 1], pods);
		from = start[id + 1];
	}
	if (s->all_but)
		add_run(runs, count, from, start[w->namespace_count], pods);
	return 0;
}

static int
make(const struct definitions *d, const struct workloads *w, struct definition *def,
    struct audience *a)
{
	struct selection s = {0};
	int r;

	r = is_public_one(def) ? select_all_but(d, def, &s) : select_named(d, def, &s);
	if (r < 0)
		return r;
	a->all = s.all_but && s.count == 0;
	if (a->all)
		return 0;
	if (s.count > 1)
		qsort(s.ids, s.count, sizeof(*s.ids), id_compare);
	for (int family = 0; family < FAMILIES && r == 0; family++)
		r = make_runs(d, w, family, &s, a);
	return r;
}

int
audience_get(const struct definitions *d, const struct workloads *w,
    struct definition *def, const struct audience **ret_audience)
{
	struct audience *a;
	int r;

	if (def->audience == NULL) {
		a = memory_alloc(d->image, sizeof(*a));
		if (a == NULL)
			return d->image->lack;
		r = make(d, w, def, a);
		if (r < 0)
			return r;
		def->audience = a;
	}
	*ret_audience = def->audience;
	return 0;
}
