/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/intern.h"

#include <errno.h>
#include <string.h>

static bool
matches(const struct table_link *link, const void *key)
{
	return strcmp(CONTAINER_OF(link, struct interned, link)->text, key) == 0;
}

int
intern_init(
    struct intern *i, struct memory *memory, const struct hash_key *key, size_t limit)
{
	*i = (struct intern){.memory = memory, .key = *key};
	return table_init(&i->table, MAX_OF(limit, 1));
}

void
intern_done(struct intern *i)
{
	table_done(&i->table);
}

const struct interned *
intern_find(const struct intern *i, const char *text)
{
	struct table_link *link =
	    table_find(&i->table, hash_bytes(&i->key, text, strlen(text)), matches, text);

	return link != NULL ? CONTAINER_OF(link, struct interned, link) : NULL;
}

const struct interned *
intern_text(struct intern *i, const char *text)
{
	size_t len = strlen(text);
	uint64_t hash = hash_bytes(&i->key, text, len);
	struct table_link *link = table_find(&i->table, hash, matches, text);
	struct interned *new;

	if (link != NULL)
		return CONTAINER_OF(link, struct interned, link);
	new = memory_alloc(i->memory, sizeof(*new) + len + 1);
	if (new == NULL)
		return NULL;
	memcpy(new->text, text, len);
	new->id = (uint32_t)i->table.len;
	if (table_add(&i->table, hash, &new->link) < 0) {
		i->memory->lack = -ENOSPC;
		return NULL;
	}
	return new;
}
