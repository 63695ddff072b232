/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the life of a query that finds what is asked, and gets its answer from
 * where q->group says (daemon/query/route.h). Inside of daemon/query/query.c only;
 * everybody else sees daemon/query/query.h.
 */
#ifndef DAEMON_QUERY_QUERY_ASK_H
#define DAEMON_QUERY_QUERY_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/query/queries.h"

/* A name that is none, but for the search list of workload w, which may be NULL: decide
 * on the one that was meant, if the registry has it. */
void query_try_search(struct query *q, const struct workload *w);
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
