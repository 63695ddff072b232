/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The first chunk; each is twice the one before. An arena for a small text is made,
 * zeroed and freed once a file. */
#define CHUNK_MIN ((size_t)4 * 1024)
#define CHUNK_MAX ((size_t)256 * 1024)
/* What an arena that has outgrown these takes at a time, in huge pages where the kernel
 * has them: to touch small ones for the first time would take most of a large load. */
#define CHUNK_HUGE ((size_t)2 * 1024 * 1024)
#define CHUNK_KEPT ((size_t)64 * 1024) /* by arena_clear, at most */
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

/* Address space for a chunk of whole huge pages, zeroed; NULL when there is none. */
static struct chunk *
map_huge(size_t whole)
{
	char *start = mmap(NULL, whole + CHUNK_HUGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (start == MAP_FAILED)
		return NULL;
	before = CHUNK_HUGE - (uintptr_t)start % CHUNK_HUGE;
	/* what is around it is ours and whole pages: neither can fail but for memory, and
	 * then it is only address space */
	(void)munmap(start, before);
	(void)munmap(start + before + whole, CHUNK_HUGE - before);
	(void)madvise(start + before, whole, MADV_HUGEPAGE); /* else small ones */
	return (struct chunk *)(void *)(start + before);
}

static struct chunk *
chunk_new(size_t size)
{
	size_t whole = sizeof(struct chunk) + size;
	struct chunk *c;

	if (size > CHUNK_MAX) {
		whole = (whole + CHUNK_HUGE - 1) / CHUNK_HUGE * CHUNK_HUGE;
		c = map_huge(whole);
	} else {
		c = calloc(1, whole);
	}
	if (c != NULL)
		c->size = whole - sizeof(struct chunk);
	return c;
}

static void
chunk_free(struct chunk *c)
{
	if (c->size > CHUNK_MAX)
		(void)munmap(c, sizeof(*c) + c->size); /* whole: it cannot fail */
	else
		free(c);
}

static void
free_chunks(struct chunk *c)
{
	struct chunk *next;

	for (; c != NULL; c = next) {
		next = c->next;
		chunk_free(c);
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
	if (c->size > CHUNK_KEPT) {
		chunk_free(c);
		a->chunks = NULL;
		return;
	}
	memset(c->bytes, 0, c->used); /* what is behind was never handed out */
	c->used = 0;
}

static struct chunk *
chunk_add(struct arena *a, size_t size)
{
	size_t least = a->chunks != NULL ? a->chunks->size * 2 : CHUNK_MIN;
	struct chunk *c = chunk_new(MAX_OF(size, MIN_OF(least, CHUNK_MAX + 1)));

	if (c == NULL)
		return NULL;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;
	void *piece;

	if (size > a->limit - a->used || size > SIZE_MAX / 2)
		return NULL;
	/* no overflow, nor when a header is added and all is rounded up to huge pages */
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
