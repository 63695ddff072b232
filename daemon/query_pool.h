/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queries that there may be, in all and of one pod: the part of the life of a query
 * that is about who may have one. Inside of daemon/query.c only; everybody else sees
 * daemon/query.h, which says the limits.
 */
#ifndef DAEMON_QUERY_POOL_H
#define DAEMON_QUERY_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/query.h"

/* Back to the pool; it no longer waits. */
void query_pool_release(struct query *q);
/* Count the query as one that waits, until it is released; false: too many do. */
MUST_CHECK bool query_pool_may_wait(struct query *q);
/* Is its reply so late, and one of so many, that it must not be sent? */
bool query_pool_is_late(const struct query *q, int64_t now_ms);

#endif
