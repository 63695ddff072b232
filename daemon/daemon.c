/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/metrics.h"
#include "daemon/listener.h"
#include "daemon/loader/reload.h"
#include "daemon/log/log.h"
#include "daemon/query/rate.h"
#include "daemon/query/repeat.h"
#include "daemon/query/tcp.h"
#include "daemon/query/udp.h"
#include "daemon/query/wildcard.h"
#include "daemon/start.h"
#include "daemon/turn.h"

#define DRAIN_LOOK_MS 10

static void on_hangup(int signal, short what, void *ctx);
static void on_stop(int signal, short what, void *ctx);
static void on_tick(int fd, short what, void *ctx);
static void on_drain(int fd, short what, void *ctx);

int
daemon_fault(struct daemon *d, const char *what, int result)
{
	log_event(
	    LOG_FAULT, LOG_PRIORITY_ERROR, NULL, 0, "%s: %s", what, strerror(-result));
	d->exit_code = 1;
	return result;
}

static void
on_lost(void *ctx, int reason)
{
	(void)ctx;
	log_event(LOG_TABLE_LOST, LOG_PRIORITY_ERROR, NULL, 0,
	    "the kernel table is gone or in doubt (%s): answers fail until it stands "
	    "again",
	    strerror(-reason));
}

static void
on_restored(void *ctx)
{
	(void)ctx;
	log_event(LOG_TABLE_RESTORED, LOG_PRIORITY_NOTICE, NULL, 0,
	    "the kernel table stands again, with all leases");
}

static void
on_dead(void *ctx)
{
	struct daemon *d = ctx;

	(void)daemon_fault(
	    d, "the enforcer has ended: leaving, the table stays and denies", -EPIPE);
	/* answers whose leases it acknowledged before */
	udp_flush(d->udp);
	tcp_flush(d->tcp);
	(void)event_base_loopbreak(d->base); /* cannot fail for a base that runs */
}

static void
on_refused(void *ctx, const struct enforcer_message *m)
{
	struct daemon *d = ctx;
	const struct refusal_view view = {
	    .registry = d->queries.registry,
	    .now_ms = clock_now_ms(),
	};

	refusal_take(&d->refusal, &view, m);
}

static void
on_flows(void *ctx, const struct enforcer_message *m)
{
	(void)ctx;
	report_flows(m->packets, m->lost, m->result);
}

static int
make_gate(struct daemon *d)
{
	struct endpoint listen[CONFIG_LISTEN_MAX];
	struct gate_state state = {
	    .config = d->loaded.config, .registry = d->loaded.registry};
	struct gate_settings settings = {
	    .fd = d->enforcer_fd,
	    .listen = listen,
	    .listen_count = listener_endpoints(d, listen),
	    .hash_key = d->key,
	    .now_ms = clock_now_ms,
	    .pods = &d->pods,
	    .ctx = d,
	    .lost = on_lost,
	    .restored = on_restored,
	    .dead = on_dead,
	    .refused = on_refused,
	    .flows = on_flows,
	    .backends = d->backends,
	    .recent = d->recent,
	};

	d->enforcer_fd = -1;
	return gate_new(d->base, &settings, &state, &d->gate);
}

static int
make_renewal(struct daemon *d)
{
	const struct renewal_settings settings = {
	    .leases = gate_leases(d->gate),
	    .committer = gate_committer(d->gate),
	    .now_ms = clock_now_ms,
	    .config = &d->queries.config,
	    .registry = &d->queries.registry,
	};

	return renewal_new(d->base, &settings, &d->renewal);
}

static int
make_resolver(struct daemon *d)
{
	const struct config *cfg = d->loaded.config;
	struct resolver_group groups[RESOLVER_GROUPS_MAX];
	struct resolver_settings settings = {
	    .groups = groups,
	    .group_count = turn_groups(cfg, groups),
	    .times = turn_times(cfg),
	    .cache = turn_cache_limits(cfg),
	    .hash_key = d->key,
	    .random_bytes = clock_random_bytes,
	    .now_ms = clock_now_ms,
	};

	return resolver_new(d->base, &settings, &d->resolver);
}

