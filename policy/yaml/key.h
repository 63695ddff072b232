/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that stand twice in a mapping.
 */
#ifndef POLICY_YAML_KEY_H
#define POLICY_YAML_KEY_H

#include "base/arena.h"
#include "base/macros.h"
#include "policy/yaml/node.h"

/* The key that repeats an earlier one. */
typedef void (*key_fn)(void *ctx, const struct node *key);

/* Calls repeated for each. Every child of map has a key with a text. n log n; scratch
 * memory from arena: -ENOMEM. */
MUST_CHECK int key_repeats(
    const struct node *map, struct arena *arena, key_fn repeated, void *ctx);

#endif
