/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#define BACKLOG 16
#define ERROR_LINE_MAX 1024
#define ACCEPT_PAUSE_S 1 /* after the process has run out of descriptors */

struct client {
	struct control *control;
	struct bufferevent *stream; /* NULL: the place is free */
	struct event *deadline;
	bool answered; /* what still comes in is thrown away */
};

struct control {
	struct event_base *base;
	int fd;
	char *path;
	dev_t dev; /* of the socket file that we made */
	ino_t ino;
	struct event *ready;
	struct event *resume; /* accept again after a pause */
	control_answer_fn answer;
	void *ctx;
	struct client clients[CONTROL_CLIENTS_MAX];
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

/* Queue a first line, then what body holds without copying it; body is empty after. */
static void
client_send(struct client *c, const char *first, struct buf *body)
{
	struct evbuffer *out = bufferevent_get_output(c->stream);

	c->answered = true;
	if (evbuffer_add(out, first, strlen(first)) < 0 ||
	    (body != NULL && body->len > 0 &&
		evbuffer_add_reference(
		    out, body->bytes, body->len, release_bytes, body->bytes) < 0)) {
		client_close(c);
		return;
	}
	if (body != NULL && body->len > 0)
		body->bytes = NULL; /* the stream's now */
}

/* "error TEXT", on one line whatever the text holds. */
static void
client_send_error(struct client *c, const char *text)
{
	char line[ERROR_LINE_MAX];
	int len = snprintf(line, sizeof(line) - 1, "error %s", text);
	size_t end = MIN_OF((size_t)MAX_OF(len, 0), sizeof(line) - 2);

	for (size_t i = 0; i < end; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[end] = '\n';
	line[end + 1] = '\0';
	client_send(c, line, NULL);
}

/* Part line at its blanks; -E2BIG, or -EINVAL for control bytes. */
static int
split_words(char *line, size_t len, char **words, size_t *ret_count)
{
	size_t count = 0;
	bool inside = false;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == ' ' || line[i] == '\t') {
			line[i] = '\0';
			inside = false;
			continue;
		}
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return -EINVAL;
		if (!inside && count == CONTROL_WORDS_MAX)
			return -E2BIG;
		if (!inside)
			words[count++] = line + i;
		inside = true;
	}
	line[len] = '\0';
	*ret_count = count;
	return 0;
}

static void
answer_words(struct client *c, size_t word_count, char **words)
{
	struct buf out;
	int r;

	buf_init(&out, CONTROL_REPLY_MAX);
	r = c->control->answer(c->control->ctx, word_count, words, &out);
	if (out.failed)
		client_send_error(c, "the answer is too large, or memory has run out");
	else if (r < 0)
		client_send_error(c, out.len > 0 ? out.bytes : strerror(-r));
	else
		client_send(c, "ok\n", &out);
	buf_done(&out);
}

static void
answer_line(struct client *c, char *line, size_t len)
{
	char *words[CONTROL_WORDS_MAX];
	size_t word_count;
	int r;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	r = split_words(line, len, words, &word_count);
	if (r == -E2BIG)
		client_send_error(c, "too many words in the request");
	else if (r < 0)
		client_send_error(c, "control bytes in the request");
	else if (word_count == 0)
		client_send_error(c, "the request is empty");
	else
		answer_words(c, word_count, words);
}

static void
on_read(struct bufferevent *stream, void *ctx)
{
	struct client *c = ctx;
	struct evbuffer *in = bufferevent_get_input(stream);
	char line[CONTROL_REQUEST_MAX + 1];
	struct evbuffer_ptr end;
	size_t len;

	if (!c->answered) {
		end = evbuffer_search(in, "\n", 1, NULL);
		if (end.pos < 0 && evbuffer_get_length(in) < CONTROL_REQUEST_MAX)
			return;
		if (end.pos < 0 || end.pos >= CONTROL_REQUEST_MAX) {
			client_send_error(c, "the request is too long");
		} else {
			len = (size_t)end.pos;
			(void)evbuffer_remove(in, line, len); /* it holds that much */
			answer_line(c, line, len);
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

/* Only root and ourselves. The mode of the file says the same; a file's mode can be
 * changed. */
static bool
peer_is_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static struct client *
find_place(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].stream == NULL)
			return &control->clients[i];
	return NULL;
}

/* Takes fd. */
static void
client_open(struct control *control, int fd)
{
	static const struct timeval deadline = {.tv_sec = CONTROL_IDLE_S};
	struct client *c = find_place(control);

	if (c == NULL || !peer_is_allowed(fd)) {
		(void)close(fd); /* nothing was written to it */
		return;
	}
	c->control = control;
	c->stream = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->stream == NULL) {
		(void)close(fd); /* as above */
		return;
	}
	c->deadline = event_new(control->base, -1, 0, on_deadline, c);
	if (c->deadline == NULL || event_add(c->deadline, &deadline) < 0) {
		client_close(c);
		return;
	}
	bufferevent_setcb(c->stream, on_read, on_written, on_end, c);
	bufferevent_setwatermark(c->stream, EV_READ, 0, CONTROL_REQUEST_MAX + 1);
	if (bufferevent_enable(c->stream, EV_READ | EV_WRITE) < 0)
		client_close(c);
}

