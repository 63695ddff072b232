/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a query: from a packet to its reply.
 *
 *	parse     header, one question, OPT; who asks?   bad -> FORMERR, NOTIMP,
 *		REFUSED, or silence
 *	decide    (workload, name) -> verdict            refused -> NXDOMAIN, journal
 *	resolve   listed, cache, or wait for the resolver, of whom more than one name may
 *		be asked                                 failed -> SERVFAIL
 *		(the addresses in HTTPS and SVCB records: daemon/query/hint.h)
 *	examine   take out what must not be answered, find the TTL
 *	lease     all of (pod, address, protocol, port) in the kernel past that TTL?
 *	          else commit what is missing and wait for the kernel's acknowledgement
 *	reply     TTL capped by the lease, cut to what the client takes
 *
 * A query that waits is woken by exactly one callback, and goes on from resolve, so that
 * a lease that went meanwhile is found missing; or from decide when a registry came
 * meanwhile. A pod that a new registry no longer holds to anything keeps to the old one
 * until the kernel has been switched; the question of a pod whose address is another's
 * by now is dropped. UDP and TCP differ only in struct query_transport, and in that a
 * packet that was just answered may get its reply again without all this
 * (daemon/query/query_repeat.h).
 *
 * All of them together: daemon/query/queries.h. How many there may be, of one pod and in
 * all, and whose turn it is: daemon/query/query_pool.h.
 */
#ifndef DAEMON_QUERY_QUERY_H
#define DAEMON_QUERY_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/macros.h"
#include "daemon/lease/commit.h"
#include "daemon/query/gather.h"
#include "policy/registry/registry.h"
#include "resolver/question.h"
#include "resolver/resolver.h"

#define QUERY_REPLY_MAX (ANSWER_BYTES_MAX + 512)

struct pod;
struct queries;
struct query;

struct query_transport {
	bool stream; /* no limit but the message's own */
	/* The reply to a query that waited; called once for each, len 0 when there is
	 * none. The query ends with the call. */
	void (*send)(struct query *q, const uint8_t *reply, size_t len);
};

struct query {
	TAILQ_ENTRY(query) link; /* of the pool, or the transport's while it waits */
	struct queries *all;
	struct endpoint source;
	/* for the transport to fill in */
	const struct query_transport *transport;
	void *channel;     /* its socket or connection */
	struct addr local; /* that was asked, when the transport needs it for the reply */
	/* of query.c */
	/* what the client asked; its name is the one that is looked up */
	struct question question;
	bool aliased;   /* which is not the one asked for: daemon/query/search.h */
	uint64_t asker; /* the identity of who asked; 0: not known */
	uint64_t
	    turn; /* of all's, in which verdict, from and other were decided; 0: none */
	struct verdict verdict;
	struct addr from;  /* the pod's, of the answer's family: leases are for it */
	struct addr other; /* of the other family, when hints are to be leased too */
	struct pod *pod;   /* while it waits */
	TAILQ_ENTRY(query) in_line; /* of the pod, when lined */
	bool lined;
	int64_t since_ms; /* when it came */
	struct resolver_waiter upstream;
	struct gather_waiter gather;
	struct commit_waiter commit;
	struct answer *answer;
	size_t group;    /* of servers that answer came from */
	uint64_t origin; /* the host's, when it was gathered; of hints 1, else 0 */
	int failure;     /* what a wait ended with, 0 or negative errno */
	bool committing;
	unsigned commits;
	/* daemon/query/query_repeat.h: how long the answer and its leases are as they
	 * are; 0: not at all */
	int64_t steady_ms, leased_ms;
	uint64_t keep; /* of the answer's addresses */
	uint32_t ttl_s;
};

TAILQ_HEAD(query_list, query);

/*
 * Run it as far as it goes. The length of a reply in out (size at least QUERY_REPLY_MAX
 * for a stream, REPLY_SIZE_MIN + QUESTION_UDP_MAX else): the query has ended. 0: it has
 * ended without one, or waits and will be sent. ret_waiting tells which.
 */
size_t query_start(struct query *q, const uint8_t *msg, size_t len, int64_t now_ms,
    uint8_t *out, size_t size, bool *ret_waiting);
/* End one that waits; send is not called. */
void query_cancel(struct query *q);

#endif
