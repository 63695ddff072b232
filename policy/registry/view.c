/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scope looks through all definitions that its rule's patterns match. One that stands
 * on nobody's scope looks only through what may be different there: its own namespace's
 * definitions, and those exported to it by name.
 */
#include "policy/registry/view.h"

#include <string.h>

#include "policy/registry/catalog.h"
#include "policy/registry/trim.h"
#include "policy/registry/visibility.h"

struct viewer {
	struct definitions *d;
	const struct scopes *scopes;
	struct catalog catalog;
	struct trims trims;
	uint32_t mark; /* the last one given */
	/* the scope under way */
	const struct scope *scope;
	uint32_t scope_id;
	uint32_t scope_mark;
	bool stands; /* on nobody's scope */
	struct site *chosen;
	/* its listener under way */
	const struct egress *egress;
	uint32_t listener_mark;
	struct site *best;
};

typedef void (*found_fn)(struct viewer *v, struct definition *def);

static void
each_in(struct viewer *v, struct catalog_range range, const struct import *i,
    const struct interned *namespace, found_fn found)
{
	range = catalog_narrow(range, i);
	for (size_t k = 0; k < range.count; k++) {
		struct definition *def = range.at[k];

		if ((namespace == NULL || def->namespace == namespace) &&
		    catalog_matches(def, i))
			found(v, def);
	}
}

/* For the scope's own namespace, when it stands on nobody's. */
static void
each_special(
    struct viewer *v, const struct import *i, const struct interned *from, found_fn found)
{
	const struct interned *own = v->scope->namespace;

	if (from == NULL || from == own)
		each_in(v, catalog_of(&v->catalog.own, own->id), i, NULL, found);
	if (from != own)
		each_in(v, catalog_of(&v->catalog.exported, own->id), i, from, found);
}

/* Calls found for each definition that the import matches, whether visible or not. */
static void
each_match(struct viewer *v, const struct import *i, found_fn found)
{
	const struct interned *from = NULL;

	if (i->where == IMPORT_OWN)
		from = v->scope->namespace;
	else if (i->where == IMPORT_NAMED)
		from = intern_find(v->d->namespaces, i->namespace);
	if (i->where != IMPORT_ANYWHERE && from == NULL)
		return; /* nobody's own, or a namespace that defines nothing */
	if (v->stands)
		each_special(v, i, from, found);
	else if (from == NULL)
		each_in(v, catalog_all(&v->catalog), i, NULL, found);
	else
		each_in(v, catalog_of(&v->catalog.own, from->id), i, NULL, found);
}

static void
exclude(struct viewer *v, struct definition *def)
{
	def->excluded = v->listener_mark;
}

static bool
has_port(const struct definition *def, uint16_t number)
{
	for (size_t i = 0; i < def->host->port_count; i++)
		if (def->host->ports[i].number == number)
			return true;
	return false;
}

/* The best so far for this listener, which nobody's scope may have chosen already. */
static void
begin_listener(struct viewer *v, struct site *site)
{
	site->listener = v->listener_mark;
	site->best = v->stands && site->shared_by == v->scope->rule ? site->shared : NULL;
	site->next_best = v->best;
	v->best = site;
}

static void
consider(struct viewer *v, struct definition *def)
{
	const struct interned *namespace = v->scope->namespace;
	struct site *site = def->site;

	if (def->excluded == v->listener_mark || !definition_is_visible(def, namespace) ||
	    (v->egress->trims && !has_port(def, v->egress->port)))
		return;
	if (site->listener != v->listener_mark)
		begin_listener(v, site);
	if (site->best == NULL || definition_goes_before(def, site->best, namespace))
		site->best = def;
}

/* Has another listener that port for its own? */
static bool
has_listener(const struct sidecar *s, uint16_t port)
{
	for (size_t i = 0; i < s->egress_count; i++)
		if (s->egress[i].port == port)
			return true;
	return false;
}

/* A listener for one port serves that, one for a proxy or a unix socket all that its
 * hosts have, and the one without port what is left. */
static bool
serves(const struct viewer *v, uint16_t port)
{
	const struct egress *e = v->egress;

	if (e->trims)
		return port == e->port;
	return e->port != 0 || e->unix_socket ||
	       !has_listener(v->scope->rule->sidecar, port);
}

