/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TCP side: DNS messages behind two bytes of length (RFC 1035 section 4.2.2, RFC
 * 7766), as many on a connection as the client likes, answered in the order in which they
 * become ready.
 *
 * Limits: TCP_CONNECTIONS_MAX in all and TCP_PER_POD for one source, shared out by
 * pod_may_have_more, above which a new connection is closed; the source's rate of
 * queries (daemon/query/query.h), above which the connection is closed;
 * TCP_PIPELINE_MAX queries of one connection under way and TCP_UNREAD_MAX bytes that
 * it has not read, above which we stop reading from it; TCP_IDLE_S seconds without a
 * complete message or without taking a byte of a reply, after which it is closed; a
 * message above QUESTION_MESSAGE_MAX bytes closes it. What the client has not taken
 * within the grace of its lease is not sent any more (daemon/query/delivery.h), nor
 * what it has no room for when a reload may withdraw leases: the connection is reset.
 */
#ifndef DAEMON_QUERY_TCP_H
#define DAEMON_QUERY_TCP_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/query/queries.h"

#define TCP_CONNECTIONS_MAX 1024
#define TCP_PER_POD 64
#define TCP_PIPELINE_MAX 100
#define TCP_UNREAD_MAX (256 * 1024)
#define TCP_IDLE_S 10
#define TCP_LISTENERS_MAX 16
#define TCP_PAUSE_MS                                                                     \
	100 /* in accepting, when the process is out of descriptors or memory */

struct event_base;
struct tcp;

struct tcp_counts {
	uint64_t accepted, turned_away, closed_idle;
	uint64_t undelivered; /* connections reset with answers that were not taken */
	size_t connections;
};

/* -ENOMEM. queries is borrowed and outlives this. */
MUST_CHECK int tcp_new(
    struct event_base *base, struct queries *queries, struct tcp **ret_tcp);
/* Serve this listening socket, which is taken on success. -ENOSPC, -ENOMEM. */
MUST_CHECK int tcp_add(struct tcp *t, int fd);
/* Accept no more: what comes stays in the backlog for who shares the sockets.
 * Connections go on. */
void tcp_stop(struct tcp *t);
/* Send now what has been answered, before something is asked of the kernel that makes it
 * untrue. What a client has no room for is not sent any more: its connection is reset. */
void tcp_flush(struct tcp *t);
/* Closes all connections. */
void tcp_free(struct tcp *t);
struct tcp_counts tcp_counts(const struct tcp *t);

#endif
