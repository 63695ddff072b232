/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_TEXT_MAX 16 /* "65535!u " and room */

/* A rule in a namespace; the same one may be needed for several Sidecars. */
struct need {
	uint32_t rule;
	uint32_t place; /* namespace's id + 1; 0: nobody */
};

struct maker {
	struct scopes *s;
	const struct scopes_input *in;
	struct intern contents; /* egress as one text: its id is the rule's */
	struct need *needs;
	size_t need_count;
};

static bool
imports_everything(const struct egress *e)
{
	bool everything = false;

	for (size_t i = 0; i < e->import_count; i++) {
		const struct import *m = &e->imports[i];

		if (m->exclude)
			return false;
		if (m->where == IMPORT_ANYWHERE && m->what == IMPORT_ALL)
			everything = true;
	}
	return everything;
}

static bool
is_restricted(const struct sidecar *s)
{
	if (s->egress_count == 0)
		return false;
	return s->egress_count > 1 || s->egress->trims || !imports_everything(s->egress);
}

/* Is what it imports from others the same whatever the pod's namespace? */
static bool
is_shared(const struct sidecar *s)
{
	const struct egress *e = s->egress;

	if (s->egress_count > 1 || e->trims)
		return false;
	for (size_t i = 0; i < e->import_count; i++)
		if (e->imports[i].exclude && e->imports[i].where == IMPORT_OWN)
			return false;
	return true;
}

/* Equal for equal egress. */
static char *
content(struct memory *m, const struct sidecar *s)
{
	size_t len = 1;
	char *text, *at;

	for (size_t i = 0; i < s->egress_count; i++) {
		len += PORT_TEXT_MAX;
		for (size_t k = 0; k < s->egress[i].import_count; k++)
			len += strlen(s->egress[i].imports[k].text) + 1;
	}
	text = memory_alloc(m, len);
	if (text == NULL)
		return NULL;
	at = text;
	for (size_t i = 0; i < s->egress_count; i++) {
		const struct egress *e = &s->egress[i];

		at += snprintf(at, PORT_TEXT_MAX, "%u%c%c ", e->port,
		    e->trims ? '!' : '-', e->unix_socket ? 'u' : '-');
		for (size_t k = 0; k < e->import_count; k++) {
			at = stpcpy(at, e->imports[k].text);
			*at++ = ' ';
		}
	}
	return text;
}

static int
make_rules(struct maker *m)
{
	const struct sidecar_set *set = m->in->sidecars;
	struct scopes *s = m->s;

	s->rules = memory_array(m->in->scratch, set->count, sizeof(*s->rules));
	if (s->rules == NULL)
		return m->in->scratch->lack;
	for (size_t i = 0; i < set->count; i++) {
		struct sidecar *sidecar = set->sorted[i];
		const struct interned *in;
		char *text;

		if (!is_restricted(sidecar))
			continue;
		text = content(m->in->scratch, sidecar);
		in = text != NULL ? intern_text(&m->contents, text) : NULL;
		if (in == NULL)
			return m->in->scratch->lack;
		sidecar->rule = &s->rules[in->id];
		if (sidecar->rule->sidecar == NULL)
			*sidecar->rule = (struct scope_rule){
			    .sidecar = sidecar,
			    .shared = is_shared(sidecar),
			    .nobody = TREE_NOTHING,
			};
	}
	s->rule_count = m->contents.table.len;
	return 0;
}

static void
need(struct maker *m, const struct sidecar *sidecar, uint32_t place)
{
	if (sidecar == NULL || sidecar->rule == NULL)
		return;
	m->needs[m->need_count++] = (struct need){
	    .rule = (uint32_t)(sidecar->rule - m->s->rules), .place = place};
}