static int
add_ports(struct viewer *v, struct site *site)
{
	const struct registry_host *host = site->chosen->host;

	if (v->scope->rule->sidecar->egress_count == 1 && !v->egress->trims)
		return 0; /* the only one, and no port is taken from it */
	if (site->served == NULL)
		site->served = memory_alloc(v->d->scratch, MAX_OF(host->port_count, 1));
	if (site->served == NULL)
		return v->d->scratch->lack;
	for (size_t i = 0; i < host->port_count; i++)
		if (serves(v, host->ports[i].number))
			site->served[i] = 1;
	return 0;
}

/* Once for a rule and host, not for each namespace under the rule. */
static void
leave_out(const struct viewer *v, struct site *site)
{
	const struct registry_source *s = &v->scope->rule->sidecar->source;
	const struct registry_source *chosen = &site->chosen->host->source;
	const struct registry_source *other = &site->best->host->source;
	const char *host = site->chosen->host->host;
	char quoted[FINDING_QUOTE_MAX];

	if (site->told_by == v->scope->rule)
		return;
	site->told_by = v->scope->rule;
	findings_add(v->d->findings, FINDING_WARNING, s->file, v->egress->line, 1,
	    "Sidecar %s/%s: host %s of %s %s/%s (%s:%u) is left out here: an earlier "
	    "listener has it from %s %s/%s, and one host is one service",
	    s->namespace, s->name, finding_quote(host, strlen(host), quoted), other->kind,
	    other->namespace, other->name, other->file, other->line, chosen->kind,
	    chosen->namespace, chosen->name);
}

static int
settle(struct viewer *v, struct site *site)
{
	if (site->scope != v->scope_mark) {
		site->scope = v->scope_mark;
		site->chosen = site->best;
		site->served = NULL;
		site->next_chosen = v->chosen;
		v->chosen = site;
	}
	if (site->chosen != site->best) {
		leave_out(v, site);
		return 0;
	}
	return add_ports(v, site);
}

static int
look_through(struct viewer *v, const struct egress *e)
{
	int r = 0;

	v->egress = e;
	v->listener_mark = ++v->mark;
	v->best = NULL;
	for (size_t i = 0; i < e->import_count; i++)
		if (e->imports[i].exclude)
			each_match(v, &e->imports[i], exclude);
	for (size_t i = 0; i < e->import_count; i++)
		if (!e->imports[i].exclude)
			each_match(v, &e->imports[i], consider);
	for (struct site *s = v->best; s != NULL && r == 0; s = s->next_best)
		r = settle(v, s);
	return r;
}

static int
grant(struct viewer *v, struct site *site)
{
	struct registry_host *host = NULL;
	int r;

	if (v->stands && site->shared_by == v->scope->rule &&
	    site->shared == site->chosen)
		return 0; /* as nobody sees it */
	if (v->scope->namespace == NULL) {
		site->shared_by = v->scope->rule;
		site->shared = site->chosen;
	}
	r = trims_get(&v->trims, v->d, site->chosen, site->served, &host);
	return r == 0 ? visibility_grant(v->d, site->chosen, v->scope_id, host) : r;
}

static int
look(struct viewer *v, uint32_t scope_id)
{
	const struct scope *scope =
	    &v->scopes->list[scope_id - v->scopes->namespace_count];
	const struct sidecar *s = scope->rule->sidecar;
	int r = 0;

	v->scope = scope;
	v->scope_id = scope_id;
	v->scope_mark = ++v->mark;
	v->stands = v->scopes->bases[scope_id] != TREE_NOTHING;
	v->chosen = NULL;
	for (size_t i = 0; i < s->egress_count && r == 0; i++)
		r = look_through(v, &s->egress[i]);
	for (struct site *site = v->chosen; site != NULL && r == 0;
	     site = site->next_chosen)
		r = grant(v, site);
	return r;
}

int
view_build(struct definitions *d, const struct scopes *scopes)
{
	struct viewer v = {.d = d, .scopes = scopes};
	int r;

	if (scopes->count == scopes->namespace_count)
		return 0;
	r = trims_init(&v.trims, &d->key);
	if (r == 0)
		r = catalog_build(&v.catalog, d, scopes->namespace_count);
	for (size_t id = scopes->namespace_count; id < scopes->count && r == 0; id++)
		r = look(&v, (uint32_t)id);
	trims_done(&v.trims);
	return r;
}
