/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that are asked in a host's stead, while they are collected.
 *
 * Lists and names lie in the image. A list holds each name once, in the order of their
 * coming, and REGISTRY_TARGETS_MAX at most: a further one is left out, and the caller,
 * who knows where it is written, says so.
 */
#ifndef POLICY_REGISTRY_TARGET_H
#define POLICY_REGISTRY_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "policy/memory.h"
#include "policy/registry/tree.h"
#include "policy/registry/verdict.h"

struct targets {
	struct registry_target *list; /* of size elements */
	size_t len;
	size_t size;
	size_t left_out;
};

/* Room for count names, but not for more than the limit. -ENOMEM, -ENOSPC, as all
 * here. */
MUST_CHECK int targets_init(struct targets *t, struct memory *image, size_t count);
/* A name as written, in any case, that name_parse takes; tree has all zones. 0: it is
 * there, 1: it is left out. */
MUST_CHECK int targets_add(
    struct targets *t, struct memory *image, const struct tree *tree, const char *text);
/* One that another list has. */
MUST_CHECK int targets_join(struct targets *t, const struct registry_target *target);

/* host->origin, whatever the order; where ports lead counts when targets differ in it. */
uint64_t targets_origin(const struct registry_host *host, const struct hash_key *key);

#endif
