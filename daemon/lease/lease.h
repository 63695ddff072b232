/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leases that the kernel holds, as the loop knows them.
 *
 * A lease is one element of the kernel's set: this pod may reach this address on this
 * protocol and port until its deadline. A claim says that a name gave the pod that
 * address; two names may share one lease, and it is withdrawn when its last claim goes. A
 * grant is all the claims of one name for one pod.
 *
 * A lease is written down before it is asked of the kernel (pending), counted against
 * every limit from then on, and covers nothing until the kernel's acknowledgement has
 * been settled. The deadline here is never later than the kernel's, and no commit cuts
 * what an earlier one asked for. Nothing is evicted before it ends: at a limit new leases
 * are refused. A claim that no answer counts on any more goes when another one is left.
 *
 * No clock, no I/O. Pointers stay valid until the lease is settled or swept.
 */
#ifndef DAEMON_LEASE_LEASE_H
#define DAEMON_LEASE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "base/table.h"
#include "daemon/lease/grant.h"
#include "daemon/lease/pod.h"

/* A lease whose deadline has passed is remembered a little longer, because the kernel's
 * own ends later: until then a new one for the same key is a renewal. */
#define LEASE_LINGER_MS 2000

struct lease_limits {
	size_t size;         /* leases in all; the kernel's sets have at least this */
	uint32_t per_pod;    /* claims, so leases too */
	uint32_t per_name;   /* claims in one grant */
	uint32_t timeout_ms; /* the longest that the kernel is asked for */
};

struct lease_target {
	struct addr addr;
	uint16_t port;
	uint8_t proto;
	uint16_t to; /* the port that it leads to; 0: itself. No part of the key */
};

struct lease {
	struct table_link link; /* what a lookup reads comes first */
	struct lease_target target;
	struct pod *pod;
	int64_t deadline_ms;       /* 0: never acknowledged yet */
	LIST_HEAD(, claim) claims; /* the last is the name in the kernel's comment */
	LIST_ENTRY(lease) in_slot;
	int64_t asked_ms; /* the latest end that the kernel was asked for */
	uint16_t pending; /* commits under way */
	bool renamed;     /* the name in the kernel's comment has lost its claim */
	bool revoked; /* no longer in the table: freed when the last pending is settled */
	uint32_t record; /* daemon/lease/going.h */
};

struct claim; /* daemon/lease/claim.h */
struct going;
struct leases;
struct ring;
struct strain;
enum lease_cover {
	LEASE_COVERED, /* the kernel holds it past the time asked for */
	LEASE_SHORT,   /* reserve and commit it */
	LEASE_FULL,    /* a limit forbids it, or it leads elsewhere for another name */
};

/* -EINVAL, -ENOMEM. pods is borrowed and must outlive the leases. */
MUST_CHECK int leases_new(const struct lease_limits *limits, struct pods *pods,
    const struct hash_key *key, struct leases **ret_leases);
void leases_free(struct leases *l); /* nothing may be pending */
void leases_set_limits(struct leases *l, const struct lease_limits *limits);

/* The grant for (pod, name), made when there is none, and held; NULL when out of memory
 * or pods. Released and without claims it goes. */
struct grant *lease_grant(
    struct leases *l, const struct addr *pod, const struct name *name);
struct grant *lease_grant_hold(struct grant *g);
void lease_grant_release(struct leases *l, struct grant *g);

/* Does the kernel hold target for this grant's pod until until_ms? A lease that another
 * name opened becomes claimed by this one too. least_ms comes down to the end of one that
 * does; it may be NULL. */
enum lease_cover lease_check(struct leases *l, struct grant *g,
    const struct lease_target *target, int64_t until_ms, int64_t *least_ms);
/* Write down one that lease_check found short; every reserve is followed by exactly one
 * settle. ret_renew: the kernel may hold it already. NULL when out of memory. */
struct lease *lease_reserve(struct leases *l, struct grant *g,
    const struct lease_target *target, bool *ret_renew);
/* The timeout to ask for: until end_ms, or what was asked for before, but as the limit
 * lets; the deadline here may come nearer with it. Before the settle. */
uint32_t lease_ask(struct leases *l, struct lease *lease, int64_t now_ms, int64_t end_ms);
/* The kernel's word on a commit: committed until deadline_ms, or not. The lease may be
 * gone after. */
void lease_settle(
    struct leases *l, struct lease *lease, bool committed, int64_t deadline_ms);
/* What the kernel was found to hold: all of it is needed. -ENOMEM, -ENOSPC. */
MUST_CHECK int lease_restore(struct leases *l, const struct addr *pod,
    const struct name *name, const struct lease_target *target, int64_t deadline_ms);

/* What is written down here, pending or not; NULL: nothing. */
struct lease *lease_find(
    const struct leases *l, const struct addr *pod, const struct lease_target *target);
/* Has this grant a claim on target, pending or not? */
bool lease_claimed(
    const struct leases *l, const struct grant *g, const struct lease_target *target);

/* This grant's claim on target, if any, is needed until then at least. */
void lease_need(struct leases *l, const struct grant *g,
    const struct lease_target *target, int64_t until_ms);
/* The kernel may hold leases not known here: from now on every reserve says renew. */
void leases_set_doubt(struct leases *l);
/* Take a name's claim away; true when that was the last one: the lease is gone from here
 * and to be revoked in the kernel. The grant stays, and a pending lease. */
bool lease_drop_claim(struct leases *l, struct claim *c);
void lease_forget(struct leases *l, struct lease *lease); /* and all its claims */
/* Forget what has ended. Looks at a second's worth of leases for each second passed. */
void leases_sweep(struct leases *l, int64_t now_ms);

/* To watch and to walk. What is gone is still in it. */
struct grants *leases_grants(struct leases *l);
struct going *leases_going(struct leases *l);
const struct ring *leases_ring(const struct leases *l);

struct lease_counts {
	size_t leases, grants, limit;
	size_t highest;   /* most leases at one time */
	uint64_t refused; /* by a limit, or led elsewhere */
};
struct lease_counts leases_counts(const struct leases *l);
/* Grows whenever a lease goes before its end, or is to end earlier than it was. */
uint64_t leases_losses(const struct leases *l);
/* How near the limits are, to read and to clear. */
struct strain *leases_strain(struct leases *l);

#endif
