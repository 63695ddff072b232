/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers by (zone, name, type), whole and never mixed: what came as one answer is kept
 * and goes as one.
 *
 * The cache holds a reference to each answer in it. Its limit is in bytes; when full, the
 * least recently used go. One owner, no locks, no clock: now_ms comes in. A find that
 * hits costs one table look-up, no allocation.
 */
#ifndef RESOLVER_CACHE_H
#define RESOLVER_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "resolver/answer.h"

struct cache;

struct cache_limits {
	size_t bytes;       /* of memory, all told */
	uint32_t ttl_max_s; /* an answer is kept no longer */
	uint32_t negative_max_s;
};

/* NULL when out of memory. */
struct cache *cache_new(const struct cache_limits *limits, const struct hash_key *key);
void cache_free(struct cache *c);

/* Borrowed until the next call that adds or clears; NULL when absent or over. group is
 * the resolver's server group: the same name asked of another group is another thing. */
struct answer *cache_find(struct cache *c, size_t group, const struct name *name,
    uint16_t type, int64_t now_ms);
/* Takes a reference of its own. An answer with TTL 0 is not kept; one that cannot be kept
 * is simply absent. */
void cache_add(struct cache *c, size_t group, struct answer *a, int64_t now_ms);
void cache_clear(struct cache *c);

struct cache_counts {
	uint64_t hits, misses, evictions;
	size_t answers, bytes;
};
struct cache_counts cache_counts(const struct cache *c);

#endif
