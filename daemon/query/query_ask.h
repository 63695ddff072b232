/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the life of a query that gets its answer, from where q->group says
 * (daemon/query/route.h). Inside of daemon/query/query.c only; everybody else sees
 * daemon/query/query.h.
 */
#ifndef DAEMON_QUERY_QUERY_ASK_H
#define DAEMON_QUERY_QUERY_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/query/query.h"

/* What can be answered without asking: 0 and a reference to the answer, -EINPROGRESS when
 * nothing can, or what failed. */
MUST_CHECK int query_ask_known(
    struct query *q, int64_t now_ms, struct answer **ret_answer);
/* Is there room in the pod's budget for a name under a wildcard? Else it has been counted
 * and told. */
bool query_may_ask(struct query *q, int64_t now_ms);
/* 0: q->answer has it by now; -EINPROGRESS: a callback of q will come; or what failed. */
MUST_CHECK int query_ask(struct query *q, int64_t now_ms);

#endif
