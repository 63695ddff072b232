/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first chunk and the largest, unless a piece needs more; each is twice the one
 * before. An arena for a small text is made, zeroed and freed once a file. */
#define CHUNK_MIN ((size_t)4 * 1024)
#define CHUNK_MAX ((size_t)64 * 1024)
#define ALIGNMENT alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t used;
	size_t size;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct chunk *chunks;
	size_t used;
	size_t limit;
};

struct arena *
arena_new(size_t limit)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->limit = limit;
	return a;
}

static void
free_chunks(struct chunk *c)
{
	struct chunk *next;

	for (; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	free_chunks(a->chunks);
	free(a);
}

void
arena_clear(struct arena *a)
{
	struct chunk *c = a->chunks;

	a->used = 0;
	if (c == NULL)
		return;
	free_chunks(c->next);
	c->next = NULL;
	if (c->size > CHUNK_MAX) {
		free(c);
		a->chunks = NULL;
		return;
	}
	memset(c->bytes, 0, c->used); /* what is behind was never handed out */
	c->used = 0;
}

static struct chunk *
chunk_add(struct arena *a, size_t size)
{
	size_t least = CHUNK_MIN;
	struct chunk *c;

	if (a->chunks != NULL)
		least = MIN_OF(a->chunks->size * 2, CHUNK_MAX);
	if (size < least)
		size = least;
	c = calloc(1, sizeof(*c) + size);
	if (c == NULL)
		return NULL;
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;
	void *piece;

	if (size > a->limit - a->used || size > SIZE_MAX - CHUNK_MAX)
		return NULL;
	/* no overflow: a header and alignment together are less than a chunk */
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (c == NULL || size > c->size - c->used)
		c = chunk_add(a, size);
	if (c == NULL)
		return NULL;
	piece = c->bytes + c->used;
	c->used += size;
	a->used = MIN_OF(a->limit, a->used + size);
	return piece;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return arena_alloc(a, total);
}

char *
arena_text(struct arena *a, const char *text, size_t len)
{
	char *copy = len < a->limit ? arena_alloc(a, len + 1) : NULL;

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
