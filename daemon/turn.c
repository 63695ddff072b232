/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/turn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/lease/source.h"
#include "daemon/listener.h"
#include "daemon/loader/reload.h"
#include "daemon/log/log.h"
#include "daemon/query/tcp.h"
#include "daemon/query/udp.h"

#define TRY_UPSTREAM_MS 800

void
turn_release(struct loader_result *loaded)
{
	registry_unref(loaded->registry);
	config_free(loaded->config);
	*loaded = (struct loader_result){0};
}

size_t
turn_groups(const struct config *cfg, struct resolver_group groups[RESOLVER_GROUPS_MAX])
{
	size_t n = 0;

	groups[n++] = (struct resolver_group){
	    .servers = cfg->upstreams, .server_count = cfg->upstream_count};
	for (size_t i = 0; i < cfg->zone_count && n < RESOLVER_GROUPS_MAX; i++)
		groups[n++] = (struct resolver_group){.servers = cfg->zones[i].upstreams,
		    .server_count = cfg->zones[i].upstream_count};
	return n;
}

struct resolver_times
turn_times(const struct config *cfg)
{
	return (struct resolver_times){
	    .deadline_ms = cfg->query_deadline_ms,
	    .try_ms = MIN_OF(TRY_UPSTREAM_MS, cfg->query_deadline_ms),
	    .patience_ms = cfg->cache_patience_ms,
	};
}

struct cache_limits
turn_cache_limits(const struct config *cfg)
{
	return (struct cache_limits){
	    .bytes = cfg->cache_bytes,
	    .ttl_max_s = cfg->cache_ttl_max_s,
	    .negative_max_s = cfg->cache_ttl_max_s,
	    .old_max_s = cfg->cache_old_s,
	};
}

static void
log_finding(const struct finding *finding)
{
	char line[16], column[16];
	char *text = finding_format(finding);
	struct log_field fields[] = {
	    {"FILE", finding->file},
	    {"LINE", line},
	    {"COLUMN", column},
	};

	(void)snprintf(line, sizeof(line), "%u", finding->line);       /* fits */
	(void)snprintf(column, sizeof(column), "%u", finding->column); /* fits */
	log_event(LOG_FINDING,
	    finding->severity == FINDING_ERROR ? LOG_PRIORITY_ERROR
					       : LOG_PRIORITY_WARNING,
	    fields, ARRAY_LEN(fields), "%s", text != NULL ? text : finding->text);
	free(text);
}

static void
log_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->len; i++)
		if (findings->list[i].severity != FINDING_NOTE)
			log_finding(&findings->list[i]);
}

static const char *
mode_text(const struct registry *r)
{
	return registry_mode(r) == OUTBOUND_REGISTRY_ONLY ? "REGISTRY_ONLY" : "ALLOW_ANY";
}

static void
log_left_out(const struct registry_counts *counts)
{
	char left_out[24], last_good[24];
	struct log_field fields[] = {
	    {"LEFT_OUT", left_out},
	    {"LAST_GOOD", last_good},
	};

	if (counts->left_out == 0 && counts->last_good == 0)
		return;
	(void)snprintf(left_out, sizeof(left_out), "%zu", counts->left_out);    /* fits */
	(void)snprintf(last_good, sizeof(last_good), "%zu", counts->last_good); /* fits */
	log_event(LOG_LEFT_OUT, LOG_PRIORITY_WARNING, fields, ARRAY_LEN(fields),
	    "broken manifests: %s left out, %s kept in their last good form; egressd -t "
	    "lists what is wrong",
	    left_out, last_good);
}

static void
log_state(const struct daemon *d, enum log_event event, const char *what,
    const struct gate_outcome *outcome)
{
	struct registry_counts counts = registry_counts(d->loaded.registry);
	const char *mode = mode_text(d->loaded.registry);
	char entries[24], hosts[24], withdrawn[24], added[24];
	struct log_field fields[] = {
	    {"MODE", mode},
	    {"ENTRIES", entries},
	    {"HOSTS", hosts},
	    {"WITHDRAWN", withdrawn},
	    {"ADDED", added},
	};

	log_left_out(&counts);
	(void)snprintf(entries, sizeof(entries), "%zu", counts.entries); /* fits */
	(void)snprintf(hosts, sizeof(hosts), "%zu", counts.hosts);       /* fits */
	(void)snprintf(
	    withdrawn, sizeof(withdrawn), "%zu", outcome->withdrawn); /* fits */
	(void)snprintf(added, sizeof(added), "%zu", outcome->added);  /* fits */
	log_event(event, LOG_PRIORITY_INFO, fields, ARRAY_LEN(fields),
	    "%s: %s, %s entries, %s hosts; leases: %zu stand, %s withdrawn, %s added",
	    what, mode, entries, hosts, outcome->kept, withdrawn, added);
	notify_status("%s, %s entries, %s hosts", mode, entries, hosts);
}

void
turn_log_started(const struct daemon *d, const struct gate_outcome *outcome)
{
	log_state(d, LOG_STARTED, "started", outcome);
}

void
turn_begin(struct daemon *d)
{
	int r;

	if (!d->queries.started || d->switching || d->next.registry != NULL) {
		d->reload_again = true;
		return;
	}
	r = reload_start(d->reload, d->loaded.registry);
	if (r == -EBUSY) {
		d->reload_again = true;
		return;
	}
	notify_reloading(clock_now_ms() * 1000);
	if (r < 0) {
		d->reload_failures++;
		log_event(LOG_RELOAD_FAILED, LOG_PRIORITY_ERROR, NULL, 0,
		    "reload: %s; the running configuration and registry stay",
		    strerror(-r));
		d->ready_owed = notify_ready() < 0;
	}
}

