/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/socket_pool.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static const struct timeval sweep_interval = {
    .tv_sec = SOCKET_POOL_AGE_MAX_MS / 1000,
    .tv_usec = SOCKET_POOL_AGE_MAX_MS % 1000 * 1000,
};

static bool
worn_out(const struct pool_socket *s, int64_t now_ms)
{
	return s->questions >= SOCKET_POOL_QUESTIONS_MAX ||
	       now_ms - s->born_ms >= SOCKET_POOL_AGE_MAX_MS;
}

static void
unlink_idle(struct pool_socket *s)
{
	TAILQ_REMOVE(&s->shelf->idle, s, in_shelf);
	TAILQ_REMOVE(&s->shelf->pool->idle, s, in_pool);
	s->shelf->pool->idle_count--;
}

static void
close_socket(struct pool_socket *s)
{
	(void)event_del(&s->event); /* fails only for an event that was never assigned */
	(void)close(s->fd);         /* nothing is lost with a UDP socket */
	free(s);
}

static void
close_idle(struct pool_socket *s)
{
	unlink_idle(s);
	close_socket(s);
}

static void
sweep(evutil_socket_t fd, short what, void *arg)
{
	struct socket_pool *p = arg;
	int64_t now_ms = p->now_ms();
	struct pool_socket *s, *next;

	(void)fd;
	(void)what;
	for (s = TAILQ_FIRST(&p->idle); s != NULL; s = next) {
		next = TAILQ_NEXT(s, in_pool);
		if (worn_out(s, now_ms))
			close_idle(s);
	}
	if (p->idle_count > 0)
		(void)evtimer_add(&p->sweep, &sweep_interval); /* else at the next give */
}

/* An idle socket has nothing to receive: what comes is late, doubled or forged, and may
 * not be there to meet the next question. */
static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct pool_socket *s = arg;

	(void)fd;
	(void)what;
	if (s->readable != NULL)
		s->readable(s, s->arg);
	else
		close_idle(s);
}

void
socket_pool_init(struct socket_pool *p, struct event_base *base, int64_t (*now_ms)(void))
{
	p->base = base;
	p->now_ms = now_ms;
	TAILQ_INIT(&p->idle);
	p->idle_count = 0;
	(void)evtimer_assign(&p->sweep, base, sweep, p); /* fails only without a base */
}

void
socket_pool_done(struct socket_pool *p)
{
	assert(p->idle_count == 0);
	(void)evtimer_del(&p->sweep); /* it is assigned */
}

void
socket_shelf_init(
    struct socket_shelf *shelf, struct socket_pool *p, const struct endpoint *server)
{
	shelf->pool = p;
	shelf->server = *server;
	TAILQ_INIT(&shelf->idle);
}

void
socket_shelf_done(struct socket_shelf *shelf)
{
	struct pool_socket *s;

	while ((s = TAILQ_FIRST(&shelf->idle)) != NULL)
		close_idle(s);
}

static int
open_connected(const struct endpoint *server, int *ret_fd)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(server, &ss);
	int fd, r;

	fd = socket(server->addr.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Unbound until now: the kernel picks an ephemeral port at random. */
	if (connect(fd, (const struct sockaddr *)&ss, len) < 0) {
		r = -errno;
		(void)close(fd); /* nothing was sent */
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int
socket_new(struct socket_shelf *shelf, int64_t now_ms, struct pool_socket **ret_socket)
{
	struct pool_socket *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return -ENOMEM;
	r = open_connected(&shelf->server, &s->fd);
	if (r < 0) {
		free(s);
		return r;
	}
	s->shelf = shelf;
	s->born_ms = now_ms;
	if (event_assign(&s->event, shelf->pool->base, s->fd, EV_READ | EV_PERSIST,
		on_readable, s) < 0 ||
	    event_add(&s->event, NULL) < 0) {
		(void)close(s->fd); /* nothing was sent */
		free(s);
		return -ENOMEM;
	}
	*ret_socket = s;
	return 0;
}

static struct pool_socket *
take_idle(struct socket_shelf *shelf, int64_t now_ms)
{
	struct pool_socket *s;

	while ((s = TAILQ_FIRST(&shelf->idle)) != NULL) {
		if (!worn_out(s, now_ms)) {
			unlink_idle(s);
			return s;
		}
		close_idle(s);
	}
	return NULL;
}

int
socket_pool_take(struct socket_shelf *shelf, int64_t now_ms,
    void (*readable)(struct pool_socket *s, void *arg), void *arg,
    struct pool_socket **ret_socket)
{
	struct pool_socket *s = take_idle(shelf, now_ms);
	int r;

	if (s == NULL) {
		r = socket_new(shelf, now_ms, &s);
		if (r < 0)
			return r;
	}
	s->questions++;
	s->readable = readable;
	s->arg = arg;
	*ret_socket = s;
	return 0;
}

void
socket_pool_give(struct pool_socket *s, int64_t now_ms)
{
	struct socket_pool *p = s->shelf->pool;

	if (worn_out(s, now_ms) || p->idle_count >= SOCKET_POOL_IDLE_MAX) {
		close_socket(s);
		return;
	}
	s->readable = NULL;
	TAILQ_INSERT_TAIL(&s->shelf->idle, s, in_shelf);
	TAILQ_INSERT_TAIL(&p->idle, s, in_pool);
	if (p->idle_count++ == 0 && !evtimer_pending(&p->sweep, NULL))
		(void)evtimer_add(
		    &p->sweep, &sweep_interval); /* take looks at the age, too */
}

void
socket_pool_drop(struct pool_socket *s)
{
	close_socket(s);
}
