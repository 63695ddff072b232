/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/discovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Objects that were taken out. */
struct hidden {
	const struct registry_source **list;
	size_t count;
};

static int
text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_selected(const struct mesh *mesh, const struct namespace *ns)
{
	for (size_t i = 0; i < mesh->selector_count; i++)
		if (label_selector_match(&mesh->selectors[i], &ns->labels))
			return true;
	return false;
}

int
discovery_make(struct registry_builder *b, struct discovery *ret_discovery)
{
	const char **seen = memory_array(&b->build, b->namespace_count, sizeof(char *));
	size_t n = 0;

	if (seen == NULL)
		return b->build.lack;
	for (const struct namespace *ns = b->namespaces; ns != NULL; ns = ns->next)
		if (is_selected(&b->mesh, ns))
			seen[n++] = ns->name;
	if (n > 1)
		qsort(seen, n, sizeof(char *), text_compare);
	*ret_discovery = (struct discovery){
	    .all = b->mesh.selector_count == 0, .count = n, .seen = seen};
	return 0;
}

bool
discovery_sees(const struct discovery *d, const char *namespace)
{
	return d->all || (d->count > 0 && bsearch(&namespace, d->seen, d->count,
					      sizeof(char *), text_compare) != NULL);
}

/* Several entries may be made of one object. */
static bool
same_object(const struct registry_source *a, const struct registry_source *b)
{
	return a->line == b->line && strcmp(a->file, b->file) == 0;
}

static void
hide(struct registry_builder *b, struct hidden *hidden, const struct registry_source *s)
{
	if (hidden->count > 0 && same_object(hidden->list[hidden->count - 1], s))
		return;
	hidden->list[hidden->count++] = s;
	findings_add(b->findings, FINDING_NOTE, s->file, s->line, 1,
	    "%s %s/%s is outside the mesh's discoverySelectors, and says nothing",
	    s->kind, s->namespace, s->name);
}

static void
hide_entries(struct registry_builder *b, const struct discovery *d, struct hidden *hidden)
{
	struct service_entry **link = &b->entries;

	while (*link != NULL) {
		struct service_entry *e = *link;

		if (discovery_sees(d, e->source.namespace)) {
			link = &e->next;
			continue;
		}
		*link = e->next;
		b->entry_count--;
		hide(b, hidden, &e->source);
	}
	b->entries_end = link;
}

/* The namespaces whose manifest is left out, sorted. */
static int
list_broken(struct registry_builder *b, struct discovery *ret_broken)
{
	const struct object *first = b->admission.objects.first;
	const char **list;
	size_t n = 0;

	for (const struct object *o = first; o != NULL; o = o->next)
		n += object_is_broken(o, "Namespace");
	list = memory_array(&b->build, n, sizeof(char *));
	if (list == NULL)
		return b->build.lack;
	n = 0;
	for (const struct object *o = first; o != NULL; o = o->next)
		if (object_is_broken(o, "Namespace"))
			list[n++] = o->id.name;
	if (n > 1)
		qsort(list, n, sizeof(char *), text_compare);
	*ret_broken = (struct discovery){.count = n, .seen = list};
	return 0;
}

/* Whether the Sidecar counts cannot be told, and more may be open without it. */
static int
close_in_doubt(struct registry_builder *b, struct sidecar **link)
{
	const struct registry_source *s = &(*link)->source;
	struct sidecar *closed;

	if (strcmp(s->namespace, builder_root(b)) == 0) {
		findings_add(b->findings, FINDING_ERROR, s->file, s->line, 1,
		    "it cannot be told whether the root namespace %s is inside the "
		    "mesh's discoverySelectors, and Sidecar %s/%s with it: mend its "
		    "Namespace manifest",
		    s->namespace, s->namespace, s->name);
		return -EINVAL;
	}
	closed = sidecar_closed(&b->build, s);
	if (closed == NULL)
		return b->build.lack;
	closed->next = (*link)->next;
	*link = closed;
	findings_add(b->findings, FINDING_WARNING, s->file, s->line, 1,
	    "whether Sidecar %s/%s is inside the mesh's discoverySelectors cannot be "
	    "told: until the Namespace manifest is mended the pods of its namespace "
	    "import nothing",
	    s->namespace, s->name);
	return 0;
}

static int
hide_sidecars(struct registry_builder *b, const struct discovery *d,
    const struct discovery *broken, struct hidden *hidden)
{
	struct sidecar **link = &b->sidecars;
	int r;

	while (*link != NULL) {
		struct sidecar *s = *link;

		if (discovery_sees(d, s->source.namespace)) {
			link = &s->next;
			continue;
		}
		if (discovery_sees(broken, s->source.namespace)) {
			r = close_in_doubt(b, link);
			if (r < 0)
				return r;
			link = &(*link)->next;
			continue;
		}
		*link = s->next;
		b->sidecar_count--;
		hide(b, hidden, &s->source);
	}
	b->sidecars_end = link;
	return 0;
}

static bool
has_manifest(const struct registry_builder *b, const char *namespace)
{
	for (const struct namespace *ns = b->namespaces; ns != NULL; ns = ns->next)
		if (strcmp(ns->name, namespace) == 0)
			return true;
	return false;
}

/* By namespace, then by where they stand. */
static int
source_compare(const void *a, const void *b)
{
	const struct registry_source *x = *(const struct registry_source *const *)a;
	const struct registry_source *y = *(const struct registry_source *const *)b;
	int order = strcmp(x->namespace, y->namespace);

	if (order == 0)
		order = strcmp(x->file, y->file);
	if (order != 0)
		return order;
	return (x->line > y->line) - (x->line < y->line);
}

static void
warn(struct registry_builder *b, const struct registry_source *first, size_t count)
{
	findings_add(b->findings, FINDING_WARNING, first->file, first->line, 1,
	    "the namespace %s is outside the mesh's discoverySelectors, and what stands "
	    "in it, here and %zu times more, says nothing: %s",
	    first->namespace, count - 1,
	    has_manifest(b, first->namespace)
		? "label the namespace, or take it out"
		: "put its Namespace manifest into the registry, or take it out");
}

static void
warn_each(struct registry_builder *b, struct hidden *hidden)
{
	size_t start = 0;

	if (hidden->count > 1)
		qsort(hidden->list, hidden->count, sizeof(*hidden->list), source_compare);
	for (size_t i = 1; i <= hidden->count; i++) {
		const struct registry_source *first = hidden->list[start];

		if (i < hidden->count &&
		    strcmp(first->namespace, hidden->list[i]->namespace) == 0)
			continue;
		warn(b, first, i - start);
		start = i;
	}
}

int
discovery_apply(struct registry_builder *b)
{
	struct hidden hidden = {0};
	struct discovery d, broken;
	int r = discovery_make(b, &d);

	if (r < 0 || d.all)
		return r;
	r = list_broken(b, &broken);
	if (r < 0)
		return r;
	hidden.list = memory_array(&b->build, b->entry_count + b->sidecar_count,
	    sizeof(const struct registry_source *));
	if (hidden.list == NULL)
		return b->build.lack;
	hide_entries(b, &d, &hidden);
	r = hide_sidecars(b, &d, &broken, &hidden);
	if (r < 0)
		return r;
	warn_each(b, &hidden);
	return 0;
}