static int
make_backends(struct daemon *d)
{
	const struct backends_settings settings = {
	    .resolver = d->resolver,
	    .now_ms = clock_now_ms,
	    .hash_key = d->key,
	    .changed = start_names_changed,
	    .ctx = d,
	};
	int r = backends_new(&settings, &d->backends);

	return r == 0 ? backends_use(d->backends, d->loaded.registry) : r;
}

static int
make_control(struct daemon *d)
{
	char *path = strdup(d->loaded.config->control);
	char *slash = path != NULL ? strrchr(path, '/') : NULL;
	int r;

	if (path == NULL)
		return -ENOMEM;
	if (slash != NULL && slash != path) {
		*slash = '\0';
		(void)mkdir(path,
		    0755); /* it may be there; what is wrong shows in the next step */
	}
	free(path);
	r = control_new(
	    d->base, d->loaded.config->control, status_answer, d, &d->control);
	return r < 0 ? daemon_fault(d, d->loaded.config->control, r) : 0;
}

static int
make_signals(struct daemon *d)
{
	static const struct timeval second = {.tv_sec = 1};
	static const int stops[] = {SIGTERM, SIGINT};

	d->signals[0] = evsignal_new(d->base, SIGHUP, on_hangup, d);
	for (size_t i = 0; i < ARRAY_LEN(stops); i++)
		d->signals[i + 1] = evsignal_new(d->base, stops[i], on_stop, d);
	for (size_t i = 0; i < ARRAY_LEN(d->signals); i++)
		if (d->signals[i] == NULL || event_add(d->signals[i], NULL) < 0)
			return -ENOMEM;
	d->tick = event_new(d->base, -1, EV_PERSIST, on_tick, d);
	d->drain = event_new(d->base, -1, EV_PERSIST, on_drain, d);
	return d->tick == NULL || d->drain == NULL || event_add(d->tick, &second) < 0
		   ? -ENOMEM
		   : 0;
}

static bool
is_known(void *ctx, const struct addr *addr)
{
	const struct daemon *d = ctx;

	return d->queries.registry != NULL &&
	       registry_workload(d->queries.registry, addr) != NULL;
}

int
daemon_assemble(struct daemon *d)
{
	int r;

	d->base = event_base_new();
	r = d->base != NULL ? pods_init(&d->pods, &d->key) : -ENOMEM;
	if (r == 0)
		r = recent_new(&d->key, &d->recent);
	if (r == 0)
		r = rate_new(&d->key, &d->rate);
	if (r == 0)
		r = wildcard_new(&d->key, &d->wildcard);
	if (r == 0)
		r = repeats_new(&d->key, &d->repeats);
	if (r == 0)
		r = make_resolver(d);
	if (r == 0)
		r = make_backends(d);
	if (r == 0)
		r = make_gate(d);
	d->pods.known = is_known;
	d->pods.ctx = d;
	d->queries.pods = &d->pods;
	d->queries.resolver = d->resolver;
	d->queries.gate = d->gate;
	d->queries.report = &d->report;
	d->queries.recent = d->recent;
	d->queries.rate = d->rate;
	d->queries.wildcard = d->wildcard;
	d->queries.repeats = d->repeats;
	d->refusal = (struct refusal){.report = &d->report, .recent = d->recent};
	d->queries.now_ms = clock_now_ms;
	queries_use(&d->queries, d->loaded.config, d->loaded.registry, NULL);
	if (r == 0)
		r = history_new(&d->history);
	report_init(&d->report, &d->key, d->history);
	if (r == 0)
		r = queries_init(&d->queries, d->base);
	if (r == 0)
		r = make_renewal(d);
	if (r == 0)
		r = udp_new(d->base, &d->queries, &d->udp);
	if (r == 0)
		r = tcp_new(d->base, &d->queries, &d->tcp);
	if (r == 0)
		r = reload_new(d->base, d->options->config_path, &d->key, turn_loaded, d,
		    &d->reload);
	if (r == 0)
		r = make_signals(d);
	if (r < 0)
		return daemon_fault(d, "start", r);
	listener_metrics(d);
	return make_control(d);
}

