/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queries that there may be, in all and of one pod: the part of the life of a
 * query that is about who may have one, and whose turn it is. Inside of
 * daemon/query/query.c only; everybody else sees daemon/query/query.h.
 *
 * Queries come from a pool of QUERIES_MAX; with none left a packet is dropped. A source
 * may send so many a second as the configuration says; what is beyond is dropped before
 * it is looked at.
 *
 * QUERIES_WAITING_MAX may wait for upstream or the kernel, and QUERIES_PER_POD of one
 * pod, shared out by pod_may_have_more; a further one stands in its pod's line until
 * there is room, and the pods take turns. Of QUERIES_LINED_MAX in all and
 * QUERIES_LINED_PER_POD in one line, shared out alike, a further one gets SERVFAIL, and
 * so does who stands there longer than a query's deadline.
 *
 * A UDP reply that comes later than QUERY_LATE_MS to a pod that has QUERY_LATE_CROWD more
 * waiting is dropped: what somebody held back upstream may not come down on the pod at
 * once (CVE-2024-33655).
 */
#ifndef DAEMON_QUERY_QUERY_POOL_H
#define DAEMON_QUERY_QUERY_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/query/queries.h"

#define QUERIES_MAX 8192
/* As many as there may be questions upstream. */
#define QUERIES_WAITING_MAX RESOLVER_PENDING_MAX
#define QUERIES_PER_POD 256
#define QUERIES_LINED_MAX (QUERIES_MAX / 2)
/* What 1,000 queries a second of one pod leave behind in a restart of two seconds. */
#define QUERIES_LINED_PER_POD 2048
#define QUERY_LATE_MS 2000
#define QUERY_LATE_CROWD 16

enum query_room {
	ROOM_NOW,   /* it is counted as one that waits, until it is released */
	ROOM_LATER, /* it stands in line, and is resumed when its turn comes */
	ROOM_NONE,
};

/* Back to the pool; it no longer waits, nor stands in line. */
void query_pool_release(struct query *q);
/* May this query wait for upstream or the kernel? */
MUST_CHECK enum query_room query_pool_room(struct query *q);
/* Is its reply so late, and one of so many, that it must not be sent? */
bool query_pool_is_late(const struct query *q, int64_t now_ms);

/* daemon/query/query.c: go on with one that has left the line; it may be gone after. */
void query_resume(struct query *q);

#endif
