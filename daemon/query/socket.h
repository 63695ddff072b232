/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets that queries come in by, when no service manager hands them over.
 *
 * All are non-blocking and close-on-exec and belong to the caller. Binding to an address
 * that the node does not have yet works (IP_FREEBIND); ask socket_is_local whether it has
 * it.
 */
#ifndef DAEMON_QUERY_SOCKET_H
#define DAEMON_QUERY_SOCKET_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/macros.h"

/* 832 bytes of buffer a query: 20,000 queries wait here while nobody reads. */
#define SOCKET_RECEIVE_BUFFER (16 * 1024 * 1024)
#define SOCKET_BACKLOG 1024

/* Negative errno. */
MUST_CHECK int socket_udp(const struct endpoint *e, int *ret_fd);
MUST_CHECK int socket_tcp(const struct endpoint *e, int *ret_fd);
/* Is it an address of this node, or the unspecified one? */
bool socket_is_local(const struct addr *a);

#endif
