/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/sidecar_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* By namespace, in it what stands for broken ones first, then those with
 * workloadSelector, then by age and name. */
static int
compare(const void *a, const void *b)
{
	const struct sidecar *x = *(struct sidecar *const *)a;
	const struct sidecar *y = *(struct sidecar *const *)b;
	int order = strcmp(x->source.namespace, y->source.namespace);

	if (order != 0)
		return order;
	if (x->closed != y->closed)
		return x->closed ? -1 : 1;
	if (x->has_selector != y->has_selector)
		return x->has_selector ? -1 : 1;
	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return strcmp(x->source.name, y->source.name);
}

static int
sort(struct sidecar_set *set, const struct sidecar_set_input *input)
{
	set->sorted =
	    memory_array(input->scratch, input->count, sizeof(struct sidecar *));
	if (set->sorted == NULL)
		return input->scratch->lack;
	for (struct sidecar *s = input->list; s != NULL; s = s->next)
		set->sorted[set->count++] = s;
	if (set->count > 1)
		qsort(set->sorted, set->count, sizeof(struct sidecar *), compare);
	return 0;
}

static void
unused(const struct sidecar *s, const struct sidecar *older, struct findings *findings)
{
	const struct registry_source *a = &s->source;
	const struct registry_source *b = &older->source;

	findings_add(findings, FINDING_WARNING, a->file, a->line, 1,
	    "Sidecar %s/%s applies to no pod: one without workloadSelector is enough for "
	    "a namespace, and the older %s/%s (%s:%u) goes before it",
	    a->namespace, a->name, b->namespace, b->name, b->file, b->line);
}

static void
take(struct sidecar_group *g, struct sidecar *const *at, struct findings *findings)
{
	struct sidecar *s = *at;

	if (s->closed) {
		g->closed = s;
	} else if (s->has_selector) {
		if (g->selecting_count++ == 0)
			g->selecting = at;
	} else if (g->plain == NULL) {
		g->plain = s;
	} else {
		unused(s, g->plain, findings);
	}
}

int
sidecar_set_build(struct sidecar_set *set, const struct sidecar_set_input *input)
{
	const struct interned *root =
	    intern_find(input->namespaces, input->root_namespace);
	int r;

	*set = (struct sidecar_set){.group_count = input->namespaces->table.len};
	r = sort(set, input);
	if (r < 0)
		return r;
	set->groups =
	    memory_array(input->scratch, set->group_count, sizeof(struct sidecar_group));
	if (set->groups == NULL)
		return input->scratch->lack;
	for (size_t i = 0; i < set->count; i++) {
		const struct interned *namespace =
		    intern_find(input->namespaces, set->sorted[i]->source.namespace);

		assert(namespace != NULL);
		take(&set->groups[namespace->id], &set->sorted[i], input->findings);
	}
	set->root = root != NULL ? set->groups[root->id].plain : NULL;
	return 0;
}

struct sidecar *
sidecar_set_plain(const struct sidecar_set *set, uint32_t namespace_id)
{
	const struct sidecar_group *g = &set->groups[namespace_id];

	if (g->closed != NULL)
		return g->closed;
	return g->plain != NULL ? g->plain : set->root;
}

struct sidecar *
sidecar_set_choose(
    const struct sidecar_set *set, uint32_t namespace_id, const struct labels *labels)
{
	const struct sidecar_group *g = &set->groups[namespace_id];

	for (size_t i = 0; g->closed == NULL && i < g->selecting_count; i++)
		if (labels_match(&g->selecting[i]->selector, labels))
			return g->selecting[i];
	return sidecar_set_plain(set, namespace_id);
}
