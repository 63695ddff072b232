/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/start.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/clock.h"
#include "daemon/daemon.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/privilege.h"
#include "daemon/listener.h"
#include "daemon/loader/check.h"
#include "daemon/log/log.h"
#include "daemon/query/tcp.h"
#include "daemon/query/udp.h"
#include "daemon/turn.h"

static int
load(struct daemon *d)
{
	struct loader_options options = {.path = d->options->config_path,
	    .hash_key = d->key,
	    .threads = loader_threads()};
	struct findings findings;
	int r;

	findings_init(&findings, FINDINGS_MAX);
	r = loader_load(&options, &findings, &d->loaded);
	check_print(&findings, false, stderr);
	findings_done(&findings);
	d->loaded_ms = clock_now_ms();
	if (r < 0)
		d->exit_code = 1;
	return r;
}

static void
fault_table(struct daemon *d, int result)
{
	if (result != -EPROTONOSUPPORT) {
		(void)daemon_fault(d, "make the kernel table", result);
		return;
	}
	log_event(LOG_FAULT, LOG_PRIORITY_ERROR, NULL, 0,
	    "make the kernel table: inet " NETLINK_TABLE
	    " is of a later layout than %d, the last that this egressd knows, and is "
	    "left as it is: start the egressd that made it, or give up its leases and "
	    "its protection with egressctl teardown",
	    LAYOUT_VERSION);
	d->exit_code = DAEMON_EXIT_LATER_TABLE;
}

/* The table stands: begin to read what has been waiting in the sockets. */
static void
serve(struct daemon *d)
{
	for (size_t i = 0; i < d->socket_count; i++) {
		struct notify_socket *s = &d->sockets[i];
		int r = s->kind == NOTIFY_DATAGRAM ? udp_add(d->udp, s->fd)
						   : tcp_add(d->tcp, s->fd);

		if (r < 0) {
			(void)daemon_fault(d, "serve a socket", r);
			(void)event_base_loopbreak(
			    d->base); /* cannot fail for a base that runs */
			return;
		}
		s->fd = -1;
	}
	d->queries.started = true;
}

static void
on_started(void *ctx, const struct gate_outcome *outcome)
{
	struct daemon *d = ctx;

	if (outcome->result < 0) {
		fault_table(d, outcome->result);
		(void)event_base_loopbreak(
		    d->base); /* cannot fail for a base that runs */
		return;
	}
	serve(d);
	d->started_ms = clock_now_ms();
	d->watched = notify_watchdog_interval_ms() > 0;
	turn_log_started(d, outcome);
	d->ready_owed = notify_ready() < 0;
}

static int
ask_for_table(struct daemon *d)
{
	int r;

	if (d->names_timer != NULL)
		event_free(d->names_timer);
	d->names_timer = NULL;
	r = gate_start(d->gate, on_started);
	return r < 0 ? daemon_fault(d, "ask for the kernel table", r) : 0;
}

static void
go_on(struct daemon *d)
{
	if (ask_for_table(d) < 0)
		(void)event_base_loopbreak(
		    d->base); /* cannot fail for a base that runs */
}

static void
on_names_timer(int fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	go_on(ctx);
}

void
start_names_changed(void *ctx)
{
	struct daemon *d = ctx;

	if (d->names_timer == NULL)
		gate_lead(d->gate);
	else if (backends_counts(d->backends).unheard == 0)
		go_on(d);
}

/* The table that is there leads on meanwhile: one that was made before the names are
 * known would not. */
static int
ask_names(struct daemon *d)
{
	static const struct timeval patience = {.tv_usec = START_NAMES_MS * 1000};

	if (backends_counts(d->backends).unheard == 0)
		return ask_for_table(d);
	d->names_timer = event_new(d->base, -1, 0, on_names_timer, d);
	if (d->names_timer == NULL || event_add(d->names_timer, &patience) < 0)
		return daemon_fault(d, "start", -ENOMEM);
	return 0;
}

void
start_done(struct daemon *d)
{
	if (d->names_timer != NULL)
		event_free(d->names_timer);
}

/* With all rights: sockets and the enforcer. Then without any. */
int
start_begin(struct daemon *d)
{
	int r = load(d);

	if (r == 0)
		r = listener_open(d);
	if (r < 0)
		return r;
	r = enforcer_start(&d->enforcer_fd, &d->enforcer_pid);
	if (r == -ENOBUFS)
		return daemon_fault(
		    d, "start the enforcer (raise net.core.wmem_max to 64 KiB)", r);
	if (r < 0)
		return daemon_fault(d, "start the enforcer", r);
	r = privilege_keep(-1);
	if (r < 0)
		return daemon_fault(d, "give up capabilities", r);
	r = daemon_assemble(d);
	if (r < 0)
		return r;
	return ask_names(d);
}
