/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/definition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/registry/entry_image.h"

struct definition_key {
	const struct tree_node *node;
	const struct interned *namespace;
	bool wildcard;
};

static bool
matches(const struct table_link *link, const void *key)
{
	const struct definition *d = CONTAINER_OF(link, struct definition, link);
	const struct definition_key *k = key;

	return d->node == k->node && d->namespace == k->namespace &&
	       d->wildcard == k->wildcard;
}

static uint64_t
key_hash(const struct definitions *d, const struct definition_key *k)
{
	uint64_t words[3] = {k->node->link.hash, k->namespace->link.hash, k->wildcard};

	return hash_bytes(&d->key, words, sizeof(words));
}

int
definitions_init(struct definitions *d, size_t limit)
{
	d->list = NULL;
	d->end = &d->list;
	d->count = 0;
	d->hosts = NULL;
	d->host_count = 0;
	d->host_size = 0;
	return table_init(&d->table, MAX_OF(limit, 1));
}

void
definitions_done(struct definitions *d)
{
	table_done(&d->table);
	free(d->hosts);
	d->hosts = NULL;
}

struct definition *
definitions_find(const struct definitions *d, const struct tree_node *node, bool wildcard,
    const struct interned *namespace)
{
	struct definition_key key = {
	    .node = node, .namespace = namespace, .wildcard = wildcard};
	struct table_link *link = table_find(&d->table, key_hash(d, &key), matches, &key);

	return link != NULL ? CONTAINER_OF(link, struct definition, link) : NULL;
}

