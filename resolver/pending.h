/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions under way and who waits for each.
 *
 * The table finds the one question of a (generation, group, name, type); the generation
 * tells apart questions to groups that a reload has replaced. It owns neither questions
 * nor waiters. A question that has ended leaves the table first and serves its waiters
 * then, so they may ask anew and cancel each other meanwhile.
 */
#ifndef RESOLVER_PENDING_H
#define RESOLVER_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "base/table.h"
#include "resolver/resolver.h"

struct pending {
	struct table_link link;
	uint64_t generation;
	size_t group;
	struct name name;
	uint16_t type;
	size_t waiter_count;
	TAILQ_HEAD(, resolver_waiter) waiters; /* in the order of their coming */
};

/* What a question is looked up by; name is borrowed. */
struct pending_key {
	uint64_t generation;
	size_t group;
	const struct name *name;
	uint16_t type;
};

/* Of all of key. Differing keys have differing hashes for practical purposes. */
uint64_t pending_hash(const struct hash_key *hash_key, const struct pending_key *key);

void pending_init(struct pending *p, const struct pending_key *key);
/* NULL when it is not under way. */
struct pending *pending_find(
    const struct table *t, uint64_t hash, const struct pending_key *key);

/* -EBUSY: RESOLVER_WAITERS_MAX wait already. */
MUST_CHECK int pending_join(struct pending *p, struct resolver_waiter *waiter);
/* Harmless for a waiter that waits for nothing. */
void pending_leave(struct resolver_waiter *waiter);
/* Calls done of every waiter, but not of those that join meanwhile; a is borrowed, old
 * says whether it is over. */
void pending_tell(struct pending *p, int result, struct answer *a, bool old);

#endif
