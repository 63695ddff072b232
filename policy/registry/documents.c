/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/documents.h"

#include <errno.h>
#include <string.h>

#include "policy/yaml/pack.h"

/* Of what libyaml makes of DOCUMENTS_BYTES_MAX bytes, far more than can come. */
#define ARENA_MAX (DOCUMENTS_BYTES_MAX * 256)

int
documents_init(
    struct documents *d, const struct shelf *before, const struct hash_key *key)
{
	*d = (struct documents){
	    .arena = arena_new(ARENA_MAX), .before = before, .key = *key};
	d->end = &d->first;
	return d->arena != NULL ? 0 : -ENOMEM;
}

void
documents_done(struct documents *d)
{
	arena_free(d->arena);
	*d = (struct documents){0};
}

static void
clear(struct documents *d)
{
	arena_clear(d->arena);
	d->first = NULL;
	d->end = &d->first;
	d->shelved = NULL;
}

static int
keep(void *ctx, const struct node *root)
{
	struct documents *d = ctx;
	struct document *document = arena_alloc(d->arena, sizeof(*document));

	if (document == NULL)
		return -ENOMEM;
	document->root = root;
	*d->end = document;
	d->end = &document->next;
	return 0;
}

static int
unpack(struct documents *d)
{
	struct memory memory = {.arena = d->arena, .limit = ARENA_MAX};
	size_t pos = 0;
	int r = 0;

	while (pos < d->shelved->len && r == 0) {
		const struct node *root;
		struct pack pack;
		uint32_t len;

		memcpy(&len, d->shelved->bytes + pos, sizeof(len));
		pos += sizeof(len);
		pack = (struct pack){.bytes = d->shelved->bytes + pos, .len = len};
		root = pack_read(&pack, &memory);
		r = root != NULL ? keep(d, root) : -ENOMEM;
		pos += len;
	}
	return r;
}

static int
parse(struct documents *d, const char *text, size_t len)
{
	struct findings findings;
	int r;

	findings_init(&findings, 0); /* counted, not kept */
	r = node_read("", text, len, d->arena, &findings, keep, d);
	if (r == 0 && findings.dropped > 0)
		r = -EINVAL;
	findings_done(&findings);
	return r;
}

int
documents_read(struct documents *d, const char *text, size_t len)
{
	int r;

	clear(d);
	if (len > DOCUMENTS_BYTES_MAX)
		return -EFBIG;
	d->digest = shelf_digest(&d->key, text, len);
	d->shelved = shelf_find(d->before, &d->digest);
	r = d->shelved != NULL ? unpack(d) : parse(d, text, len);
	if (r < 0)
		clear(d);
	return r;
}
