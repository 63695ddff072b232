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
 * been settled. The deadline here is never later than the kernel's. Nothing is evicted
 * before it ends: at a limit new leases are refused.
 *
 * One owner, no clock, no I/O. Pointers stay valid until the lease is settled or swept.
 */
#ifndef DAEMON_LEASE_H
#define DAEMON_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "base/table.h"
#include "daemon/pod.h"

/* A lease whose deadline has passed is remembered a little longer, because the kernel's
 * own ends later: until then a new one for the same key is a renewal. */
#define LEASE_LINGER_MS 2000

struct lease_limits {
	size_t
	    size; /* leases in all; the kernel's sets are made with at least this size */
	uint32_t per_pod;  /* leases */
	uint32_t per_name; /* claims in one grant */
};

struct lease_target {
	struct addr addr;
	uint16_t port;
	uint8_t proto;
};

struct claim {
	struct lease *lease;
	struct grant *grant;
	LIST_ENTRY(claim) in_lease;
	LIST_ENTRY(claim) in_grant;
};

struct lease {
	struct table_link link;
	LIST_ENTRY(lease) in_slot;
	LIST_HEAD(, claim)
	claims; /* the last of them is the name in the kernel's comment */
	struct pod *pod;
	int64_t deadline_ms; /* 0: never acknowledged yet */
	struct lease_target target;
	uint16_t pending; /* commits under way */
	bool revoked; /* no longer in the table: freed when the last pending is settled */
};

struct grant {
	struct table_link link;
	struct pod *pod;
	LIST_HEAD(, claim) claims;
	uint32_t len;
	uint8_t name_len;
	uint8_t name[]; /* wire form, folded */
};

struct leases;

enum lease_cover {
	LEASE_COVERED, /* the kernel holds it past the time asked for */
	LEASE_SHORT,   /* reserve and commit it */
	LEASE_FULL,    /* a limit forbids it */
};

/* -EINVAL, -ENOMEM. pods is borrowed and must outlive the leases. */
MUST_CHECK int leases_new(const struct lease_limits *limits, struct pods *pods,
    const struct hash_key *key, struct leases **ret_leases);
/* Nothing may be pending. */
void leases_free(struct leases *l);
void leases_set_limits(struct leases *l, const struct lease_limits *limits);

/* The grant for (pod, name), made when there is none; NULL when out of memory or pods.
 * Give it back with lease_grant_release when done: a grant without claims goes then. */
struct grant *lease_grant(
    struct leases *l, const struct addr *pod, const struct name *name);
void lease_grant_release(struct leases *l, struct grant *g);

/* Does the kernel hold target for this grant's pod until until_ms? A lease that another
 * name opened becomes claimed by this one too. */
enum lease_cover lease_check(struct leases *l, struct grant *g,
    const struct lease_target *target, int64_t until_ms);
/* Write down one that lease_check found short; every reserve is followed by exactly one
 * settle. ret_renew: the kernel may hold it already. NULL when out of memory. */
struct lease *lease_reserve(struct leases *l, struct grant *g,
    const struct lease_target *target, bool *ret_renew);
/* The kernel's word on a commit: committed until deadline_ms, or not. The lease may be
 * gone after. */
void lease_settle(
    struct leases *l, struct lease *lease, bool committed, int64_t deadline_ms);
/* What the kernel was found to hold. -ENOMEM, -ENOSPC. */
MUST_CHECK int lease_restore(struct leases *l, const struct addr *pod,
    const struct name *name, const struct lease_target *target, int64_t deadline_ms);

/* The kernel may hold leases that are not known here: from now on every reserve says
 * renew. */
void leases_set_doubt(struct leases *l);

/* Take a name's claim away; true when that was the last one: the lease is then gone from
 * here and is to be revoked in the kernel. Frees neither the grant nor a pending lease.
 */
bool lease_drop_claim(struct leases *l, struct claim *c);

/* Forget what has ended. Cheap: looks at one second's worth of leases for each second
 * passed. */
void leases_sweep(struct leases *l, int64_t now_ms);

/* Walk all grants; g itself may be released after next was taken. */
struct grant *leases_first_grant(const struct leases *l);
struct grant *leases_next_grant(const struct leases *l, const struct grant *g);

struct lease_counts {
	size_t leases, grants, limit;
	size_t highest;   /* most leases at one time */
	uint64_t refused; /* by a limit */
};
struct lease_counts leases_counts(const struct leases *l);

#endif
