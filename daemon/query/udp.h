/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UDP side: queries come in by recvmmsg(2), replies go out by sendmmsg(2), both in
 * batches of UDP_BATCH.
 *
 * A reply is sent from the address that was asked. What the socket does not take at once
 * is dropped and counted, as the network would.
 *
 * When more comes than can be answered, the kernel's buffer is full of queries whose
 * clients have given up: those that have waited UDP_STALE_MS in it are dropped unread.
 * The kernel says how long the last one of a full batch has waited; when that is too
 * long, it is so for all before it. It is asked while a socket gives full batches, from
 * the fifth in a row on, and begins to measure with the first time: measuring costs each
 * packet of the node. So what waited for a daemon that was started again is answered.
 */
#ifndef DAEMON_QUERY_UDP_H
#define DAEMON_QUERY_UDP_H

#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "daemon/query/queries.h"

#define UDP_BATCH 64
#define UDP_SOCKETS_MAX 16
#define UDP_STALE_MS 4000 /* glibc waits 5 s for an answer by default */

struct event_base;
struct udp;

struct udp_counts {
	uint64_t received, sent, unsent;
	uint64_t stale; /* waited longer than UDP_STALE_MS to be read, and were dropped */
	uint64_t pauses; /* daemon/query/moderation.h */
};

/* -ENOMEM. queries is borrowed and outlives this. */
MUST_CHECK int udp_new(
    struct event_base *base, struct queries *queries, struct udp **ret_udp);
/* Serve this bound socket, which is taken on success. -ENOSPC, -ENOMEM, or the error
 * of the system call. */
MUST_CHECK int udp_add(struct udp *u, int fd);
/* Read no more: what comes stays in the sockets for who shares them. What waits is
 * still answered. */
void udp_stop(struct udp *u);
/* Send now what has been answered in this turn of the loop: before something is asked of
 * the kernel that makes it untrue. */
void udp_flush(struct udp *u);
/* Queries that wait end unanswered. */
void udp_free(struct udp *u);
struct udp_counts udp_counts(const struct udp *u);

#endif
