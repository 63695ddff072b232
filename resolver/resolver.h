/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resolver: a question goes in, an examined answer comes out, from the cache, from a
 * question that is already under way, or from a server.
 *
 * It knows no client, no policy and no netfilter. It lives on the event loop that it is
 * given and belongs to one thread. Everything has a limit: questions under way
 * (RESOLVER_PENDING_MAX), waiters for one of them (RESOLVER_WAITERS_MAX), channels;
 * beyond it resolver_ask says -EBUSY at once.
 *
 * One question (group, name, type) is under way upstream at most once, however many wait
 * for it. It ends with an answer or within deadline_ms: servers are tried in turn, over
 * UDP, then over TCP when the answer was truncated; a reply that is not the answer to the
 * very packet sent is counted and ignored.
 *
 * When it ends without an answer, or lasts for longer than patience_ms, an old answer
 * from the cache serves (RFC 8767), and the question goes on. A popular answer is asked
 * for before it is over, and an old one that serves at once because all servers are bad
 * is too: RESOLVER_REFRESH_MAX such questions at once.
 */
#ifndef RESOLVER_RESOLVER_H
#define RESOLVER_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "resolver/answer.h"
#include "resolver/cache.h"

#define RESOLVER_PENDING_MAX 1024
#define RESOLVER_WAITERS_MAX 8192
#define RESOLVER_SERVERS_MAX 8 /* in one group */
#define RESOLVER_GROUPS_MAX 64
#define RESOLVER_REFRESH_MAX 64
#define RESOLVER_OLD_TTL_S 30 /* to be told of an old answer: RFC 8767 section 4 */

struct event_base;
struct resolver;

struct resolver_group {
	const struct endpoint
	    *servers; /* asked in this order, an unresponsive one later */
	size_t server_count;
};

struct resolver_times {
	int64_t deadline_ms; /* for a question as a whole: 4000 */
	int64_t try_ms;      /* for one server's reply, at most: 800 */
	/* Then those who wait get an old answer if there is one: 1800. 0: only when the
	 * question has failed. */
	int64_t patience_ms;
};

struct resolver_settings {
	const struct resolver_group
	    *groups; /* 0: the default; others: one for each internal zone */
	size_t group_count;
	struct resolver_times times;
	struct cache_limits cache;
	struct hash_key hash_key; /* random */
	int (*random_bytes)(
	    void *out, size_t len); /* getrandom(2); 0 or negative errno */
	int64_t (*now_ms)(void);    /* monotonic */
};

/*
 * Somebody who waits. The caller owns it and keeps it in place until done was called or
 * resolver_cancel was. done is called exactly once, from the event loop, never from
 * within resolver_ask: result 0 and an answer (borrowed for the call: take a reference to
 * keep it), or -ETIMEDOUT, -EREMOTEIO (servers answered, none usefully), -ENETUNREACH,
 * -ENOMEM and NULL.
 */
struct resolver_waiter {
	void (*done)(struct resolver_waiter *waiter, int result, struct answer *answer);
	bool old; /* for done: the answer is over, its TTL is RESOLVER_OLD_TTL_S */
	TAILQ_ENTRY(resolver_waiter) link; /* the resolver's */
	void *pending;                     /* the resolver's */
};

/* -EINVAL for limits out of range, -ENOMEM. settings are copied. */
MUST_CHECK int resolver_new(struct event_base *base,
    const struct resolver_settings *settings, struct resolver **ret_resolver);
/* Waiters must have been cancelled. */
void resolver_free(struct resolver *r);

/* New servers (a reload). Questions under way end as they began. The cache is cleared
 * when the groups differ. 0 or -EINVAL, -ENOMEM, and then nothing has changed. */
MUST_CHECK int resolver_set_groups(
    struct resolver *r, const struct resolver_group *groups, size_t group_count);

/* For what begins from now on. The size of the cache stays. -EINVAL for times out of
 * range, and then nothing has changed. */
MUST_CHECK int resolver_tune(struct resolver *r, const struct resolver_times *times,
    const struct cache_limits *cache);

/* What the cache has, borrowed until the next call into the resolver; NULL: ask. Nothing
 * comes of finding it again before ret_steady_ms, written when there is one; it may be
 * NULL. */
struct answer *resolver_find(struct resolver *r, size_t group, const struct name *name,
    uint16_t type, int64_t now_ms, int64_t *ret_steady_ms);
/* The same while every server of the group is bad, but old: waiting is in vain then. It
 * is being asked for. */
struct answer *resolver_find_old(struct resolver *r, size_t group,
    const struct name *name, uint16_t type, int64_t now_ms);
/* 0: done will be called. -EBUSY: a limit is reached. -EINVAL: there is no such group.
 * -ENOMEM. */
MUST_CHECK int resolver_ask(struct resolver *r, size_t group, const struct name *name,
    uint16_t type, struct resolver_waiter *waiter, int64_t now_ms);
/* After it done is never called. Harmless for a waiter that is not waiting. */
void resolver_cancel(struct resolver *r, struct resolver_waiter *waiter);

struct resolver_counts {
	uint64_t questions;  /* asked upstream, not counting retries */
	uint64_t tries;      /* packets sent, TCP included */
	uint64_t tcp;        /* of these over TCP */
	uint64_t bare;       /* of these without EDNS, which the server could not bear */
	uint64_t truncated;  /* went to TCP because the reply came cut */
	uint64_t refused;    /* replies without an answer: a failure rcode or nonsense */
	uint64_t folding;    /* how often a server was found to change letters */
	uint64_t timeouts;   /* of tries */
	uint64_t guessed;    /* how often somebody was found to guess in one's name */
	uint64_t mismatches; /* replies that were not to our packet: ignored */
	uint64_t failures;   /* questions that ended without an answer */
	uint64_t joined;     /* waiters that found their question under way */
	uint64_t old;        /* old answers given out */
	uint64_t refreshes;  /* questions that nobody waited for when they began */
	size_t pending;
	size_t channels;
	size_t servers, bad_servers;
	struct cache_counts cache;
};
struct resolver_counts resolver_counts(const struct resolver *r);

#endif
