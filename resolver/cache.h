/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers by (group of servers, name, type), whole and never mixed: what came as one
 * answer is kept and goes as one.
 *
 * Nothing else is part of the key, because nothing else changes what we ask: always class
 * IN, RD set, an OPT without DO, CD clear and no options. What a client says of RD, CD,
 * DO, size, OPT and transport is applied to each reply (RFC 8906 section 6). That a name
 * does not exist holds for all its types (RFC 2308 section 5), unless an alias led there.
 *
 * An answer is fresh for its TTL, or the limit if that is less; there is no floor, so
 * what came with TTL 0 is not kept. After that it is old, and kept for the case that the
 * servers fail (RFC 8767).
 *
 * The cache holds a reference to each answer in it. Its limit is in bytes; when full, the
 * least recently used go. One owner, no locks, no clock: now_ms comes in. A find that
 * hits costs one table look-up, no allocation and no system call.
 */
#ifndef RESOLVER_CACHE_H
#define RESOLVER_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "resolver/answer.h"

/* An answer that is found this often is asked for anew when a tenth of its time is left,
 * so that nobody has to wait. */
#define CACHE_POPULAR 3

struct cache;

struct cache_limits {
	size_t bytes;       /* of memory, all told */
	uint32_t ttl_max_s; /* an answer is fresh no longer */
	uint32_t negative_max_s;
	uint32_t old_max_s; /* and kept that much longer; 0: not at all */
};

/* What comes of finding it. */
struct cache_use {
	bool due;          /* it is popular and soon over, so ask for it; said once */
	int64_t steady_ms; /* until then nothing comes of finding it again; 0: something
			      does */
};

/* NULL when out of memory. */
struct cache *cache_new(const struct cache_limits *limits, const struct hash_key *key);
void cache_free(struct cache *c);

/* From now on; what is in the cache stays as it is, and so does the limit in bytes. */
void cache_limit(struct cache *c, const struct cache_limits *limits);

/*
 * A fresh answer, borrowed until the next call that adds or clears; NULL when there is
 * none. group is the resolver's server group: the same name asked of another group is
 * another thing.
 */
struct answer *cache_find(struct cache *c, size_t group, const struct name *name,
    uint16_t type, int64_t now_ms, struct cache_use *ret_use);
/* The same for what is there, fresh or old. Not counted, and not a use. */
struct answer *cache_find_old(struct cache *c, size_t group, const struct name *name,
    uint16_t type, int64_t now_ms);
/* Takes a reference of its own. An answer with TTL 0 is not kept; one that cannot be kept
 * is simply absent. */
void cache_add(struct cache *c, size_t group, struct answer *a, int64_t now_ms);
void cache_clear(struct cache *c);

struct cache_counts {
	uint64_t hits, misses, evictions;
	size_t answers, bytes; /* the old ones included */
};
struct cache_counts cache_counts(const struct cache *c);

#endif
