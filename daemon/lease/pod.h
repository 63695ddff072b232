/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each pod has of ours: leases, waiting queries, connections. The counts that keep
 * one pod from taking what belongs to all.
 *
 * A pod is known by its address. A record lives while somebody holds a reference.
 *
 * Where several pods share a bridge one of them may have any number of addresses that the
 * registry does not know. All such together have at most PODS_STRANGERS_MAX records.
 */
#ifndef DAEMON_LEASE_POD_H
#define DAEMON_LEASE_POD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"

#define PODS_MAX 8192 /* with something of ours at one time; a node runs some hundred */
#define PODS_STRANGERS_MAX (PODS_MAX / 2)

struct query;

struct pod {
	struct table_link link;
	struct addr addr;
	bool stranger; /* not known when the record was made */
	uint32_t refs;
	uint32_t leases;
	uint32_t claims;  /* of its names on them */
	uint32_t queries; /* that wait for an answer or a commit */
	uint32_t lined;   /* that wait for their turn: the length of line */
	TAILQ_HEAD(, query) line;
	TAILQ_ENTRY(pod) in_turn; /* of the pods that have a line */
	uint32_t connections;     /* TCP */
	uint32_t question,
	    asked; /* of daemon/lease/renewal.c: leases in its last question */
};

struct pods {
	struct table table;
	struct hash_key key;
	/* Is that a pod's of the registry? The owner's to set; NULL: all are. */
	bool (*known)(void *ctx, const struct addr *addr);
	void *ctx;
	size_t strangers;
};

/* -ENOMEM. */
MUST_CHECK int pods_init(struct pods *p, const struct hash_key *key);
/* All references must have been given back. */
void pods_done(struct pods *p);

/* A reference to the pod with this address, made when there is none. NULL at PODS_MAX,
 * for a stranger at PODS_STRANGERS_MAX, or out of memory. */
struct pod *pods_get(struct pods *p, const struct addr *addr);
struct pod *pod_ref(struct pod *pod);
/*
 * May a pod that has mine of something have one more, where all pods have taken of the
 * limit? Half of it goes to whoever comes, up to per_pod each; the other half only to
 * those who have less than an eighth of per_pod. So no few pods can take everything.
 */
bool pod_may_have_more(uint32_t mine, uint32_t per_pod, size_t taken, size_t limit);
void pods_put(struct pods *p, struct pod *pod);

#endif
