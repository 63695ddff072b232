/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "daemon/query/delivery.h"

#define ACCEPTS_MAX 32 /* in one turn */

struct tcp_listener {
	struct tcp *tcp;
	struct event *readable;
	struct event *pause;
	int fd;
};

struct connection {
	LIST_ENTRY(connection) link;
	struct tcp *tcp;
	struct bufferevent *stream;
	struct event *idle;
	struct endpoint source;
	struct pod *pod;
	struct query_list waiting;
	size_t waiting_count;
	struct delivery delivery;
	bool ended; /* the client will send no more */
};

struct tcp {
	struct event_base *base;
	struct queries *queries;
	size_t listener_count;
	struct tcp_listener listeners[TCP_LISTENERS_MAX];
	LIST_HEAD(, connection) connections;
	struct tcp_counts counts;
	struct event *check; /* of what is overdue: runs while there are connections */
	uint8_t in[QUESTION_MESSAGE_MAX];
	uint8_t out[QUERY_REPLY_MAX];
};

static void on_accept(int fd, short what, void *ctx);
static void on_pause_over(int fd, short what, void *ctx);
static void on_read(struct bufferevent *stream, void *ctx);
static void on_written(struct bufferevent *stream, void *ctx);
static void on_event(struct bufferevent *stream, short what, void *ctx);
static void on_idle(int fd, short what, void *ctx);
static void on_check(int fd, short what, void *ctx);
static void send_late(struct query *q, const uint8_t *reply, size_t len);

static const struct query_transport transport = {.stream = true, .send = send_late};
static const struct timeval idle_time = {.tv_sec = TCP_IDLE_S};

int
tcp_new(struct event_base *base, struct queries *queries, struct tcp **ret_tcp)
{
	struct tcp *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	t->base = base;
	t->queries = queries;
	LIST_INIT(&t->connections);
	t->check = event_new(base, -1, 0, on_check, t);
	if (t->check == NULL) {
		free(t);
		return -ENOMEM;
	}
	*ret_tcp = t;
	return 0;
}

static void
listener_done(struct tcp_listener *l)
{
	if (l->readable != NULL)
		event_free(l->readable);
	if (l->pause != NULL)
		event_free(l->pause);
}

int
tcp_add(struct tcp *t, int fd)
{
	struct tcp_listener *l = &t->listeners[t->listener_count];

	if (t->listener_count == TCP_LISTENERS_MAX)
		return -ENOSPC;
	*l = (struct tcp_listener){.tcp = t, .fd = fd};
	l->readable = event_new(t->base, fd, EV_READ | EV_PERSIST, on_accept, l);
	l->pause = event_new(t->base, -1, 0, on_pause_over, l);
	if (l->readable == NULL || l->pause == NULL || event_add(l->readable, NULL) < 0) {
		listener_done(l);
		return -ENOMEM;
	}
	t->listener_count++;
	return 0;
}

static void
connection_free(struct connection *c)
{
	struct tcp *t = c->tcp;
	struct query *q;

	while ((q = TAILQ_FIRST(&c->waiting)) != NULL) {
		TAILQ_REMOVE(&c->waiting, q, link);
		query_cancel(q);
	}
	LIST_REMOVE(c, link);
	t->counts.connections--;
	c->pod->connections--;
	pods_put(t->queries->pods, c->pod);
	if (c->idle != NULL)
		event_free(c->idle);
	bufferevent_free(c->stream);
	free(c);
}

/* How much of what was answered the kernel has not been given. */
static size_t
held(const struct connection *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->stream));
}

/* What has not been sent is not sent any more. */
static void
abandon(struct connection *c)
{
	c->tcp->counts.undelivered++;
	delivery_abandon(bufferevent_getfd(c->stream));
	connection_free(c);
}

static uint32_t
grace_s(const struct tcp *t)
{
	return t->queries->config->lease_grace_s;
}

/* False: without memory. */
static bool
start_check(struct tcp *t)
{
	uint32_t period_ms = delivery_period_ms(grace_s(t));
	struct timeval tv = {
	    .tv_sec = period_ms / 1000, .tv_usec = period_ms % 1000 * 1000};

	return event_pending(t->check, EV_TIMEOUT, NULL) || event_add(t->check, &tv) == 0;
}

static void
on_check(int fd, short what, void *ctx)
{
	struct tcp *t = ctx;
	struct connection *c, *next;

	(void)fd;
	(void)what;
	for (c = LIST_FIRST(&t->connections); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (delivery_is_overdue(
			&c->delivery, bufferevent_getfd(c->stream), held(c)))
			abandon(c);
	}
	if (t->counts.connections > 0)
		(void)start_check(t); /* the heap kept its room: cannot fail */
}

