/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is counted first, so that each table is made once, with room for all; no
 * step looks at pairs of entries.
 */
#include "policy/registry/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/registry/registry.h"
#include "policy/registry/scope.h"
#include "policy/registry/shadow.h"
#include "policy/registry/sidecar_image.h"
#include "policy/registry/sidecar_set.h"
#include "policy/registry/view.h"
#include "policy/registry/visibility.h"

/* Upper bounds. */
struct totals {
	size_t hosts;
	size_t nodes;
	size_t namespaces;
	size_t words;
};

struct compiler {
	struct registry_builder *b;
	struct registry *r;
	struct service_entry **entries; /* the oldest first */
	struct intern namespaces;
	struct intern words;
	struct definitions definitions;
	struct sidecar_set sidecars;
	struct scopes scopes;
};

static size_t
count_labels(const char *host)
{
	size_t labels = 1;

	for (; *host != '\0'; host++)
		labels += *host == '.';
	return labels;
}

static struct totals
count(const struct registry_builder *b)
{
	struct totals t = {.namespaces = b->pod_count + b->sidecar_count};

	for (const struct service_entry *e = b->entries; e != NULL; e = e->next) {
		for (size_t i = 0; i < e->host_count; i++)
			t.nodes += count_labels(e->hosts[i].text);
		t.hosts += e->host_count;
		t.namespaces += e->export.count + 1;
		t.words += 2 * e->port_count;
	}
	for (size_t i = 0; i < b->settings->zone_count; i++)
		t.nodes += b->settings->zones[i].labels;
	return t;
}

/* Services, then by age, then by namespace, then by name. */
static int
age_compare(const void *a, const void *b)
{
	const struct service_entry *x = *(struct service_entry *const *)a;
	const struct service_entry *y = *(struct service_entry *const *)b;
	int order;

	order = (strcmp(y->source.kind, "Service") == 0) -
		(strcmp(x->source.kind, "Service") == 0);
	if (order != 0)
		return order;
	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	order = strcmp(x->source.namespace, y->source.namespace);
	return order != 0 ? order : strcmp(x->source.name, y->source.name);
}

static int
sort_entries(struct compiler *c)
{
	size_t n = 0;

	c->entries =
	    memory_array(&c->b->build, c->b->entry_count, sizeof(struct service_entry *));
	if (c->entries == NULL)
		return c->b->build.lack;
	for (struct service_entry *e = c->b->entries; e != NULL; e = e->next)
		c->entries[n++] = e;
	if (n > 1)
		qsort(c->entries, n, sizeof(struct service_entry *), age_compare);
	return 0;
}

/* The tables on the heap; all are put in order for release even if one fails. */
static int
open_tables(struct compiler *c)
{
	struct registry_builder *b = c->b;
	const struct hash_key *key = &b->settings->hash_key;
	struct totals t = count(b);
	int r;

	r = tree_init(&c->r->tree, &b->image, key, t.nodes);
	if (r == 0)
		r = intern_init(&c->namespaces, &b->image, key, t.namespaces);
	if (r == 0)
		r = intern_init(&c->words, &b->image, key, t.words);
	c->definitions = (struct definitions){
	    .key = *key,
	    .image = &b->image,
	    .scratch = &b->build,
	    .findings = b->findings,
	    .tree = &c->r->tree,
	    .namespaces = &c->namespaces,
	    .words = &c->words,
	};
	return r == 0 ? definitions_init(&c->definitions, t.hosts) : r;
}

static void
close_tables(struct compiler *c)
{
	definitions_done(&c->definitions);
	intern_done(&c->words);
	intern_done(&c->namespaces);
	tree_done(&c->r->tree);
}

/* Zones come before all entries, which ask whether they lie in one. */
static int
add_zones(struct compiler *c)
{
	const struct registry_settings *s = c->b->settings;

	for (size_t i = 0; i < s->zone_count; i++) {
		struct tree_node *n = tree_add(&c->r->tree, &c->b->image, &s->zones[i]);

		if (n == NULL)
			return c->b->image.lack;
		n->zone = (uint32_t)i;
		for (n = n->parent; n != NULL && !n->zone_below; n = n->parent)
			n->zone_below = true;
	}
	return 0;
}

