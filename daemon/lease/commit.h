/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop's end of the pair to the enforcer: requests go out in batches at the end of a
 * loop turn, results come back in order, and nothing here ever waits.
 *
 * A commit takes over leases that were reserved (daemon/lease/lease.h) and settles
 * each of them exactly once, when the kernel's word is in, whether or not somebody
 * still waits for it. Its waiter is told once: with that word, or with -ETIMEDOUT at
 * the deadline, whichever comes first.
 *
 * At most COMMIT_QUEUE_MAX commits are under way; beyond it committer_commit says -EBUSY.
 * While the table is not known to stand it says -ENOENT. A broken pair is told by the
 * dead hook, after which nothing works any more.
 */
#ifndef DAEMON_LEASE_COMMIT_H
#define DAEMON_LEASE_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/macros.h"
#include "base/name.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/lease/lease.h"

#define COMMIT_QUEUE_MAX 4096

struct change;
struct commit;
struct committer;
struct event_base;

struct commit_waiter {
	void (*done)(struct commit_waiter *waiter, int result);
	struct commit *commit; /* the committer's; NULL when not waiting */
};

/* Leases that one answer needs. */
struct commit_request {
	const struct name *name;
	uint32_t timeout_ms;
	int64_t least_ms; /* the first end of those that it needs and has already */
	size_t len;
	struct lease *leases[ENFORCER_LEASES_MAX]; /* of one pod, reserved */
	bool renew[ENFORCER_LEASES_MAX];
};

struct committer_hooks {
	void *ctx;
	/* The table is gone or in doubt: commits are refused until a change has been
	 * made. */
	void (*lost)(void *ctx, int reason);
	/* The enforcer has ended. */
	void (*dead)(void *ctx);
	/* One message of a dump. */
	void (*dumped)(void *ctx, const struct enforcer_message *m);
	/* ENFORCER_REFUSED. */
	void (*refused)(void *ctx, const struct enforcer_message *m);
	/* ENFORCER_FLOWS. */
	void (*flows)(void *ctx, const struct enforcer_message *m);
};

typedef void (*committer_done_fn)(void *ctx, int result);

/* fd is taken. -ENOMEM. */
MUST_CHECK int committer_new(struct event_base *base, int fd, struct leases *leases,
    int64_t (*now_ms)(void), const struct committer_hooks *hooks,
    struct committer **ret_committer);
/* Settles what is under way as not committed; waiters are not called. */
void committer_free(struct committer *c);
void committer_set_deadline(struct committer *c, uint32_t deadline_ms);

/* 0: the waiter will be told, from the event loop. A negative result: the leases have
 * been settled. */
MUST_CHECK int committer_commit(struct committer *c, const struct commit_request *request,
    struct commit_waiter *waiter);
/* After it done is never called; the commit itself goes on. Harmless when not waiting. */
void committer_cancel(struct commit_waiter *waiter);

/*
 * A change of the whole table that was ended: sent as one, and empty then.
 * done tells its result; on 0 the table stands and commits are taken; -ENOENT: it was
 * made, but what was there before may be lost. One at a time: -EBUSY; -ENOMEM.
 */
MUST_CHECK int committer_change(
    struct committer *c, struct change *change, committer_done_fn done, void *ctx);
/* Ask for the kernel's leases: dumped is called for each message, then done. One at a
 * time with changes: -EBUSY. */
MUST_CHECK int committer_dump(struct committer *c, committer_done_fn done, void *ctx);

/* Ask which leases have living flows: frames of LIVE messages
 * (daemon/enforcer/enforcer.h), copied. The answer's messages are told to whom
 * committer_hear named; NULL: to nobody.
 * -ENOMEM. */
MUST_CHECK int committer_ask(struct committer *c, const struct buf *frames);
typedef void (*committer_live_fn)(void *ctx, const struct enforcer_message *m);
void committer_hear(struct committer *c, committer_live_fn live, void *ctx);

/* Ask that a service lead elsewhere (LEAD). One at a time: -EBUSY; -ENOMEM. done is not
 * called once the pair is broken. */
MUST_CHECK int committer_lead(
    struct committer *c, struct enforcer_message *m, committer_done_fn done, void *ctx);

/* Is one under way? */
bool committer_leads(const struct committer *c);

bool committer_ready(const struct committer *c);

struct committer_counts {
	uint64_t commits, failed, late, leases;
	size_t waiting;
};
struct committer_counts committer_counts(const struct committer *c);

#endif
