/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the names behind services' addresses (policy/registry/way.h) resolve to, for the
 * kernel, which cannot ask.
 *
 * Every name of the registry is asked for both families, at once and again when its TTL
 * is over, but not before BACKEND_TTL_MIN_S; BACKEND_ASKING_MAX questions are under way
 * at a time, so that the pods' own find room. A name that cannot be resolved keeps what
 * it had and is asked again after BACKEND_RETRY_S; until it first can it leads nowhere.
 * Of more than WAY_ADDRESSES_MAX addresses of a family the lowest ones are kept, which
 * are the same whatever the order of an answer.
 *
 * There are as many names as a registry's services lead to: its WAYS_MAX limits them.
 */
#ifndef DAEMON_LEASE_BACKEND_H
#define DAEMON_LEASE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "policy/registry/registry.h"
#include "policy/registry/way.h"
#include "resolver/resolver.h"

#define BACKEND_ASKING_MAX 64
#define BACKEND_TTL_MIN_S 5
#define BACKEND_RETRY_S 5

struct backends;

struct backends_settings {
	struct resolver *resolver; /* borrowed */
	int64_t (*now_ms)(void);
	struct hash_key hash_key;
	/* Some name leads elsewhere than before, or has been heard of for the first time.
	 * From the event loop, never from within a function here. */
	void (*changed)(void *ctx);
	void *ctx;
};

/* -ENOMEM. */
MUST_CHECK int backends_new(
    const struct backends_settings *settings, struct backends **ret_backends);
/* Before the resolver. */
void backends_free(struct backends *b);

/* From now on the names of this registry, of which none is kept. What is known of those
 * that were names before stays. -ENOMEM: some are not asked, and lead nowhere. */
MUST_CHECK int backends_use(struct backends *b, const struct registry *registry);
/* Now and then: ask those that are due. */
void backends_tick(struct backends *b);

/* Where a target is asked: the resolver's default servers, or those of its zone. */
size_t backend_group(const struct registry_target *target);

/* Where a service of this registry leads as far as is known: addresses only, those that
 * way_permits forbids left out, WAY_NAMED_MAX of a service with names. i counts up from 0
 * until it returns false. b NULL: its names lead nowhere. */
struct backends_walk {
	size_t way, address; /* zero at first */
	size_t count;
};
bool backends_way(const struct backends *b, const struct registry *registry,
    size_t service, struct backends_walk *walk, struct way *ret_way);
/* Differs when backends_way may say something else of the service than at an earlier
 * time. Of one without names always the same. */
uint64_t backends_stamp(
    const struct backends *b, const struct registry *registry, size_t service);
/* The same for all services. */
uint64_t backends_changes(const struct backends *b);

struct backends_counts {
	size_t names;
	size_t unheard; /* of these: nothing has been said to one of its questions yet */
	size_t failing; /* the last question could not be answered */
};
struct backends_counts backends_counts(const struct backends *b);

#endif
