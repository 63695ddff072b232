/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trees of the texts that a registry was built of, packed: a later build need not
 * parse again what is as it was.
 *
 * A text is known by its digest alone, in whatever file it stands: 128 bits of SipHash
 * under a random key, so that nobody outside can make two texts share one. A text that
 * does not fit is not kept, and is parsed again each time.
 *
 * A shelf lies in the memory of its registry and goes with it. Sealed it is never changed
 * again, and so may be read by other threads as long as the registry lives.
 */
#ifndef POLICY_REGISTRY_SHELF_H
#define POLICY_REGISTRY_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"
#include "policy/memory.h"

/* Bytes of all trees together, of some 200,000 entries. */
#define SHELF_BYTES_MAX ((size_t)64 << 20)

struct documents;

struct shelf_digest {
	uint64_t half[2];
};

struct shelved {
	struct table_link link; /* its hash is the digest's first half */
	struct shelved *next;
	uint64_t second_half;
	uint32_t len;
	uint8_t bytes[]; /* of each document: its length, four bytes, then its pack */
};

struct shelf {
	struct shelved *first, **end;
	size_t count;
	size_t bytes;
	struct table texts; /* once sealed */
};

/* key must be the same whenever digests are to be compared. */
struct shelf_digest shelf_digest(
    const struct hash_key *key, const char *text, size_t len);

/* Empty. Must not be moved. */
void shelf_init(struct shelf *s);
/* Keep the documents, which were read of a text with that digest, unless there is no
 * room. memory's lack tells whether it failed. */
void shelf_add(struct shelf *s, struct memory *memory, const struct documents *d);
/* To be looked up from now on. Negative: memory's lack. */
MUST_CHECK int shelf_seal(struct shelf *s, struct memory *memory);

/* NULL when there is none; s may be NULL. */
const struct shelved *shelf_find(
    const struct shelf *s, const struct shelf_digest *digest);

#endif
