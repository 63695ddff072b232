/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/control/stream_server.h"
#include "daemon/query/socket.h"

struct metrics {
	struct event_base *base;
	struct metrics_source source;
	struct endpoint endpoint;     /* where it listens; family 0: nowhere */
	struct stream_server *server; /* NULL: nowhere */
};

struct reply {
	const char *status, *type, *more; /* fields, each with its end */
	bool with_body;
	struct buf body;
};

#define TEXT_PLAIN "text/plain; charset=utf-8"

static void
send_reply(const struct reply *r, struct buf *out)
{
	if (r->body.failed) {
		out->failed = true; /* closed without a word */
		return;
	}
	buf_printf(out,
	    "HTTP/1.1 %s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Length: %zu\r\n"
	    "%s"
	    "Connection: close\r\n\r\n",
	    r->status, r->type, r->body.len, r->more);
	if (r->with_body)
		buf_append(out, r->body.bytes, r->body.len);
}

static void
refuse(struct reply *r, const char *status)
{
	r->status = status;
	buf_printf(&r->body, "%s\n", status);
}

static void
answer_path(const struct metrics *m, const char *path, struct reply *r)
{
	const struct metrics_source *s = &m->source;
	const char *why;

	if (strcmp(path, "/metrics") == 0) {
		r->type = "text/plain; version=0.0.4; charset=utf-8";
		s->write(s->ctx, &r->body);
	} else if (strcmp(path, "/healthz") == 0) {
		buf_text(&r->body, "ok\n");
	} else if (strcmp(path, "/readyz") == 0) {
		why = s->why_unready(s->ctx);
		r->status = why != NULL ? "503 Service Unavailable" : "200 OK";
		buf_printf(&r->body, "%s\n", why != NULL ? why : "ok");
	} else {
		refuse(r, "404 Not Found");
	}
}

/* RFC 9112 section 3: method, target in its origin form, and version, each parted by one
 * blank. */
static void
answer_line(const struct metrics *m, char *line, struct reply *r)
{
	char *target = strchr(line, ' ');
	char *version = target != NULL ? strchr(target + 1, ' ') : NULL;

	if (version == NULL || target[1] != '/' ||
	    strncmp(version + 1, "HTTP/1.", strlen("HTTP/1.")) != 0) {
		refuse(r, "400 Bad Request");
		return;
	}
	*target++ = *version = '\0';
	target[strcspn(target, "?")] = '\0';
	r->with_body = strcmp(line, "HEAD") != 0;
	if (r->with_body && strcmp(line, "GET") != 0) {
		r->more = "Allow: GET, HEAD\r\n";
		refuse(r, "405 Method Not Allowed");
	} else {
		answer_path(m, target, r);
	}
}

static void
answer(void *ctx, char *request, size_t len, struct buf *out)
{
	struct reply r = {
	    .status = "200 OK", .type = TEXT_PLAIN, .more = "", .with_body = true};

	(void)len; /* what is behind a NUL is no part of the first line */
	buf_init(&r.body, METRICS_REPLY_MAX);
	if (request == NULL) {
		refuse(&r, "431 Request Header Fields Too Large");
	} else {
		request[strcspn(request, "\r\n")] = '\0';
		answer_line(ctx, request, &r);
	}
	send_reply(&r, out);
	buf_done(&r.body);
}

int
metrics_new(struct event_base *base, const struct metrics_source *source,
    struct metrics **ret_metrics)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return -ENOMEM;
	m->base = base;
	m->source = *source;
	*ret_metrics = m;
	return 0;
}

int
metrics_listen(struct metrics *m, const struct endpoint *e)
{
	const struct stream_server_settings settings = {
	    .end = "\r\n\r\n",
	    .request_max = METRICS_REQUEST_MAX,
	    .reply_max = METRICS_REPLY_MAX,
	    .answer = answer,
	    .ctx = m,
	};
	int fd, r;

	if (endpoint_equal(&m->endpoint, e))
		return 0;
	stream_server_free(m->server);
	m->server = NULL;
	m->endpoint = (struct endpoint){0};
	if (e->addr.family == 0)
		return 0;
	r = socket_tcp(e, &fd);
	if (r < 0)
		return r;
	r = stream_server_new(m->base, fd, &settings, &m->server);
	if (r < 0)
		(void)close(fd); /* nobody has it */
	else
		m->endpoint = *e;
	return r;
}

void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	stream_server_free(m->server);
	free(m);
}
