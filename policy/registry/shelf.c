/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/shelf.h"

#include <assert.h>
#include <string.h>

#include "policy/registry/documents.h"
#include "policy/registry/tree.h"
#include "policy/yaml/pack.h"

struct shelf_digest
shelf_digest(const struct hash_key *key, const char *text, size_t len)
{
	/* two keys that are unrelated to whoever knows neither */
	const struct hash_key other = {{~key->k[1], key->k[0]}};

	return (struct shelf_digest){
	    {hash_bytes(key, text, len), hash_bytes(&other, text, len)}};
}

void
shelf_init(struct shelf *s)
{
	*s = (struct shelf){0};
	s->end = &s->first;
}

/* How many bytes the documents take; 0: more than a shelf has. */
static uint32_t
packed_size(const struct documents *d)
{
	size_t size = 0;

	if (d->shelved != NULL)
		return d->shelved->len;
	for (const struct document *o = d->first; o != NULL; o = o->next)
		size += sizeof(uint32_t) + pack_size(o->root);
	return size <= SHELF_BYTES_MAX ? (uint32_t)size : 0;
}

static void
put_documents(struct shelved *to, const struct documents *d)
{
	uint8_t *at = to->bytes;

	if (d->shelved != NULL) {
		memcpy(at, d->shelved->bytes, to->len);
		return;
	}
	for (const struct document *o = d->first; o != NULL; o = o->next) {
		uint32_t len = (uint32_t)pack_write(o->root, at + sizeof(len));

		memcpy(at, &len, sizeof(len));
		at += sizeof(len) + len;
	}
	assert(at == to->bytes + to->len);
}

void
shelf_add(struct shelf *s, struct memory *memory, const struct documents *d)
{
	uint32_t len = packed_size(d);
	size_t size = sizeof(struct shelved) + len;
	struct shelved *o;

	if (len == 0 || size > SHELF_BYTES_MAX - s->bytes)
		return;
	o = memory_alloc(memory, size);
	if (o == NULL)
		return;
	o->link.hash = d->digest.half[0];
	o->second_half = d->digest.half[1];
	o->len = len;
	put_documents(o, d);
	s->bytes += size;
	s->count++;
	*s->end = o;
	s->end = &o->next;
}

static bool
text_matches(const struct table_link *link, const void *key)
{
	const struct shelf_digest *digest = key;

	return CONTAINER_OF(link, struct shelved, link)->second_half == digest->half[1];
}

int
shelf_seal(struct shelf *s, struct memory *memory)
{
	int r = memory->lack;

	if (r == 0 && s->count > 0)
		r = tree_table(&s->texts, memory, s->count);
	for (struct shelved *o = s->first; o != NULL && r == 0; o = o->next) {
		r = table_add(&s->texts, o->link.hash, &o->link);
		assert(r == 0); /* sized for all of them */
	}
	return r;
}

const struct shelved *
shelf_find(const struct shelf *s, const struct shelf_digest *digest)
{
	struct table_link *link;

	if (s == NULL || s->texts.buckets == NULL)
		return NULL;
	link = table_find(&s->texts, digest->half[0], text_matches, digest);
	return link != NULL ? CONTAINER_OF(link, struct shelved, link) : NULL;
}
