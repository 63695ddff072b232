/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First what is public, the oldest first, so that most names need no grant at all; then
 * what is exported by name. A namespace gets a grant where it sees something else than
 * the public: its own definition, or one exported to it.
 */
#include "policy/registry/visibility.h"

static const struct registry_host **
place(struct tree_view *view, const struct definition *def)
{
	return def->wildcard ? &view->wildcard : &view->exact;
}

const struct registry_host *
visibility_of(const struct tree_view *view, const struct definition *def)
{
	return def->wildcard ? view->wildcard : view->exact;
}

static const struct export *
exports(const struct definition *def)
{
	return &def->parts->entry->export;
}

/* Where "something below exists" begins: an exact name says it of its parent. */
static struct tree_node *
lowest_parent(const struct definition *def)
{
	return def->wildcard ? def->node : def->node->parent;
}

static int
grant_host(struct definitions *d, const struct definition *def, uint32_t scope_id,
    const struct registry_host *host)
{
	struct tree_grant *g = tree_add_grant(d->tree, d->image, def->node, scope_id);

	if (g == NULL)
		return d->image->lack;
	*place(&g->view, def) = host;
	return 0;
}

static int
publish(struct definitions *d, struct definition *def)
{
	const struct registry_host **public = place(&def->node->public, def);

	for (struct tree_node *n = lowest_parent(def); n != NULL && !n->public.below;
	     n = n->parent)
		n->public.below = true;
	if (*public != NULL)
		return grant_host(d, def, def->namespace->id, def->host);
	*public = def->host;
	return 0;
}

static int
grant_parents(struct definitions *d, const struct definition *def, uint32_t scope_id)
{
	struct tree_grant *g;

	for (struct tree_node *n = lowest_parent(def);
	     n != NULL && !tree_view(d->tree, n, scope_id).below; n = n->parent) {
		g = tree_add_grant(d->tree, d->image, n, scope_id);
		if (g == NULL)
			return d->image->lack;
		g->view.below = true;
	}
	return 0;
}

int
visibility_grant(struct definitions *d, const struct definition *def, uint32_t scope_id,
    const struct registry_host *host)
{
	int r = grant_host(d, def, scope_id, host);

	return r == 0 ? grant_parents(d, def, scope_id) : r;
}

/* def is exported to this namespace by name. All public ones have their places, and of
 * those exported by name the ones that go before def. */
static int
export_to(struct definitions *d, struct definition *def, const struct interned *namespace)
{
	const struct definition *own =
	    definitions_find(d, def->node, def->wildcard, namespace);
	struct tree_view view = tree_view(d->tree, def->node, namespace->id);
	const struct registry_host *seen = visibility_of(&view, def);
	const struct definition *best = def;

	if (own != NULL && definition_is_visible(own, namespace))
		best = own;
	else if (seen != NULL &&
		 !definition_goes_before(def, definition_of(d, seen), namespace))
		return 0;
	return visibility_grant(d, def, namespace->id, best->host);
}

static int
export_by_name(struct definitions *d, struct definition *def)
{
	const struct export *e = exports(def);
	int r = 0;

	for (size_t i = 0; i < e->count && r == 0; i++) {
		const struct interned *namespace =
		    intern_text(d->namespaces, e->namespaces[i]);

		if (namespace == NULL)
			return d->image->lack;
		r = export_to(d, def, namespace);
	}
	return r;
}

/* The oldest, whoever sees it: for the operator who asks why a name is refused. */
static void
remember(struct definition *def)
{
	const struct registry_host **any =
	    def->wildcard ? &def->node->wildcard : &def->node->exact;

	if (*any == NULL)
		*any = def->host;
}

int
visibility_build(struct definitions *d)
{
	int r = 0;

	for (struct definition *def = d->list; def != NULL && r == 0; def = def->next) {
		remember(def);
		if (exports(def)->public)
			r = publish(d, def);
	}
	for (struct definition *def = d->list; def != NULL && r == 0; def = def->next)
		if (!exports(def)->public)
			r = export_by_name(d, def);
	return r;
}