static void
on_hangup(int signal, short what, void *ctx)
{
	(void)signal;
	(void)what;
	turn_begin(ctx);
}

static void
on_tick(int fd, short what, void *ctx)
{
	struct daemon *d = ctx;

	(void)fd;
	(void)what;
	leases_sweep(gate_leases(d->gate), clock_now_ms());
	queries_tick(&d->queries, clock_now_ms());
	backends_tick(d->backends);
	gate_lead(d->gate);
	(void)log_flush(); /* what still waits goes with the next tick */
	if (d->ready_owed)
		d->ready_owed = notify_ready() < 0;
	if (d->watched)
		notify_watchdog();
	turn_continue(d);
}

static void
on_stop(int signal, short what, void *ctx)
{
	static const struct timeval look = {.tv_usec = DRAIN_LOOK_MS * 1000};
	struct daemon *d = ctx;

	(void)signal;
	(void)what;
	if (d->stopping)
		return;
	d->stopping = true;
	d->drain_until_ms = clock_now_ms() + DAEMON_DRAIN_MS;
	notify_stopping();
	udp_stop(d->udp);
	tcp_stop(d->tcp);
	if (event_add(d->drain, &look) < 0)
		(void)event_base_loopbreak(
		    d->base); /* cannot fail for a base that runs */
}

static void
on_drain(int fd, short what, void *ctx)
{
	struct daemon *d = ctx;

	(void)fd;
	(void)what;
	if (d->queries.busy == 0 || clock_now_ms() >= d->drain_until_ms)
		(void)event_base_loopbreak(
		    d->base); /* cannot fail for a base that runs */
}

static void
dismantle(struct daemon *d)
{
	control_free(d->control);
	metrics_free(d->metrics);
	reload_free(d->reload);
	tcp_free(d->tcp);
	udp_free(d->udp);
	backends_free(d->backends);
	if (d->resolver != NULL)
		resolver_free(d->resolver);
	forecast_free(d->forecast);
	renewal_free(d->renewal);
	gate_free(d->gate);
	queries_done(&d->queries);
	recent_free(d->recent);
	history_free(d->history);
	repeats_free(d->repeats);
	wildcard_free(d->wildcard);
	rate_free(d->rate);
	if (d->pods.table.buckets != NULL)
		pods_done(&d->pods);
	for (size_t i = 0; i < ARRAY_LEN(d->signals); i++)
		if (d->signals[i] != NULL)
			event_free(d->signals[i]);
	start_done(d);
	if (d->tick != NULL)
		event_free(d->tick);
	if (d->drain != NULL)
		event_free(d->drain);
	if (d->base != NULL)
		event_base_free(d->base);
	for (size_t i = 0; i < d->socket_count; i++)
		if (d->sockets[i].fd >= 0)
			(void)close(d->sockets[i].fd); /* nothing is buffered in it */
	turn_release(&d->next);
	turn_release(&d->loaded);
}

int
daemon_run(const struct daemon_options *options)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int exit_code;

	if (d == NULL)
		return 1;
	d->options = options;
	d->enforcer_fd = -1;
	(void)signal(SIGPIPE, SIG_IGN); /* a reader that left is an error of the call */
	log_open(NULL);
	log_set_debug(options->debug);
	if (clock_random_bytes(&d->key, sizeof(d->key)) < 0)
		d->exit_code = 1;
	else if (start_begin(d) == 0)
		(void)event_base_dispatch(d->base); /* what ended it is in exit_code */
	if (d->stopping && d->exit_code == 0)
		log_event(LOG_STOPPED, LOG_PRIORITY_INFO, NULL, 0,
		    "stopped; the table stays and denies what is not leased");
	exit_code = d->exit_code;
	dismantle(d);
	free(d);
	(void)log_flush(); /* the last try */
	log_close();
	return exit_code;
}
