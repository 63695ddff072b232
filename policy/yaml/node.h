/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded tree of one YAML (or JSON) document, each node with its place, read by
 * libyaml's event interface.
 *
 * The tree lives in the arena that the caller gives. Refused with a finding at the place:
 * anchors, aliases, tags, merge keys, duplicate keys, keys that are no scalars, text that
 * is not UTF-8, NUL, more than NODE_DEPTH_MAX levels (libyaml is quadratic in flow
 * nesting), more than NODE_EVENTS_MAX events in a text, or a text above NODE_BYTES_MAX.
 */
#ifndef POLICY_YAML_NODE_H
#define POLICY_YAML_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/macros.h"
#include "policy/finding.h"

#define NODE_DEPTH_MAX 32
#define NODE_EVENTS_MAX 4000000
#define NODE_BYTES_MAX (32 * 1024 * 1024)

enum node_kind {
	NODE_SCALAR,
	NODE_SEQUENCE,
	NODE_MAPPING,
};

struct node {
	enum node_kind kind;
	bool plain; /* a scalar without quotes: only such a one can be null, a number or a
		       boolean */
	unsigned line, column;
	const char *text;         /* a scalar's bytes, with a NUL behind them */
	size_t len;               /* of text, or the number of children */
	const struct node *key;   /* of a mapping's child: its key */
	const struct node *child; /* first child */
	const struct node *next;  /* next sibling */
};

/* Called for each document of a text, in order; a negative result ends the reading and is
 * returned. It may clear the arena: nothing of the document is looked at afterwards. */
typedef int (*node_document_fn)(void *ctx, const struct node *root);

/*
 * Read all documents of text. 0, or -EINVAL after a finding was added (documents before
 * the broken one have been delivered), -ENOMEM. An empty document is passed over.
 */
MUST_CHECK int node_read(const char *file, const char *text, size_t len,
    struct arena *arena, struct findings *findings, node_document_fn document, void *ctx);

/* The value under key, NULL when absent or when map is no mapping or NULL. A null value
 * is returned as a node: ask node_is_null. */
const struct node *node_get(const struct node *map, const char *key);
bool node_is_null(const struct node *n);
bool node_is_text(const struct node *n, const char *text);
/* A plain or quoted decimal number, 0 to max; -EINVAL otherwise. */
MUST_CHECK int node_number(const struct node *n, uint64_t max, uint64_t *ret_value);
/* "true" or "false", plain; -EINVAL otherwise. */
MUST_CHECK int node_bool(const struct node *n, bool *ret_value);

#endif