void
tcp_stop(struct tcp *t)
{
	for (size_t i = 0; i < t->listener_count; i++) {
		(void)event_del(
		    t->listeners[i].readable); /* cannot fail for one that was added */
		(void)event_del(t->listeners[i].pause); /* as above */
	}
}

void
tcp_free(struct tcp *t)
{
	struct connection *c;

	if (t == NULL)
		return;
	while ((c = LIST_FIRST(&t->connections)) != NULL)
		connection_free(c);
	for (size_t i = 0; i < t->listener_count; i++) {
		listener_done(&t->listeners[i]);
		(void)close(t->listeners[i].fd); /* nothing is buffered in it */
	}
	event_free(t->check);
	free(t);
}

/* The pod's record when it may have one more connection. */
static struct pod *
admit(struct tcp *t, const struct endpoint *source)
{
	struct pod *pod;

	if (t->counts.connections >= TCP_CONNECTIONS_MAX)
		return NULL;
	pod = pods_get(t->queries->pods, &source->addr);
	if (pod != NULL && !pod_may_have_more(pod->connections, TCP_PER_POD,
			       t->counts.connections, TCP_CONNECTIONS_MAX)) {
		pods_put(t->queries->pods, pod);
		return NULL;
	}
	return pod;
}

/* Takes fd and the reference to pod. */
static void
connection_new(struct tcp *t, int fd, const struct endpoint *source, struct pod *pod)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct bufferevent *stream =
	    c != NULL ? bufferevent_socket_new(t->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;

	if (stream == NULL) {
		free(c);
		pods_put(t->queries->pods, pod);
		(void)close(fd); /* nothing was written to it */
		return;
	}
	c->tcp = t;
	c->stream = stream;
	c->source = *source;
	c->pod = pod;
	TAILQ_INIT(&c->waiting);
	pod->connections++;
	t->counts.connections++;
	t->counts.accepted++;
	LIST_INSERT_HEAD(&t->connections, c, link);
	c->idle = event_new(t->base, -1, 0, on_idle, c);
	bufferevent_setcb(stream, on_read, on_written, on_event, c);
	bufferevent_setwatermark(stream, EV_READ, 0, QUESTION_MESSAGE_MAX + 2);
	if (c->idle == NULL || event_add(c->idle, &idle_time) < 0 || !start_check(t) ||
	    delivery_limit(fd, grace_s(t)) < 0 ||
	    bufferevent_set_timeouts(stream, NULL, &idle_time) < 0 ||
	    bufferevent_enable(stream, EV_READ | EV_WRITE) < 0)
		connection_free(c);
}

static void
take_connection(struct tcp *t, int fd, const struct sockaddr *sa)
{
	struct endpoint source;
	struct pod *pod = NULL;

	if (endpoint_from_sockaddr(sa, &source) == 0)
		pod = admit(t, &source);
	if (pod == NULL) {
		t->counts.turned_away++;
		(void)close(fd); /* nothing was written to it */
		return;
	}
	connection_new(t, fd, &source, pod);
}