static int
collect_needs(struct maker *m)
{
	const struct sidecar_set *set = m->in->sidecars;
	size_t limit = set->count + set->group_count + m->s->rule_count + 1;

	m->needs = memory_array(m->in->scratch, limit, sizeof(*m->needs));
	if (m->needs == NULL)
		return m->in->scratch->lack;
	for (uint32_t id = 0; id < set->group_count; id++) {
		const struct sidecar_group *g = &set->groups[id];

		for (size_t i = 0; i < g->selecting_count; i++)
			need(m, g->selecting[i], id + 1);
		need(m, sidecar_set_plain(set, id), id + 1);
	}
	for (size_t i = 0; i < m->s->rule_count; i++)
		if (m->s->rules[i].shared)
			need(m, m->s->rules[i].sidecar, 0);
	need(m, set->root, 0);
	return 0;
}

static int
need_compare(const void *a, const void *b)
{
	const struct need *x = a;
	const struct need *y = b;

	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

/* Each once. */
static void
sort_needs(struct maker *m)
{
	size_t kept = 0;

	if (m->need_count > 1)
		qsort(m->needs, m->need_count, sizeof(*m->needs), need_compare);
	for (size_t i = 0; i < m->need_count; i++)
		if (kept == 0 || need_compare(&m->needs[kept - 1], &m->needs[i]) != 0)
			m->needs[kept++] = m->needs[i];
	m->need_count = kept;
}

static void
add_scope(struct maker *m, const struct need *n, const struct interned *const *namespaces,
    uint32_t *base)
{
	struct scope_rule *rule = &m->s->rules[n->rule];
	uint32_t id = (uint32_t)m->s->count++;
	struct scope *scope = &m->s->list[id - m->s->namespace_count];

	scope->rule = rule;
	*base = TREE_NOTHING;
	if (n->place == 0) {
		rule->nobody = id;
		return;
	}
	scope->namespace = namespaces[n->place - 1];
	if (rule->count++ == 0)
		rule->first = id;
	if (rule->shared)
		*base = rule->nobody; /* stands before */
}

static int
make_scopes(struct maker *m)
{
	const struct table *table = &m->in->namespaces->table;
	const struct interned **namespaces =
	    memory_array(m->in->scratch, table->len, sizeof(*namespaces));
	uint32_t *bases =
	    memory_array(m->in->image, table->len + m->need_count, sizeof(*bases));
	struct scopes *s = m->s;

	s->list = memory_array(m->in->scratch, m->need_count, sizeof(*s->list));
	if (namespaces == NULL || s->list == NULL)
		return m->in->scratch->lack;
	if (bases == NULL)
		return m->in->image->lack;
	for (struct table_link *l = table_first(table); l != NULL;
	     l = table_next(table, l)) {
		const struct interned *in = CONTAINER_OF(l, struct interned, link);

		namespaces[in->id] = in;
		bases[in->id] = TREE_PUBLIC;
	}
	s->count = s->namespace_count = table->len;
	for (size_t i = 0; i < m->need_count; i++)
		add_scope(m, &m->needs[i], namespaces, &bases[s->count]);
	s->bases = bases;
	return 0;
}

static int
make(struct maker *m)
{
	const struct sidecar *root = m->in->sidecars->root;
	int r;

	r = make_rules(m);
	if (r == 0)
		r = collect_needs(m);
	if (r < 0)
		return r;
	sort_needs(m);
	r = make_scopes(m);
	m->s->unknown =
	    root != NULL && root->rule != NULL ? root->rule->nobody : TREE_PUBLIC;
	return r;
}

int
scopes_build(struct scopes *s, const struct scopes_input *input)
{
	struct maker m = {.s = s, .in = input};
	int r;

	*s = (struct scopes){0};
	r = intern_init(&m.contents, input->scratch, &input->key, input->sidecars->count);
	if (r == 0)
		r = make(&m);
	intern_done(&m.contents);
	return r;
}

uint32_t
scopes_find(const struct scopes *s, const struct sidecar *sidecar, uint32_t namespace_id)
{
	const struct scope_rule *rule = sidecar != NULL ? sidecar->rule : NULL;
	uint32_t low, high;

	if (rule == NULL)
		return namespace_id;
	low = rule->first;
	high = rule->first + rule->count;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (s->list[middle - s->namespace_count].namespace->id <= namespace_id)
			low = middle;
		else
			high = middle;
	}
	return low;
}