static bool
same_selector(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool
is_service(const struct service_entry *e)
{
	return strcmp(e->source.kind, "Service") == 0;
}

static bool
mergeable(const struct service_entry *a, const struct service_entry *b)
{
	return !is_service(a) && !is_service(b) && a->resolution == b->resolution &&
	       strcmp(a->labels, b->labels) == 0 &&
	       same_selector(a->selector, b->selector) &&
	       export_equal(&a->export, &b->export);
}

bool
definition_is_service(const struct definition *def)
{
	return is_service(def->parts->entry);
}

bool
definition_is_visible(const struct definition *def, const struct interned *namespace)
{
	const struct export *e = &def->parts->entry->export;

	return e->public || (namespace != NULL && export_lists(e, namespace->text));
}

/* The workload's own namespace, then Services, then what is exported by name. */
static int
rank(const struct definition *def, const struct interned *namespace)
{
	if (def->namespace == namespace)
		return 0;
	return 1 + 2 * !definition_is_service(def) + def->parts->entry->export.public;
}

bool
definition_goes_before(const struct definition *a, const struct definition *b,
    const struct interned *namespace)
{
	int x = rank(a, namespace);
	int y = rank(b, namespace);

	return x != y ? x < y : a->order < b->order;
}

struct definition *
definition_of(const struct definitions *d, const struct registry_host *host)
{
	return d->hosts[host->id]->definition;
}

static int
grow_hosts(struct definitions *d)
{
	size_t size = MAX_OF(2 * d->host_size, d->count);
	struct definition_host **larger;

	if (d->host_count < d->host_size)
		return 0;
	larger = realloc(d->hosts, size * sizeof(struct definition_host *));
	if (larger == NULL)
		return -ENOMEM;
	d->hosts = larger;
	d->host_size = size;
	return 0;
}

int
definition_add_host(
    struct definitions *d, struct definition *def, struct registry_host *host)
{
	struct definition_host *h = memory_alloc(d->scratch, sizeof(*h));
	int r;

	if (h == NULL)
		return d->scratch->lack;
	r = grow_hosts(d);
	if (r < 0)
		return r;
	h->host = host;
	h->definition = def;
	host->id = (uint32_t)d->host_count;
	d->hosts[d->host_count++] = h;
	if (def->last_host == NULL)
		def->hosts = h;
	else
		def->last_host->next = h;
	def->last_host = h;
	return 0;
}

static void
shadowed(const struct definitions *d, const struct definition *by,
    const struct service_entry *entry, const struct entry_host *host)
{
	char quoted[FINDING_QUOTE_MAX];
	const struct registry_source *a = &by->parts->entry->source;
	const struct registry_source *b = &entry->source;

	findings_add(d->findings, FINDING_WARNING, b->file, host->line, 1,
	    "host %s of %s %s/%s is shadowed by %s %s/%s (%s:%u) in its own namespace, "
	    "and opens nothing: %s",
	    finding_quote(host->text, strlen(host->text), quoted), b->kind, b->namespace,
	    b->name, a->kind, a->namespace, a->name, a->file, a->line,
	    is_service(by->parts->entry)
		? "a Service goes before entries"
		: "the older goes first; make resolution, labels, workloadSelector and "
		  "exportTo equal, or merge them");
}

static int
add_part(struct definitions *d, struct definition *def, struct service_entry *entry)
{
	struct definition_part *part = memory_alloc(d->scratch, sizeof(*part));

	if (part == NULL)
		return d->scratch->lack;
	part->entry = entry;
	if (def->last == NULL)
		def->parts = part;
	else
		def->last->next = part;
	def->last = part;
	def->part_count++;
	return 0;
}

static int
make(struct definitions *d, const struct definition_key *key, struct tree_node *node,
    const struct entry_host *host, struct service_entry *entry,
    struct definition **ret_definition)
{
	struct definition *def = memory_alloc(d->scratch, sizeof(*def));
	int r;

	if (def == NULL)
		return d->scratch->lack;
	def->node = node;
	def->namespace = key->namespace;
	def->wildcard = key->wildcard;
	def->entry_host = host;
	r = add_part(d, def, entry);
	if (r == 0)
		r = table_add(&d->table, key_hash(d, key), &def->link);
	if (r < 0)
		return r;
	def->order = (uint32_t)d->count;
	*d->end = def;
	d->end = &def->next;
	d->count++;
	*ret_definition = def;
	return 0;
}

/* In an internal zone everything is asked there and seen by all, whatever entries say. */
static void
check_zone(const struct definitions *d, const struct tree_node *node,
    const struct service_entry *entry, const struct entry_host *host)
{
	char quoted[FINDING_QUOTE_MAX];

	if (strcmp(entry->source.kind, "Service") == 0)
		return; /* that is where it belongs */
	for (; node != NULL; node = node->parent)
		if (node->zone != TREE_NO_ZONE) {
			findings_add(d->findings, FINDING_WARNING, entry->source.file,
			    host->line, 1,
			    "host %s lies in an internal zone: it is asked there, and a "
			    "lookup of it opens nothing",
			    finding_quote(host->text, strlen(host->text), quoted));
			return;
		}
}

static int
node_of(struct definitions *d, const struct entry_host *host, struct tree_node **ret_node)
{
	const char *text = host->text + (host->wildcard ? 2 : 0);
	struct name name;
	int r;

	r = name_parse(text, strlen(text), &name);
	if (r < 0)
		return r;
	*ret_node = tree_add(d->tree, d->image, &name);
	return *ret_node != NULL ? 0 : d->image->lack;
}

/* ret_definition stays NULL where the entry is shadowed. */
static int
add_host(struct definitions *d, struct service_entry *entry,
    const struct entry_host *host, const struct interned *namespace,
    struct definition **ret_definition)
{
	struct definition_key key = {.namespace = namespace, .wildcard = host->wildcard};
	struct definition *def;
	struct tree_node *node = NULL;
	int r;

	r = node_of(d, host, &node);
	if (r < 0)
		return r;
	key.node = node;
	def = definitions_find(d, node, host->wildcard, namespace);
	if (def == NULL) {
		check_zone(d, node, entry, host);
		return make(d, &key, node, host, entry, ret_definition);
	}
	if (def->last->entry != entry && !mergeable(def->parts->entry, entry)) {
		shadowed(d, def, entry, host);
		return 0;
	}
	*ret_definition = def;
	/* the same host twice in one entry says nothing new */
	return def->last->entry != entry ? add_part(d, def, entry) : 0;
}

int
definitions_add(struct definitions *d, struct service_entry *entry)
{
	const struct interned *namespace =
	    intern_text(d->namespaces, entry->source.namespace);
	int r;

	if (namespace == NULL)
		return d->namespaces->memory->lack;
	r = entry_image_make(d, entry, namespace);
	entry->definitions =
	    memory_array(d->scratch, entry->host_count, sizeof(struct definition *));
	if (entry->definitions == NULL)
		return d->scratch->lack;
	for (size_t i = 0; i < entry->host_count && r == 0; i++)
		if (!entry->hosts[i].partial)
			r = add_host(d, entry, &entry->hosts[i], namespace,
			    &entry->definitions[i]);
	return r;
}

int
definitions_finish(struct definitions *d)
{
	int r = 0;

	for (struct definition *def = d->list; def != NULL && r == 0; def = def->next) {
		r = entry_image_host(d, def);
		if (r == 0)
			r = definition_add_host(d, def, def->host);
	}
	return r;
}