static void
on_accept(int fd, short what, void *ctx)
{
	static const struct timeval pause = {.tv_usec = TCP_PAUSE_MS * 1000};
	struct tcp_listener *l = ctx;

	(void)what;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		int peer = accept4(
		    fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (peer >= 0) {
			take_connection(l->tcp, peer, (struct sockaddr *)&ss);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			/* the connection stays in the backlog: looking at it again at
			 * once would spin */
			(void)event_del(
			    l->readable); /* cannot fail for an event that was added */
			(void)event_add(l->pause,
			    &pause); /* fails only without memory: see on_pause_over */
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

static void
on_pause_over(int fd, short what, void *ctx)
{
	static const struct timeval pause = {.tv_usec = TCP_PAUSE_MS * 1000};
	struct tcp_listener *l = ctx;

	(void)fd;
	(void)what;
	if (event_add(l->readable, NULL) < 0)
		(void)event_add(
		    l->pause, &pause); /* the heap kept its room: cannot fail */
}

static void
write_reply(struct connection *c, const uint8_t *reply, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(c->stream);
	uint8_t prefix[2] = {(uint8_t)(len >> 8), (uint8_t)len};

	if (len == 0)
		return;
	if (evbuffer_expand(out, len + sizeof(prefix)) < 0)
		return; /* out of memory: the client asks again */
	(void)evbuffer_add(out, prefix, sizeof(prefix)); /* room was made */
	(void)evbuffer_add(out, reply, len);             /* room was made */
	c->delivery.written += len + sizeof(prefix);
}

static void
write_now(struct connection *c)
{
	struct evbuffer *out = bufferevent_get_output(c->stream);

	/* as libevent itself writes; errors are found again by it */
	(void)evbuffer_unfreeze(out, 1);
	(void)evbuffer_write(out, bufferevent_getfd(c->stream));
	(void)evbuffer_freeze(out, 1);
	/* it tells of an empty buffer only when it has written itself */
	bufferevent_trigger(c->stream, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}

void
tcp_flush(struct tcp *t)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&t->connections); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (held(c) > 0)
			write_now(c);
		if (delivery_is_held(bufferevent_getfd(c->stream), held(c)))
			abandon(c);
	}
}

static bool
may_take(const struct connection *c)
{
	return c->waiting_count < TCP_PIPELINE_MAX && held(c) < TCP_UNREAD_MAX;
}

/* -EBUSY: the source has sent too many. */
static int
take_message(struct connection *c, size_t len)
{
	struct tcp *t = c->tcp;
	int64_t now_ms = t->queries->now_ms();
	struct query *q;
	size_t reply;
	bool waiting;

	if (!queries_admit(t->queries, &c->source.addr, now_ms))
		return -EBUSY;
	if ((q = query_new(t->queries, &c->source, now_ms)) == NULL)
		return 0;
	q->transport = &transport;
	q->channel = c;
	reply = query_start(q, t->in, len, now_ms, t->out, sizeof(t->out), &waiting);
	if (waiting) {
		TAILQ_INSERT_TAIL(&c->waiting, q, link);
		c->waiting_count++;
	} else {
		write_reply(c, t->out, reply);
	}
	return 0;
}

/* Take the messages that are complete. Negative: the connection is to be closed. */
static int
take_messages(struct connection *c)
{
	struct evbuffer *in = bufferevent_get_input(c->stream);
	uint8_t prefix[2];
	int r;

	while (may_take(c) &&
	       evbuffer_copyout(in, prefix, sizeof(prefix)) == sizeof(prefix)) {
		size_t len = (size_t)prefix[0] << 8 | prefix[1];

		if (len > QUESTION_MESSAGE_MAX)
			return -EMSGSIZE;
		if (evbuffer_get_length(in) < sizeof(prefix) + len)
			break;
		(void)evbuffer_drain(in, sizeof(prefix));   /* it is there */
		(void)evbuffer_remove(in, c->tcp->in, len); /* it is there */
		if (event_add(c->idle, &idle_time) < 0)
			return -ENOMEM;
		r = take_message(c, len);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Go on after something changed: take what waits, read only when we may, close when
 * all is done. */
static void
proceed(struct connection *c)
{
	if (take_messages(c) < 0) {
		connection_free(c);
		return;
	}
	if (c->ended && c->waiting_count == 0 && held(c) == 0) {
		connection_free(c);
		return;
	}
	if ((may_take(c) && !c->ended ? bufferevent_enable(c->stream, EV_READ)
				      : bufferevent_disable(c->stream, EV_READ)) < 0)
		connection_free(c);
}

static void
on_read(struct bufferevent *stream, void *ctx)
{
	(void)stream;
	proceed(ctx);
}

static void
on_written(struct bufferevent *stream, void *ctx)
{
	(void)stream;
	proceed(ctx);
}

static void
on_event(struct bufferevent *stream, short what, void *ctx)
{
	struct connection *c = ctx;

	(void)stream;
	if ((what & BEV_EVENT_TIMEOUT) != 0) {
		abandon(c);
		return;
	}
	if ((what & BEV_EVENT_EOF) == 0) {
		connection_free(c);
		return;
	}
	/* the client may have closed its half only: what it asked is still answered */
	c->ended = true;
	proceed(c);
}

static void
on_idle(int fd, short what, void *ctx)
{
	struct connection *c = ctx;

	(void)fd;
	(void)what;
	/* waiting is bounded by the deadlines of upstream and commit: not the client's
	 * fault */
	if (c->waiting_count > 0 && event_add(c->idle, &idle_time) == 0)
		return;
	c->tcp->counts.closed_idle++;
	if (delivery_is_due(bufferevent_getfd(c->stream), held(c)))
		abandon(c);
	else
		connection_free(c);
}

static void
send_late(struct query *q, const uint8_t *reply, size_t len)
{
	struct connection *c = q->channel;

	TAILQ_REMOVE(&c->waiting, q, link);
	c->waiting_count--;
	write_reply(c, reply, len);
	proceed(c);
}

struct tcp_counts
tcp_counts(const struct tcp *t)
{
	return t->counts;
}
