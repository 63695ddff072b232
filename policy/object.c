/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object.h"

#include <string.h>

static bool
matches(const struct table_link *link, const void *key)
{
	const struct object *a = CONTAINER_OF(link, struct object, link);
	const struct object *b = key;

	return strcmp(a->name, b->name) == 0 && strcmp(a->namespace, b->namespace) == 0 &&
	       strcmp(a->kind, b->kind) == 0;
}

/* Each text's hash becomes part of the key of the next. */
static uint64_t
object_hash(const struct hash_key *key, const struct object *o)
{
	const char *const texts[] = {o->kind, o->namespace, o->name};
	struct hash_key k = *key;
	uint64_t hash = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		k.k[0] = key->k[0] ^ hash;
		hash = hash_bytes(&k, texts[i], strlen(texts[i]));
	}
	return hash;
}

static void
complain(const struct object *o, const struct object *earlier, struct findings *findings)
{
	/* names were checked: no need to quote them; a file's path is its owner's */
	findings_add(findings, FINDING_ERROR, o->file, o->line, o->column,
	    "%s %s/%s stands at %s:%u:%u already: remove one of them", o->kind,
	    o->namespace, o->name, earlier->file, earlier->line, earlier->column);
}

int
object_check(struct object *list, size_t count, const struct hash_key *key,
    struct findings *findings)
{
	struct table table;
	int r;

	if (count == 0)
		return 0;
	r = table_init(&table, count);
	if (r < 0)
		return r;
	for (struct object *o = list; o != NULL && r == 0; o = o->next) {
		uint64_t hash = object_hash(key, o);
		struct table_link *link = table_find(&table, hash, matches, o);

		if (link != NULL)
			complain(o, CONTAINER_OF(link, struct object, link), findings);
		else
			r = table_add(&table, hash, &o->link);
	}
	table_done(&table);
	return r;
}
