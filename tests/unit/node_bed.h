/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text read into trees of nodes, and what was seen of them.
 */
#ifndef TESTS_UNIT_NODE_BED_H
#define TESTS_UNIT_NODE_BED_H

#include <stdlib.h>
#include <string.h>

#include "policy/yaml/node.h"
#include "tests/unit/unit.h"

#define ARENA_MAX ((size_t)1 << 30)

struct seen {
	struct arena *arena;
	struct findings findings;
	size_t documents;
	const struct node *last;
	int answer; /* of the callback */
};

static inline int
see(void *ctx, const struct node *root)
{
	struct seen *s = ctx;

	s->documents++;
	s->last = root;
	return s->answer;
}

static inline int
read_bytes(struct seen *s, const char *text, size_t len)
{
	char *copy = malloc(len); /* of exactly that size, for sanitizers */
	int r;

	memset(s, 0, sizeof(*s));
	s->arena = arena_new(ARENA_MAX);
	findings_init(&s->findings, FINDINGS_MAX);
	assert_true(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, text, len);
	r = node_read("f", copy, len, s->arena, &s->findings, see, s);
	free(copy);
	return r;
}

static inline int
read_text(struct seen *s, const char *text)
{
	return read_bytes(s, text, strlen(text));
}

static inline void
done(struct seen *s)
{
	arena_free(s->arena);
	findings_done(&s->findings);
}

#endif
