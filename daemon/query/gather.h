/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One answer out of many: the names of a host's endpoints are asked at the same time, and
 * their addresses returned under the name that the client asked, with those of the host's
 * endpoints that are addresses.
 *
 * The addresses stand in the order of the endpoints, those that are written as addresses
 * first, each once, ANSWER_ADDRESSES_MAX at most. The TTL is the least of all, and
 * LISTED_TTL_S for what is written. A name that could not be resolved is left out if
 * another one could, or an endpoint is an address, and is tried again after
 * GATHER_RETRY_S. When there is no address of the family the answer is empty, whatever
 * the names' rcode. When nothing could be resolved the result is the first name's.
 *
 * A gathering lives on the heap and frees itself; all its questions are the resolver's,
 * whose limits, deadline and cache hold for each name.
 */
#ifndef DAEMON_QUERY_GATHER_H
#define DAEMON_QUERY_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "policy/registry/verdict.h"
#include "resolver/question.h"
#include "resolver/resolver.h"

#define GATHER_RETRY_S 5

struct gather;

/*
 * Somebody who waits; owned by the caller, in place until done was called or
 * gather_cancel was. done is called exactly once, from the event loop, never from within
 * gather_start: 0 and an answer that is borrowed for the call, or what resolver_waiter
 * has, and NULL.
 */
struct gather_waiter {
	void (*done)(struct gather_waiter *waiter, int result, struct answer *answer);
	bool old; /* for done: some of it is over, as resolver_waiter has it */
	/* Of each address of the answer: 1 and the index of the target that gave it; 0:
	 * an endpoint that is an address. */
	uint8_t from[ANSWER_ADDRESSES_MAX];
	struct gather *gather; /* NULL: not waiting */
};

/* All borrowed; host only for the call. */
struct gather_question {
	struct resolver *resolver;
	const struct registry_host *host; /* with targets */
	const struct question *question;  /* of type A or AAAA */
	int64_t (*now_ms)(void);
	bool known_only; /* nobody is asked */
};

/*
 * 0: ret_answer, a reference of the caller's, because the cache has all; waiter->old is
 * set. -EINPROGRESS: it has not; done will be called, unless known_only. -EBUSY, -ENOMEM:
 * a question could not be asked, so none is.
 */
MUST_CHECK int gather_start(const struct gather_question *q, struct gather_waiter *waiter,
    int64_t now_ms, struct answer **ret_answer);
/* After it done is never called. Harmless for a waiter that is not waiting. */
void gather_cancel(struct gather_waiter *waiter);

#endif