static void
on_ready(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
	struct control *control = ctx;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what; /* always EV_READ */
	if (client >= 0) {
		client_open(control, client);
		return;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		/* The event would come again at once and for ever. */
		(void)event_del(control->ready); /* never fails when it is added */
		(void)event_add(control->resume, &pause); /* memory was taken by _new */
	}
}

static void
on_resume(evutil_socket_t fd, short what, void *ctx)
{
	struct control *control = ctx;

	(void)fd; /* a timer has none */
	(void)what;
	(void)event_add(control->ready, NULL); /* as in on_ready */
}

/* Is the file at to a socket that nobody listens on? Then it is removed. */
static int
remove_dead(const struct sockaddr_un *to)
{
	struct stat st;
	int fd, r = 0;

	if (lstat(to->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const void *)to, sizeof(*to)) == 0 || errno == EAGAIN)
		r = -EADDRINUSE; /* EAGAIN: somebody is there and has a full backlog */
	else if (errno != ECONNREFUSED)
		r = errno == ENOENT ? 0 : -errno;
	else if (unlink(to->sun_path) < 0 && errno != ENOENT)
		r = -errno;
	(void)close(fd); /* it was a question only */
	return r;
}

static int
bind_private(int fd, const struct sockaddr_un *to)
{
	mode_t old = umask(0177);
	int r = bind(fd, (const void *)to, sizeof(*to)) < 0 ? -errno : 0;

	(void)umask(old); /* cannot fail */
	return r;
}

static int
open_socket(struct control *c)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct stat st;
	int r;

	if (strlen(c->path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, c->path, strlen(c->path) + 1);
	r = remove_dead(&to);
	if (r < 0)
		return r;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return -errno;
	r = bind_private(c->fd, &to);
	if (r < 0)
		return r;
	if (lstat(c->path, &st) < 0)
		return -errno;
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	return listen(c->fd, BACKLOG) < 0 ? -errno : 0;
}

static int
add_events(struct control *c)
{
	c->ready = event_new(c->base, c->fd, EV_READ | EV_PERSIST, on_ready, c);
	c->resume = event_new(c->base, -1, 0, on_resume, c);
	if (c->ready == NULL || c->resume == NULL || event_add(c->ready, NULL) < 0)
		return -ENOMEM;
	return 0;
}

int
control_new(struct event_base *base, const char *path, control_answer_fn answer,
    void *ctx, struct control **ret_control)
{
	struct control *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	if (c == NULL)
		return r;
	/* libevent writes without MSG_NOSIGNAL: a client that leaves before its answer
	 * would end the process. Cannot fail for this signal. */
	(void)signal(SIGPIPE, SIG_IGN);
	c->base = base;
	c->fd = -1;
	c->answer = answer;
	c->ctx = ctx;
	c->path = strdup(path);
	if (c->path != NULL)
		r = open_socket(c);
	if (r == 0)
		r = add_events(c);
	if (r < 0) {
		control_free(c);
		return r;
	}
	*ret_control = c;
	return 0;
}

/* The file only when it is still the one that we made. */
static void
remove_file(const struct control *c)
{
	struct stat st;

	if (c->ino != 0 && lstat(c->path, &st) == 0 && st.st_dev == c->dev &&
	    st.st_ino == c->ino)
		(void)unlink(c->path); /* a dead one is replaced at the next start */
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		client_close(&c->clients[i]);
	if (c->resume != NULL)
		event_free(c->resume);
	if (c->ready != NULL)
		event_free(c->ready);
	if (c->path != NULL)
		remove_file(c);
	if (c->fd >= 0)
		(void)close(c->fd); /* clients are gone */
	free(c->path);
	free(c);
}
