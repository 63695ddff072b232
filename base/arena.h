/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is handed out piece by piece and freed whole.
 *
 * What comes from an arena belongs to it. The limit counts the bytes handed out; the
 * piece that would pass it is refused with NULL, as a failed malloc is.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/macros.h"

struct arena;

/* NULL when out of memory. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *a);
/* Empty again: nothing that came from it may be used any more. Keeps at most one chunk of
 * a usual size, which saves making it again. */
void arena_clear(struct arena *a);

/* Zeroed, aligned for any object; NULL at the limit or out of memory. */
MUST_CHECK void *arena_alloc(struct arena *a, size_t size);
/* n objects; NULL also when n * size would overflow. */
MUST_CHECK void *arena_array(struct arena *a, size_t n, size_t size);
/* A copy of len bytes with a NUL behind it. */
MUST_CHECK char *arena_text(struct arena *a, const char *text, size_t len);
/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

#endif
