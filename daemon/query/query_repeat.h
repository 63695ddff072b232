/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short life of a query that was answered a moment ago (daemon/query/repeat.h): its
 * reply goes out once more, without a step of daemon/query/query.h.
 *
 * Kept is what was answered from the cache and had every lease already. It holds until
 * something of it would change: its TTL (so for a second at most), what the cache makes
 * of one more use (so only of a popular name, and until it is to be asked for anew), its
 * leases no longer outlasting it; and in one epoch, which ends with every registry and
 * with every lease that goes. While the kernel is switched from one registry to another,
 * or its table does not stand, nothing is kept and nothing given.
 */
#ifndef DAEMON_QUERY_QUERY_REPEAT_H
#define DAEMON_QUERY_QUERY_REPEAT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/query/queries.h"
#include "daemon/query/repeat.h"

/* The length of the reply, in out (at least REPEAT_REPLY_MAX); 0: there is none, start a
 * query. The source's rate is for the caller to hold it to. */
size_t query_repeat(
    struct queries *all, const struct repeat_query *query, int64_t now_ms, uint8_t *out);
/* q has been answered at once, with this reply, and is still there. */
void query_keep(const struct query *q, const struct repeat_query *query, int64_t now_ms,
    const uint8_t *reply, size_t len);

#endif
