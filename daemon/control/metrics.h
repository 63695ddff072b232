/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics port: HTTP/1.1 (RFC 9112) for Prometheus and for a kubelet's probes.
 *
 *	/metrics   what the source writes
 *	/healthz   200: the loop runs
 *	/readyz    200: queries are served; 503 and why not
 *
 * GET and HEAD; anything else is 404, 405 or 400. Each connection takes one request, of
 * at most METRICS_REQUEST_MAX bytes with its fields, which are not looked at, and without
 * a body. How many connections, and for how long: daemon/control/stream_server.h.
 */
#ifndef DAEMON_CONTROL_METRICS_H
#define DAEMON_CONTROL_METRICS_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/macros.h"

#define METRICS_REQUEST_MAX 8192
#define METRICS_REPLY_MAX ((size_t)1024 * 1024)

struct event_base;
struct metrics;

struct metrics_source {
	void (*write)(void *ctx, struct buf *out);
	const char *(*why_unready)(void *ctx); /* NULL: it is ready */
	void *ctx;
};

/* Listens nowhere yet. -ENOMEM. */
MUST_CHECK int metrics_new(struct event_base *base, const struct metrics_source *source,
    struct metrics **ret_metrics);
/* Here instead of where it was; family 0: nowhere. Negative errno: nowhere either. */
MUST_CHECK int metrics_listen(struct metrics *m, const struct endpoint *e);
/* NULL is fine. */
void metrics_free(struct metrics *m);

#endif
