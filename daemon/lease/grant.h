/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grants: for each pod and name, all the claims of that name's answers.
 *
 * A grant without claims that nobody holds goes. As many fit as there may be leases.
 * daemon/lease/lease.h makes and drops the claims; here they are only listed.
 */
#ifndef DAEMON_LEASE_GRANT_H
#define DAEMON_LEASE_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "base/table.h"
#include "daemon/lease/pod.h"

struct claim;

struct grant {
	struct table_link link;
	struct pod *pod;
	LIST_HEAD(, claim) claims;
	uint64_t origin; /* the host's when it was made; 0 for what the kernel held */
	uint32_t len;
	uint16_t holds; /* by who works with it */
	bool marked;    /* held by a forecast (daemon/lease/forecast.h) */
	bool judged;    /* stands in its list */
	uint8_t name_len;
	uint64_t owner; /* the identity of the pod that asked; 0: not known */
	uint8_t name[]; /* wire form, folded */
};

typedef void (*grant_fn)(void *ctx, struct grant *g);

struct grants {
	struct table table;
	struct pods *pods;
	struct hash_key key;
	grant_fn watch;
	void *watch_ctx;
};

/* -EINVAL, -ENOMEM. pods is borrowed and must outlive the grants. */
MUST_CHECK int grants_init(
    struct grants *grants, size_t limit, struct pods *pods, const struct hash_key *key);
/* All must be gone. */
void grants_done(struct grants *grants);

/* The grant for (pod, name), made when there is none, and held; NULL when out of memory,
 * pods or room. */
struct grant *grants_get(
    struct grants *grants, const struct addr *pod, const struct name *name);
/* Free g when it has no claims and nobody holds it. */
void grants_drop(struct grants *grants, struct grant *g);

/* From now on fn is told of each grant that gets a claim, when it has it; it may hold g.
 * One at a time; NULL ends it. */
void grants_watch(struct grants *grants, grant_fn fn, void *ctx);
/* g has a new claim. */
void grants_changed(const struct grants *grants, struct grant *g);

/* Walk all; g itself may be held and released after next was taken. */
struct grant *grants_first(const struct grants *grants);
struct grant *grants_next(const struct grants *grants, const struct grant *g);
/* Tell fn of those in so many buckets from *bucket on, which moves behind them; true as
 * long as there are more. Grants may come and go between two calls: one that comes may be
 * passed over, and of one that stays fn may be told twice. fn drops none. */
bool grants_walk(
    const struct grants *grants, size_t *bucket, size_t buckets, grant_fn fn, void *ctx);

#endif