static int
add_entries(struct compiler *c)
{
	int r = 0;

	for (size_t i = 0; i < c->b->entry_count && r == 0; i++)
		r = definitions_add(&c->definitions, c->entries[i]);
	return r == 0 ? definitions_finish(&c->definitions) : r;
}

enum outbound_mode
compile_mode(const struct registry_builder *b)
{
	return b->mesh.has_outbound ? b->mesh.outbound : OUTBOUND_ALLOW_ANY;
}

/* Those of entries are there already. */
static int
add_namespaces(struct compiler *c)
{
	for (const struct pod *p = c->b->pods; p != NULL; p = p->next)
		if (intern_text(&c->namespaces, p->source.namespace) == NULL)
			return c->b->image.lack;
	for (const struct sidecar *s = c->b->sidecars; s != NULL; s = s->next)
		if (intern_text(&c->namespaces, s->source.namespace) == NULL)
			return c->b->image.lack;
	return 0;
}

static int
add_scopes(struct compiler *c)
{
	struct registry_builder *b = c->b;
	struct sidecar_set_input set_input = {
	    .list = b->sidecars,
	    .count = b->sidecar_count,
	    .namespaces = &c->namespaces,
	    .root_namespace = b->mesh.root_namespace != NULL ? b->mesh.root_namespace
							     : MESH_ROOT_NAMESPACE,
	    .scratch = &b->build,
	    .findings = b->findings,
	};
	struct scopes_input input = {
	    .sidecars = &c->sidecars,
	    .namespaces = &c->namespaces,
	    .image = &b->image,
	    .scratch = &b->build,
	    .key = b->settings->hash_key,
	};
	int r;

	r = sidecar_set_build(&c->sidecars, &set_input);
	if (r == 0)
		r = scopes_build(&c->scopes, &input);
	return r == 0 ? tree_open_grants(&c->r->tree, c->scopes.bases) : r;
}

static int
keep_sidecars(struct compiler *c)
{
	struct sidecar_image_input input = {
	    .image = &c->b->image,
	    .sidecars = &c->sidecars,
	    .scopes = &c->scopes,
	    .mode = compile_mode(c->b),
	};
	const struct sidecar *root = c->sidecars.root;
	int r;

	r = sidecar_image_make(&input);
	if (r == 0)
		r = sidecar_image_plain(&input, &c->r->plain);
	c->r->unknown = c->scopes.unknown;
	if (c->r->unknown != TREE_PUBLIC)
		c->r->unknown_sidecar = root->told;
	return r;
}

/* When in doubt, deny: a pod that no manifest tells of may be under any of them. */
static enum outbound_mode
strictest(const struct registry_builder *b)
{
	enum outbound_mode mesh = compile_mode(b);

	for (const struct sidecar *s = b->sidecars; s != NULL; s = s->next)
		if (sidecar_mode(s, mesh) == OUTBOUND_REGISTRY_ONLY)
			return OUTBOUND_REGISTRY_ONLY;
	return mesh;
}

static int
add_workloads(struct compiler *c)
{
	struct registry_builder *b = c->b;
	struct workloads_input input = {
	    .pods = b->pods,
	    .mode = compile_mode(b),
	    .namespaces = &c->namespaces,
	    .sidecars = &c->sidecars,
	    .scopes = &c->scopes,
	    .image = &b->image,
	    .scratch = &b->build,
	    .findings = b->findings,
	};
	int r;

	r = workloads_build(&c->r->workloads, &input, &b->settings->hash_key);
	c->r->mode = strictest(b);
	if (r == 0 && c->r->mode == OUTBOUND_REGISTRY_ONLY)
		r = workloads_open(
		    &c->r->workloads, &b->image, &c->r->open_count, &c->r->open);
	return r;
}

static int
keep_namespaces(struct compiler *c)
{
	const struct table *table = &c->namespaces.table;
	const char **list = memory_array(&c->b->image, table->len, sizeof(*list));

	if (list == NULL)
		return c->b->image.lack;
	for (struct table_link *l = table_first(table); l != NULL;
	     l = table_next(table, l)) {
		const struct interned *in = CONTAINER_OF(l, struct interned, link);

		list[in->id] = in->text;
	}
	c->r->namespaces = list;
	c->r->namespace_count = table->len;
	return 0;
}

