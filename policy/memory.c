/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/memory.h"

#include <errno.h>
#include <string.h>

int
memory_init(struct memory *m, size_t limit)
{
	struct arena *arena = arena_new(limit);

	if (arena == NULL)
		return -ENOMEM;
	*m = (struct memory){.arena = arena, .limit = limit};
	return 0;
}

void
memory_done(struct memory *m)
{
	arena_free(m->arena);
	m->arena = NULL;
}

void *
memory_alloc(struct memory *m, size_t size)
{
	void *piece = arena_alloc(m->arena, size);

	if (piece == NULL && m->lack == 0)
		m->lack = size > m->limit - arena_used(m->arena) ? -ENOSPC : -ENOMEM;
	return piece;
}

void *
memory_array(struct memory *m, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		m->lack = m->lack == 0 ? -ENOSPC : m->lack;
		return NULL;
	}
	return memory_alloc(m, total);
}

char *
memory_text(struct memory *m, const char *text, size_t len)
{
	char *copy = memory_alloc(m, len + 1);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}
