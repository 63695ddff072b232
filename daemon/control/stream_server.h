/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream socket whose clients ask once and are answered once: the control socket and
 * the metrics port.
 *
 * At most STREAM_SERVER_CLIENTS_MAX at a time, each for at most STREAM_SERVER_IDLE_S
 * seconds; further ones are closed at once. A process without descriptors stops taking
 * clients for a second. Bytes behind the request are thrown away. After the reply our end
 * is closed, and the rest is left to the client or to the deadline.
 */
#ifndef DAEMON_CONTROL_STREAM_SERVER_H
#define DAEMON_CONTROL_STREAM_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/macros.h"

#define STREAM_SERVER_CLIENTS_MAX 8
#define STREAM_SERVER_IDLE_S 10
#define STREAM_SERVER_REQUEST_MAX 8192

struct event_base;
struct stream_server;

/* Append the reply to out. request is len bytes, a NUL behind them, and may be changed;
 * NULL: it was longer than may be. A reply that failed (base/buf.h) is not sent. */
typedef void (*stream_answer_fn)(void *ctx, char *request, size_t len, struct buf *out);

struct stream_server_settings {
	const char *end;    /* what a request ends with, no part of it */
	size_t request_max; /* bytes, its end included; to STREAM_SERVER_REQUEST_MAX */
	size_t reply_max;   /* the limit of out */
	bool (*is_welcome)(int fd); /* NULL: everybody is */
	stream_answer_fn answer;
	void *ctx;
};

/* fd listens and does not block; it becomes the server's when this succeeds. end is
 * borrowed. From then on the process ignores SIGPIPE. -ENOMEM. */
MUST_CHECK int stream_server_new(struct event_base *base, int fd,
    const struct stream_server_settings *settings, struct stream_server **ret_server);
/* Closes all. NULL is fine. */
void stream_server_free(struct stream_server *s);

#endif
