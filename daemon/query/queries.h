/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All queries (daemon/query/query.h) of the daemon, and what they share.
 */
#ifndef DAEMON_QUERY_QUERIES_H
#define DAEMON_QUERY_QUERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "daemon/config/config.h"
#include "daemon/lease/gate.h"
#include "daemon/lease/pod.h"
#include "daemon/lease/recent.h"
#include "daemon/log/report.h"
#include "daemon/query/query.h"

struct event;
struct event_base;
struct rate;
struct repeats;
struct wildcard;

struct query_counts {
	uint64_t received, dropped, malformed, foreign;
	uint64_t limited;          /* above the source's rate, and dropped */
	uint64_t wildcard_limited; /* names above the pod's budget: SERVFAIL */
	uint64_t repeated;         /* of those answered: daemon/query/query_repeat.h */
	uint64_t late;             /* replies that came too late, and were dropped */
	uint64_t answered, refused, empty, failed;
};

struct queries {
	struct pods *pods;
	struct resolver *resolver;
	struct gate *gate;
	struct report *report;
	struct recent *recent;
	struct rate *rate;
	struct wildcard *wildcard;
	struct repeats *repeats;
	int64_t (*now_ms)(void);
	/* of queries_use: borrowed */
	const struct config *config;
	const struct registry *registry;
	/* While the kernel is being switched, the one that it was switched from; NULL
	 * else. What it leases and registry does not is still to be leased. */
	const struct registry *before;
	uint64_t turns; /* how often any of the three has changed; 0: not set yet */
	bool started;   /* the gate has stood once: before that everything is SERVFAIL */
	struct query_list pool;
	size_t busy;    /* not in the pool: they wait */
	size_t waiting; /* of these, for upstream or the kernel */
	size_t lined;   /* and for their turn to do so */
	TAILQ_HEAD(, pod) turn;
	struct event *room; /* somebody's turn may have come */
	struct query *all;
	struct query_counts counts;
	uint8_t scratch[QUERY_REPLY_MAX];
};

/* The pointers of q are the caller's to set. -ENOMEM. */
MUST_CHECK int queries_init(struct queries *q, struct event_base *base);
/* Judge by these from now on. */
void queries_use(struct queries *q, const struct config *config,
    const struct registry *registry, const struct registry *before);
/* Now and then: who has stood in line too long gets his SERVFAIL. */
void queries_tick(struct queries *q, int64_t now_ms);
/* All transports must have cancelled theirs. */
void queries_done(struct queries *q);

/* May the source ask one more? Else it is counted, and told. To be asked before each. */
MUST_CHECK bool queries_admit(
    struct queries *q, const struct addr *source, int64_t now_ms);
/* Fill in the transport's part, then start it. NULL when all wait: it is counted. */
struct query *query_new(
    struct queries *all, const struct endpoint *source, int64_t now_ms);

#endif
