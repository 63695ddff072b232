/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena that remembers why it said no.
 *
 * lack is sticky: a reader takes what it needs, gives up what it does not get, and its
 * caller looks once at the end. The owner calls memory_done, unless it keeps the arena.
 */
#ifndef POLICY_MEMORY_H
#define POLICY_MEMORY_H

#include <stddef.h>

#include "base/arena.h"
#include "base/macros.h"

struct memory {
	struct arena *arena;
	size_t limit;
	int lack; /* 0, -ENOMEM, or -ENOSPC when limit was the reason */
};

/* -ENOMEM. */
MUST_CHECK int memory_init(struct memory *m, size_t limit);
void memory_done(struct memory *m);

/* As the arena's own: zeroed, NULL on failure. */
MUST_CHECK void *memory_alloc(struct memory *m, size_t size);
MUST_CHECK void *memory_array(struct memory *m, size_t n, size_t size);
MUST_CHECK char *memory_text(struct memory *m, const char *text, size_t len);

#endif
