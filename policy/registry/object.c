/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/object.h"

#include <assert.h>
#include <string.h>

#define FIRST_LIMIT 1024 /* doubled whenever it is reached */

int
objects_init(struct objects *all, const struct hash_key *key)
{
	*all = (struct objects){.key = *key};
	all->end = &all->first;
	return table_init(&all->table, FIRST_LIMIT);
}

void
objects_done(struct objects *all)
{
	table_done(&all->table);
}

bool
object_same(const struct object_id *a, const struct object_id *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->namespace, b->namespace) == 0 &&
	       strcmp(a->kind, b->kind) == 0;
}

static bool
matches(const struct table_link *link, const void *key)
{
	return object_same(&CONTAINER_OF(link, struct object, link)->id, key);
}

/* Each text's hash becomes part of the key of the next. */
uint64_t
object_hash(const struct hash_key *key, const struct object_id *id)
{
	const char *const texts[] = {id->kind, id->namespace, id->name};
	struct hash_key k = *key;
	uint64_t hash = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		k.k[0] = key->k[0] ^ hash;
		hash = hash_bytes(&k, texts[i], strlen(texts[i]));
	}
	return hash;
}

static int
grow(struct table *t)
{
	struct table bigger;
	struct table_link *next;
	int r = table_init(&bigger, t->limit * 2);

	if (r < 0)
		return r;
	for (struct table_link *l = table_first(t); l != NULL; l = next) {
		next = table_next(t, l);
		r = table_add(&bigger, l->hash, l);
		assert(r == 0); /* twice the room */
	}
	table_done(t);
	*t = bigger;
	return 0;
}

struct object *
objects_find(const struct objects *all, const struct object_id *id)
{
	struct table_link *link =
	    table_find(&all->table, object_hash(&all->key, id), matches, id);

	return link != NULL ? CONTAINER_OF(link, struct object, link) : NULL;
}

int
objects_add(struct objects *all, struct memory *m, const struct object_id *id,
    const struct object_place *at, struct object **ret_object)
{
	struct object *o = memory_alloc(m, sizeof(*o));
	int r = 0;

	if (o == NULL)
		return m->lack;
	o->id = (struct object_id){
	    .kind = memory_text(m, id->kind, strlen(id->kind)),
	    .namespace = memory_text(m, id->namespace, strlen(id->namespace)),
	    .name = memory_text(m, id->name, strlen(id->name)),
	};
	o->at = *at;
	if (m->lack < 0)
		return m->lack;
	if (all->table.len == all->table.limit)
		r = grow(&all->table);
	if (r == 0)
		r = table_add(&all->table, object_hash(&all->key, &o->id), &o->link);
	if (r < 0)
		return r;
	*all->end = o;
	all->end = &o->next;
	*ret_object = o;
	return 0;
}

void
object_complain_twice(
    const struct object *o, const struct object_place *again, struct findings *findings)
{
	/* names were checked: no need to quote them; a file's path is its owner's */
	findings_add(findings, FINDING_ERROR, again->file, again->line, again->column,
	    "%s %s/%s stands at %s:%u:%u already: remove one of them", o->id.kind,
	    o->id.namespace, o->id.name, o->at.file, o->at.line, o->at.column);
}

bool
object_is_broken(const struct object *o, const char *kind)
{
	return o->state == OBJECT_BROKEN && strcmp(o->id.kind, kind) == 0;
}
