/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of the registry as a tree of labels, with what each scope
 * (policy/registry/scope.h) sees of them.
 *
 * A child is found by one look-up in one table, keyed by its parent and its label, so a
 * walk from the root hashes each byte of a name once, whatever the size of the tree. Most
 * names look the same to everybody; where a scope sees something else, a grant, in the
 * second table, says what. A scope stands on a base: what it sees where it has no grant.
 *
 * While it is built the tables' buckets are on the heap, those of the nodes sized for the
 * most that there may be, those of the grants growing with them; tree_seal moves them
 * into the image, sized to what there is. Nodes and grants lie in the image from the
 * start.
 */
#ifndef POLICY_REGISTRY_TREE_H
#define POLICY_REGISTRY_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "base/table.h"
#include "policy/memory.h"
#include "policy/registry/verdict.h"

#define TREE_NO_ZONE REGISTRY_NO_ZONE
#define TREE_PUBLIC UINT32_MAX        /* no scope, or a base: what is public */
#define TREE_NOTHING (UINT32_MAX - 1) /* a base: nothing but what is granted */

/* What stands at a name, to somebody. */
struct tree_view {
	const struct registry_host *exact;    /* the name itself */
	const struct registry_host *wildcard; /* all names below it */
	bool below; /* a visible host below, or a wildcard here */
};

struct tree_node {
	struct table_link link;
	struct tree_node *parent;             /* NULL: the root */
	struct tree_view public;              /* to scopes that stand on it */
	const struct registry_host *exact;    /* the oldest, whoever sees it */
	const struct registry_host *wildcard; /* the same */
	struct tree_grant *grants;
	uint32_t zone;   /* index, TREE_NO_ZONE for none */
	bool zone_below; /* below is true, to everybody */
	bool service;    /* some Kubernetes Service has this name, whoever sees it */
	uint8_t label[]; /* its length, then its bytes */
};

/* What one scope sees besides, or instead of, what its base does. */
struct tree_grant {
	struct table_link link;
	const struct tree_node *node;
	struct tree_grant *next; /* of this node */
	struct tree_view view;
	uint32_t scope_id;
};

struct tree {
	struct hash_key key;
	struct tree_node *root;
	struct table nodes;
	struct table grants;
	const uint32_t *bases; /* by scope id: another scope, PUBLIC or NOTHING */
	bool sealed;
};

/* -ENOMEM, -ENOSPC; tree_done is right after a failure too. */
MUST_CHECK int tree_init(
    struct tree *t, struct memory *image, const struct hash_key *key, size_t node_limit);
/* Before the first grant and the first question for a view; bases lie in the image.
 * -ENOMEM. */
MUST_CHECK int tree_open_grants(struct tree *t, const uint32_t *bases);
/* Frees what is on the heap; a sealed tree has nothing there. */
void tree_done(struct tree *t);
MUST_CHECK int tree_seal(struct tree *t, struct memory *image);

/* The node of n, made with all above it when absent; NULL when the image lacks. */
struct tree_node *tree_add(struct tree *t, struct memory *image, const struct name *n);
struct tree_grant *tree_add_grant(
    struct tree *t, struct memory *image, struct tree_node *node, uint32_t scope_id);

/* The innermost zone that n lies in, TREE_NO_ZONE for none. */
uint32_t tree_zone(const struct tree *t, const struct name *n);

/* label: its length, then its bytes. NULL when absent. */
const struct tree_node *tree_child(
    const struct tree *t, const struct tree_node *parent, const uint8_t *label);
const struct tree_grant *tree_grant(
    const struct tree *t, const struct tree_node *node, uint32_t scope_id);
/* What a scope sees; TREE_PUBLIC: what is public. */
struct tree_view tree_view(
    const struct tree *t, const struct tree_node *node, uint32_t scope_id);

/* A table whose limit buckets lie in the image: never table_done. */
MUST_CHECK int tree_table(struct table *t, struct memory *image, size_t limit);
/* Move all entries of from, whose buckets are then freed, to a table in the image. */
MUST_CHECK int tree_table_move(struct table *from, struct memory *image);
/* Twice the room for a table on the heap that is full. -ENOMEM. */
MUST_CHECK int tree_table_grow(struct table *t);

#endif
