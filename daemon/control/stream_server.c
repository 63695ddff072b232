/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/stream_server.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#define ACCEPT_PAUSE_S 1 /* after the process has run out of descriptors */

struct client {
	struct stream_server *server;
	struct bufferevent *stream; /* NULL: the place is free */
	struct event *deadline;
	bool answered; /* what still comes in is thrown away */
};

struct stream_server {
	struct stream_server_settings settings;
	struct event_base *base;
	int fd;
	struct event *ready;
	struct event *resume; /* accept again after a pause */
	struct client clients[STREAM_SERVER_CLIENTS_MAX];
};

static void
client_close(struct client *c)
{
	if (c->deadline != NULL)
		event_free(c->deadline);
	if (c->stream != NULL)
		bufferevent_free(c->stream); /* closes the descriptor */
	c->deadline = NULL;
	c->stream = NULL;
	c->answered = false;
}

static void
release_bytes(const void *bytes, size_t len, void *ctx)
{
	(void)bytes; /* ctx is the same, without the const */
	(void)len;
	free(ctx);
}

/* Without copying it: a reply may be large. */
static void
client_send(struct client *c, struct buf *reply)
{
	struct evbuffer *out = bufferevent_get_output(c->stream);

	c->answered = true;
	if (reply->failed || reply->len == 0 ||
	    evbuffer_add_reference(
		out, reply->bytes, reply->len, release_bytes, reply->bytes) < 0)
		client_close(c);
	else
		reply->bytes = NULL; /* the stream's now */
}

static void
client_answer(struct client *c, char *request, size_t len)
{
	const struct stream_server_settings *s = &c->server->settings;
	struct buf reply;

	buf_init(&reply, s->reply_max);
	s->answer(s->ctx, request, len, &reply);
	client_send(c, &reply);
	buf_done(&reply);
}

static void
on_read(struct bufferevent *stream, void *ctx)
{
	struct client *c = ctx;
	const struct stream_server_settings *s = &c->server->settings;
	struct evbuffer *in = bufferevent_get_input(stream);
	const size_t end_len = strlen(s->end);
	char request[STREAM_SERVER_REQUEST_MAX];
	struct evbuffer_ptr end;

	if (!c->answered) {
		end = evbuffer_search(in, s->end, end_len, NULL);
		if (end.pos < 0 && evbuffer_get_length(in) < s->request_max)
			return;
		if (end.pos < 0 || (size_t)end.pos + end_len > s->request_max) {
			client_answer(c, NULL, 0);
		} else {
			(void)evbuffer_remove(
			    in, request, (size_t)end.pos); /* it holds that much */
			request[end.pos] = '\0';
			client_answer(c, request, (size_t)end.pos);
		}
	}
	if (c->stream != NULL)
		(void)evbuffer_drain(
		    in, evbuffer_get_length(in)); /* never fails for its own length */
}

/*
 * All is sent: say so, and leave the closing to the client or to the deadline. Closing
 * with bytes unread would show the client a reset instead of the end.
 */
static void
on_written(struct bufferevent *stream, void *ctx)
{
	struct client *c = ctx;

	if (c->answered)
		(void)shutdown(bufferevent_getfd(stream), SHUT_WR); /* gone: on_end */
}

static void
on_end(struct bufferevent *stream, short what, void *ctx)
{
	(void)stream; /* the client has it */
	(void)what;   /* its end or an error: the same to us */
	client_close(ctx);
}

static void
on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd; /* a timer has none */
	(void)what;
	client_close(ctx);
}

static struct client *
find_place(struct stream_server *s)
{
	for (size_t i = 0; i < STREAM_SERVER_CLIENTS_MAX; i++)
		if (s->clients[i].stream == NULL)
			return &s->clients[i];
	return NULL;
}

/* Takes fd. */
static void
client_open(struct stream_server *s, int fd)
{
	static const struct timeval deadline = {.tv_sec = STREAM_SERVER_IDLE_S};
	struct client *c = find_place(s);

	if (c == NULL ||
	    (s->settings.is_welcome != NULL && !s->settings.is_welcome(fd))) {
		(void)close(fd); /* nothing was written to it */
		return;
	}
	c->server = s;
	c->stream = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->stream == NULL) {
		(void)close(fd); /* as above */
		return;
	}
	c->deadline = event_new(s->base, -1, 0, on_deadline, c);
	if (c->deadline == NULL || event_add(c->deadline, &deadline) < 0) {
		client_close(c);
		return;
	}
	bufferevent_setcb(c->stream, on_read, on_written, on_end, c);
	bufferevent_setwatermark(c->stream, EV_READ, 0, s->settings.request_max + 1);
	if (bufferevent_enable(c->stream, EV_READ | EV_WRITE) < 0)
		client_close(c);
}

static void
on_ready(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
	struct stream_server *s = ctx;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what; /* always EV_READ */
	if (client >= 0) {
		client_open(s, client);
		return;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		/* The event would come again at once and for ever. */
		(void)event_del(s->ready);          /* never fails when it is added */
		(void)event_add(s->resume, &pause); /* memory was taken by _new */
	}
}

static void
on_resume(evutil_socket_t fd, short what, void *ctx)
{
	struct stream_server *s = ctx;

	(void)fd; /* a timer has none */
	(void)what;
	(void)event_add(s->ready, NULL); /* as in on_ready */
}

int
stream_server_new(struct event_base *base, int fd,
    const struct stream_server_settings *settings, struct stream_server **ret_server)
{
	struct stream_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	assert(settings->request_max <= STREAM_SERVER_REQUEST_MAX);
	/* libevent writes without MSG_NOSIGNAL: a client that leaves before its answer
	 * would end the process. Cannot fail for this signal. */
	(void)signal(SIGPIPE, SIG_IGN);
	s->settings = *settings;
	s->base = base;
	s->fd = -1;
	s->ready = event_new(base, fd, EV_READ | EV_PERSIST, on_ready, s);
	s->resume = event_new(base, -1, 0, on_resume, s);
	if (s->ready == NULL || s->resume == NULL || event_add(s->ready, NULL) < 0) {
		stream_server_free(s);
		return -ENOMEM;
	}
	s->fd = fd;
	*ret_server = s;
	return 0;
}

void
stream_server_free(struct stream_server *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < STREAM_SERVER_CLIENTS_MAX; i++)
		client_close(&s->clients[i]);
	if (s->resume != NULL)
		event_free(s->resume);
	if (s->ready != NULL)
		event_free(s->ready);
	if (s->fd >= 0)
		(void)close(s->fd); /* clients are gone */
	free(s);
}
