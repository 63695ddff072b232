/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts with some of their ports: what a Sidecar's listeners leave of them. Each is made
 * once, however many Sidecars leave the same.
 */
#ifndef POLICY_REGISTRY_TRIM_H
#define POLICY_REGISTRY_TRIM_H

#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"
#include "policy/registry/definition.h"

struct trims {
	struct hash_key key;
	struct table table; /* on the heap, until trims_done */
};

/* -ENOMEM. */
MUST_CHECK int trims_init(struct trims *t, const struct hash_key *key);
void trims_done(struct trims *t);

/* def's host with those ports for which served has a byte that is not 0; NULL, or one
 * that serves all: the whole. -ENOMEM, -ENOSPC. */
MUST_CHECK int trims_get(struct trims *t, struct definitions *d, struct definition *def,
    const uint8_t *served, struct registry_host **ret_host);

#endif