/* The kernel's tables and the loop that fills them have an end. */
static int
check_fixed(const struct compiler *c)
{
	const struct fixed *f = &c->r->fixed;
	const struct registry_source *s;
	size_t count;

	if (f->count <= REGISTRY_FIXED_MAX ||
	    (c->r->mode == OUTBOUND_ALLOW_ANY && f->service_count == 0))
		return 0;
	s = &fixed_largest(f, &count)->source;
	findings_add(c->b->findings, FINDING_ERROR, s->file, s->line, 1,
	    "the registry's addresses, times their ports, times the pods that see them, "
	    "come to %zu openings, above the limit of %d; %zu of them are of %s %s/%s: "
	    "write one wider address instead of many, list fewer ports, or export it to "
	    "all",
	    f->count, REGISTRY_FIXED_MAX, count, s->kind, s->namespace, s->name);
	return -EINVAL;
}

static int
check_ways(const struct compiler *c)
{
	const struct fixed *f = &c->r->fixed;
	const struct registry_source *s;

	if (f->way_count <= WAYS_MAX)
		return 0;
	s = fixed_widest(f);
	findings_add(c->b->findings, FINDING_ERROR, s->file, s->line, 1,
	    "the endpoints behind addresses, times the ports of their entries, come to "
	    "%zu, above the limit of %d; %s %s/%s has most of them: list fewer endpoints "
	    "or ports",
	    f->way_count, WAYS_MAX, s->kind, s->namespace, s->name);
	return -EINVAL;
}

static int
add_fixed(struct compiler *c)
{
	struct fixed_input input = {
	    .definitions = &c->definitions,
	    .workloads = &c->r->workloads,
	    .scopes = &c->scopes,
	    .entries = c->entries,
	    .entry_count = c->b->entry_count,
	};
	int r;

	r = fixed_build(&c->r->fixed, &input);
	if (r == 0)
		r = check_fixed(c);
	return r == 0 ? check_ways(c) : r;
}

static int
fill(struct compiler *c)
{
	int r;

	r = sort_entries(c);
	if (r == 0)
		r = open_tables(c);
	if (r == 0)
		r = add_zones(c);
	if (r == 0)
		r = add_entries(c);
	if (r == 0)
		r = add_namespaces(c);
	if (r == 0)
		r = add_scopes(c);
	if (r == 0)
		r = keep_sidecars(c);
	if (r == 0)
		r = visibility_build(&c->definitions);
	if (r == 0)
		r = shadow_report(&c->definitions);
	if (r == 0)
		r = view_build(&c->definitions, &c->scopes);
	if (r == 0)
		r = add_workloads(c);
	if (r == 0)
		r = keep_namespaces(c);
	if (r == 0)
		r = add_fixed(c);
	if (r == 0)
		r = tree_seal(&c->r->tree, &c->b->image);
	return r;
}

static int
copy_own(struct registry *r, struct memory *image, const struct registry_settings *s)
{
	struct prefix *own = memory_array(image, s->own_count, sizeof(*own));

	if (own == NULL)
		return image->lack;
	if (s->own_count > 0)
		memcpy(own, s->own, s->own_count * sizeof(*own));
	r->own = own;
	r->own_count = s->own_count;
	return 0;
}

/* Those that no Service was made into. */
static size_t
count_entries(const struct registry_builder *b)
{
	size_t n = 0;

	for (const struct service_entry *e = b->entries; e != NULL; e = e->next)
		n += strcmp(e->source.kind, "Service") != 0;
	return n;
}

int
registry_compile(struct registry_builder *b, struct registry **ret_registry)
{
	struct compiler c = {.b = b};
	int r;

	c.r = memory_alloc(&b->image, sizeof(*c.r));
	if (c.r == NULL)
		return b->image.lack;
	r = copy_own(c.r, &b->image, b->settings);
	if (r == 0)
		r = fill(&c);
	close_tables(&c);
	if (r < 0)
		return r;
	c.r->refs = 1;
	c.r->counts = (struct registry_counts){
	    .entries = count_entries(b),
	    .services = b->service_count,
	    .hosts = c.definitions.count,
	    .pods = c.r->workloads.pod_count,
	    .bytes = arena_used(b->image.arena),
	    .left_out = b->admission.left_out,
	    .last_good = b->admission.last_good,
	};
	c.r->kept = b->admission.kept;
	c.r->shelf = b->shelf;
	c.r->memory = b->image;
	b->image.arena = NULL;
	*ret_registry = c.r;
	return 0;
}
