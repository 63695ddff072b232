/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/shadow.h"

#include <stdio.h>
#include <string.h>

#include "policy/registry/visibility.h"

/* Where a definition is not what is seen, though it is exported there. */
struct shadow {
	const struct definition *winner; /* the first one met; NULL: none */
	uint32_t namespace_id;           /* where */
	size_t count;                    /* of such namespaces */
	bool everywhere;                 /* but in its own namespace */
};

struct reporter {
	const struct definitions *d;
	const struct interned **namespaces; /* by id */
};

static int
list_namespaces(struct reporter *rp)
{
	const struct table *table = &rp->d->namespaces->table;

	rp->namespaces =
	    memory_array(rp->d->scratch, table->len, sizeof(*rp->namespaces));
	if (rp->namespaces == NULL)
		return rp->d->scratch->lack;
	for (struct table_link *l = table_first(table); l != NULL;
	     l = table_next(table, l)) {
		const struct interned *in = CONTAINER_OF(l, struct interned, link);

		rp->namespaces[in->id] = in;
	}
	return 0;
}

/* A namespace sees seen in the place of def. */
static void
look(const struct reporter *rp, const struct definition *def, uint32_t namespace_id,
    const struct registry_host *seen, struct shadow *s)
{
	if (seen == NULL || seen == def->host)
		return;
	if (s->count++ > 0)
		return;
	s->winner = definition_of(rp->d, seen);
	s->namespace_id = namespace_id;
}

static void
find_public(const struct reporter *rp, const struct definition *def, struct shadow *s)
{
	const struct registry_host *public = visibility_of(&def->node->public, def);

	if (public != def->host) {
		s->winner = definition_of(rp->d, public);
		s->everywhere = true;
		return;
	}
	for (const struct tree_grant *g = def->node->grants; g != NULL; g = g->next)
		look(rp, def, g->scope_id, visibility_of(&g->view, def), s);
}

static void
find_exported(const struct reporter *rp, const struct definition *def, struct shadow *s)
{
	const struct export *e = &def->parts->entry->export;

	for (size_t i = 0; i < e->count; i++) {
		const struct interned *in =
		    intern_find(rp->d->namespaces, e->namespaces[i]);
		struct tree_view view;

		if (in == NULL)
			continue;
		view = tree_view(rp->d->tree, def->node, in->id);
		look(rp, def, in->id, visibility_of(&view, def), s);
	}
}

static bool
is_public(const struct definition *def)
{
	return def->parts->entry->export.public;
}

static const char *
why(const struct reporter *rp, const struct definition *def, const struct shadow *s)
{
	if (!s->everywhere && s->winner->namespace == rp->namespaces[s->namespace_id])
		return "what a namespace defines itself goes first there";
	if (definition_is_service(s->winner) && !definition_is_service(def))
		return "a Service goes before entries";
	if (is_public(def) && !is_public(s->winner))
		return "what is exported by name goes before what is public";
	return "the older goes first";
}

static void
tell_where(const struct reporter *rp, const struct shadow *s, char *buf, size_t size)
{
	const char *namespace = rp->namespaces[s->namespace_id]->text;

	if (s->everywhere)
		(void)snprintf(buf, size, "for all other namespaces");
	else if (s->count == 1)
		(void)snprintf(buf, size, "for pods of namespace %s", namespace);
	else
		(void)snprintf(buf, size, "for pods of namespace %s and of %zu more",
		    namespace, s->count - 1);
}

/* For each of the entries that make the definition. */
static void
warn(const struct reporter *rp, const struct definition *def, const struct shadow *s)
{
	char quoted[FINDING_QUOTE_MAX], where[128];
	const struct registry_source *by = &s->winner->host->source;
	const char *host = def->entry_host->text;

	tell_where(rp, s, where, sizeof(where));
	for (const struct definition_part *p = def->parts; p != NULL; p = p->next) {
		const struct registry_source *from = &p->entry->source;

		findings_add(rp->d->findings, FINDING_WARNING, from->file,
		    p == def->parts ? def->entry_host->line : from->line, 1,
		    "host %s of %s %s/%s is shadowed by %s %s/%s (%s:%u) %s: %s",
		    finding_quote(host, strlen(host), quoted), from->kind,
		    from->namespace, from->name, by->kind, by->namespace, by->name,
		    by->file, by->line, where, why(rp, def, s));
	}
}

int
shadow_report(const struct definitions *d)
{
	struct reporter rp = {.d = d};
	int r;

	r = list_namespaces(&rp);
	if (r < 0)
		return r;
	for (const struct definition *def = d->list; def != NULL; def = def->next) {
		struct shadow s = {0};

		if (is_public(def))
			find_public(&rp, def, &s);
		else
			find_exported(&rp, def, &s);
		if (s.winner != NULL)
			warn(&rp, def, &s);
	}
	return 0;
}
