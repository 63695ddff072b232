/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connected UDP sockets that outlive one question by a little.
 *
 * A socket of its own for every question is what RFC 5452 section 9.2 asks for, and costs
 * five system calls. So a socket serves SOCKET_POOL_QUESTIONS_MAX questions, one after
 * the other, never two at once, and lives SOCKET_POOL_AGE_MAX_MS; then it is closed and
 * its port with it. Each is registered with the event loop once, for its whole life.
 *
 * A shelf holds the idle sockets of one server; the pool counts and ages them all.
 * Whoever takes a socket gives it back or drops it before shelf and pool are done.
 */
#ifndef RESOLVER_SOCKET_POOL_H
#define RESOLVER_SOCKET_POOL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/addr.h"
#include "base/macros.h"

#define SOCKET_POOL_QUESTIONS_MAX 8
#define SOCKET_POOL_AGE_MAX_MS 1000
#define SOCKET_POOL_IDLE_MAX 256 /* of all shelves; beyond it a socket is closed */

struct socket_shelf;

struct pool_socket {
	int fd;
	unsigned questions; /* taken for, this time included */
	uint8_t last_id[2]; /* of the question before, as on the wire */
	int64_t born_ms;
	struct socket_shelf *shelf;
	void (*readable)(struct pool_socket *s, void *arg); /* NULL while idle */
	void *arg;
	struct event event;
	TAILQ_ENTRY(pool_socket) in_shelf;
	TAILQ_ENTRY(pool_socket) in_pool;
};

TAILQ_HEAD(pool_sockets, pool_socket);

struct socket_pool {
	struct event_base *base;
	int64_t (*now_ms)(void);
	struct event sweep;
	struct pool_sockets idle; /* of all shelves */
	size_t idle_count;
};

struct socket_shelf {
	struct socket_pool *pool;
	struct endpoint server;
	struct pool_sockets idle; /* longest idle first */
};

void socket_pool_init(
    struct socket_pool *p, struct event_base *base, int64_t (*now_ms)(void));
/* Every shelf is done. */
void socket_pool_done(struct socket_pool *p);

void socket_shelf_init(
    struct socket_shelf *shelf, struct socket_pool *p, const struct endpoint *server);
/* Closes the idle sockets. */
void socket_shelf_done(struct socket_shelf *shelf);

/*
 * A socket that is connected to the shelf's server. readable is called from the event
 * loop while there is something to read or an error to fetch, until it is given back or
 * dropped. -ENOMEM, or what socket(2) or connect(2) said.
 */
MUST_CHECK int socket_pool_take(struct socket_shelf *shelf, int64_t now_ms,
    void (*readable)(struct pool_socket *s, void *arg), void *arg,
    struct pool_socket **ret_socket);
/* Its question ended with the reply, and nothing more is to come on it. */
void socket_pool_give(struct pool_socket *s, int64_t now_ms);
/* Its question ended otherwise: a late reply must find the port closed. */
void socket_pool_drop(struct pool_socket *s);

#endif
