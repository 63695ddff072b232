/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listener.h"

#include <stdio.h>
#include <string.h>

#include "daemon/control/figures.h"
#include "daemon/control/metrics.h"
#include "daemon/daemon.h"
#include "daemon/log/log.h"
#include "daemon/notify.h"
#include "daemon/query/socket.h"

#define DNS_PORT 53

static int
add_socket(struct daemon *d, const struct endpoint *e, enum notify_kind kind)
{
	struct notify_socket *s = &d->sockets[d->socket_count];
	char text[ADDR_TEXT_MAX], what[ADDR_TEXT_MAX + 32];
	int r;

	r = kind == NOTIFY_DATAGRAM ? socket_udp(e, &s->fd) : socket_tcp(e, &s->fd);
	if (r < 0) {
		(void)snprintf(what, sizeof(what), "listen on %s (%s)",
		    endpoint_format(e, text),
		    kind == NOTIFY_DATAGRAM ? "UDP" : "TCP"); /* fits */
		return daemon_fault(d, what, r);
	}
	s->kind = kind;
	s->local = *e;
	d->socket_count++;
	return 0;
}

int
listener_open(struct daemon *d)
{
	const struct config *cfg = d->loaded.config;
	int r = notify_listen(d->sockets);

	if (r < 0)
		return daemon_fault(d, "sockets from the service manager", r);
	d->socket_count = (size_t)r;
	if (r > 0)
		return 0;
	for (size_t i = 0; i < cfg->listen_count; i++) {
		r = add_socket(d, &cfg->listen[i], NOTIFY_DATAGRAM);
		if (r == 0)
			r = add_socket(d, &cfg->listen[i], NOTIFY_STREAM);
		if (r < 0)
			return r;
	}
	return 0;
}

/* As it has to be where queries of either kind may be led. */
static bool
is_served_over_tcp(const struct daemon *d, const struct endpoint *e)
{
	for (size_t i = 0; i < d->socket_count; i++)
		if (d->sockets[i].kind == NOTIFY_STREAM &&
		    endpoint_equal(&d->sockets[i].local, e))
			return true;
	return false;
}

static void
warn_of_endpoint(const struct endpoint *e, const char *why)
{
	char text[ADDR_TEXT_MAX];

	log_event(LOG_FAULT, LOG_PRIORITY_WARNING, NULL, 0, "%s %s",
	    endpoint_format(e, text), why);
}

size_t
listener_endpoints(struct daemon *d, struct endpoint list[CONFIG_LISTEN_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < d->socket_count && n < CONFIG_LISTEN_MAX; i++) {
		const struct notify_socket *s = &d->sockets[i];

		if (s->kind != NOTIFY_DATAGRAM)
			continue;
		if (!socket_is_local(&s->local.addr))
			warn_of_endpoint(&s->local,
			    "is not an address of this node: queries of its family "
			    "are not intercepted; add it to an interface (`ip addr add "
			    "... dev lo`) and restart");
		else if (s->local.port != DNS_PORT && !is_served_over_tcp(d, &s->local))
			warn_of_endpoint(&s->local,
			    "is served over UDP only: no pod may ask there, and no query "
			    "is led to it; add it to egressd-tcp.socket and restart");
		else
			list[n++] = s->local;
	}
	return n;
}

static void
write_metrics(void *ctx, struct buf *out)
{
	figures_write(ctx, FIGURES_METRICS, out);
}

static const char *
why_unready(void *ctx)
{
	const struct daemon *d = ctx;

	if (d->stopping)
		return "stopping";
	if (!d->queries.started || !gate_ready(d->gate))
		return "the kernel's table does not stand";
	return NULL;
}

void
listener_metrics(struct daemon *d)
{
	const struct metrics_source source = {
	    .write = write_metrics, .why_unready = why_unready, .ctx = d};
	const struct endpoint *e = &d->loaded.config->metrics;
	char text[ADDR_TEXT_MAX];
	int r = 0;

	if (d->metrics == NULL)
		r = metrics_new(d->base, &source, &d->metrics);
	if (r == 0)
		r = metrics_listen(d->metrics, e);
	if (r < 0)
		log_event(LOG_FAULT, LOG_PRIORITY_WARNING, NULL, 0,
		    "no metrics port: listen on %s: %s; all else goes on",
		    endpoint_format(e, text), strerror(-r));
}