static void
forget_forecast(struct daemon *d)
{
	forecast_free(d->forecast);
	d->forecast = NULL;
	d->foreseeing = false;
}

/* The turn has ended, one way or the other. */
static void
finish(struct daemon *d)
{
	forget_forecast(d);
	d->switching = false;
	d->ready_owed = notify_ready() < 0;
	if (d->reload_again) {
		d->reload_again = false;
		turn_begin(d);
	}
}

static void
failed(struct daemon *d, const char *why)
{
	d->reload_failures++;
	log_event(LOG_RELOAD_FAILED, LOG_PRIORITY_ERROR, NULL, 0,
	    "reload failed: %s; the running configuration and registry stay", why);
	turn_release(&d->next);
	finish(d);
}

/* Judge and ask with these from now on; before: what the kernel is switched from, or
 * NULL. */
static void
put_in_force(
    struct daemon *d, const struct loader_result *state, const struct registry *before)
{
	struct resolver_group groups[RESOLVER_GROUPS_MAX];
	struct resolver_times times = turn_times(state->config);
	struct cache_limits limits = turn_cache_limits(state->config);
	int r;

	r = resolver_set_groups(d->resolver, groups, turn_groups(state->config, groups));
	if (r == 0)
		r = resolver_tune(d->resolver, &times, &limits);
	if (r < 0)
		log_event(LOG_FAULT, LOG_PRIORITY_ERROR, NULL, 0,
		    "the upstream servers stay as they were: %s", strerror(-r));
	r = backends_use(d->backends, state->registry);
	if (r < 0)
		log_event(LOG_FAULT, LOG_PRIORITY_ERROR, NULL, 0,
		    "some endpoints' names are not asked, and lead nowhere: %s",
		    strerror(-r));
	queries_use(&d->queries, state->config, state->registry, before);
}

static void
on_switched(void *ctx, const struct gate_outcome *outcome)
{
	struct daemon *d = ctx;

	if (outcome->result < 0) {
		put_in_force(d, &d->loaded, NULL);
		failed(d, strerror(-outcome->result));
		return;
	}
	queries_use(&d->queries, d->next.config, d->next.registry, NULL);
	turn_release(&d->loaded);
	d->loaded = d->next;
	d->next = (struct loader_result){0};
	d->reloads++;
	d->loaded_ms = clock_now_ms();
	listener_metrics(d);
	log_state(d, LOG_RELOADED, "reloaded", outcome);
	finish(d);
}

/* What is fixed at the start stays as it is, and says so. */
static void
warn_of_fixed(const struct config *now, const struct config *next)
{
	bool listen = now->listen_count != next->listen_count;

	for (size_t i = 0; !listen && i < now->listen_count; i++)
		listen = !endpoint_equal(&now->listen[i], &next->listen[i]);
	if (listen)
		log_event(LOG_FINDING, LOG_PRIORITY_WARNING, NULL, 0,
		    "listen has changed: that takes a restart, until then the old "
		    "addresses serve");
	if (strcmp(now->control, next->control) != 0)
		log_event(LOG_FINDING, LOG_PRIORITY_WARNING, NULL, 0,
		    "control has changed: that takes a restart, until then the old "
		    "socket serves");
	if (next->lease_size > now->lease_size)
		log_event(LOG_FINDING, LOG_PRIORITY_WARNING, NULL, 0,
		    "lease.size has grown: that takes a restart, until then %u is the "
		    "limit",
		    now->lease_size);
	if (next->cache_bytes != now->cache_bytes)
		log_event(LOG_FINDING, LOG_PRIORITY_WARNING, NULL, 0,
		    "cache.size has changed: that takes a restart, until then %zu bytes "
		    "are the limit",
		    now->cache_bytes);
}

void
turn_continue(struct daemon *d)
{
	struct gate_state state = {
	    .config = d->next.config, .registry = d->next.registry};
	int r;

	if (d->next.registry == NULL && d->reload_again && d->queries.started) {
		d->reload_again = false; /* it came before the start was over */
		turn_begin(d);
	}
	if (d->next.registry == NULL || d->foreseeing || d->switching)
		return;
	/* an answer of this turn leaves before its leases may be withdrawn */
	udp_flush(d->udp);
	tcp_flush(d->tcp);
	r = gate_switch(d->gate, &state, d->forecast, on_switched);
	if (r == 0) {
		d->forecast = NULL; /* the gate's now */
		d->switching = true;
		put_in_force(d, &d->next, d->loaded.registry);
	} else if (
	    r !=
	    -EBUSY) { /* busy: the table is being made again; once more in a second */
		failed(d, strerror(-r));
	}
}

static void
on_foreseen(void *ctx)
{
	struct daemon *d = ctx;

	d->foreseeing = false;
	turn_continue(d);
}

void
turn_loaded(void *ctx, int result, const struct findings *findings,
    const struct loader_result *loaded)
{
	struct daemon *d = ctx;
	struct gate_state state;

	log_findings(findings);
	if (result < 0) {
		char why[128];

		(void)snprintf(why, sizeof(why), "%zu errors (%s)", findings->errors,
		    strerror(-result)); /* cut when longer */
		failed(d, why);
		return;
	}
	warn_of_fixed(d->loaded.config, loaded->config);
	d->next = *loaded;
	state =
	    (struct gate_state){.config = d->next.config, .registry = d->next.registry};
	/* a forecast knows nothing of whose address is a pod's */
	d->foreseeing = source_same_pods(d->loaded.config, d->next.config) &&
			forecast_new(d->base, gate_leases(d->gate), d->next.registry,
			    gate_cuts(&state), on_foreseen, d, &d->forecast) == 0;
	turn_continue(d); /* without a forecast: at the price of a longer wait */
}
