/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/lease/change.h"
#include "daemon/lease/forecast.h"
#include "daemon/lease/found.h"
#include "daemon/lease/lead.h"
#include "daemon/lease/loss.h"
#include "daemon/lease/outline.h"
#include "daemon/lease/plan.h"
#include "daemon/lease/recent.h"
#include "daemon/lease/rejudge.h"

enum work {
	WORK_NONE,
	WORK_DUMP,
	WORK_START,
	WORK_SWITCH,
	WORK_REPAIR,
};

struct gate {
	struct gate_settings settings;
	struct endpoint listen[CONFIG_LISTEN_MAX];
	struct gate_state now;
	struct gate_state before; /* of a switch that is under way */
	struct leases *leases;
	struct committer *committer;
	enum work work;
	enum work after_dump;
	struct rejudge rejudge;
	struct change change;
	struct found found;
	struct lead lead;
	struct forecast
	    *applied; /* while what is gone by it is forgotten; NULL: nothing */
	bool made;    /* and the kernel has switched already */
	gate_done_fn done;
	struct event *repair_timer;
	bool stray; /* flows may have begun that the table would not have let */
	bool large; /* a repair of the table as it stands did not fit into a batch */
};

static void on_lost(void *ctx, int reason);
static void on_dead(void *ctx);
static void on_dumped(void *ctx, const struct enforcer_message *m);
static void on_refused(void *ctx, const struct enforcer_message *m);
static void on_flows(void *ctx, const struct enforcer_message *m);
static void on_repair_timer(int fd, short what, void *ctx);
static void on_changed(void *ctx, int result);
static void on_forgotten(void *ctx);
static void repair_later(struct gate *g);

static struct lease_limits
limits_of(const struct config *cfg)
{
	return (struct lease_limits){
	    .size = cfg->lease_size,
	    .per_pod = cfg->lease_per_pod,
	    .per_name = cfg->lease_per_name,
	    .timeout_ms = outline_timeout_max_ms(cfg),
	};
}

int
gate_new(struct event_base *base, const struct gate_settings *settings,
    const struct gate_state *state, struct gate **ret_gate)
{
	struct gate *g = calloc(1, sizeof(*g));
	struct lease_limits limits = limits_of(state->config);
	struct committer_hooks hooks = {.ctx = g,
	    .lost = on_lost,
	    .dead = on_dead,
	    .dumped = on_dumped,
	    .refused = on_refused,
	    .flows = on_flows};
	int r = -ENOMEM;

	if (g == NULL)
		return -ENOMEM;
	g->settings = *settings;
	g->settings.listen_count = MIN_OF(settings->listen_count, ARRAY_LEN(g->listen));
	memcpy(
	    g->listen, settings->listen, g->settings.listen_count * sizeof(g->listen[0]));
	g->now = *state;
	found_init(&g->found);
	lead_init(&g->lead, settings->backends);
	g->repair_timer = event_new(base, -1, 0, on_repair_timer, g);
	if (g->repair_timer == NULL)
		goto fail;
	r = leases_new(&limits, settings->pods, &settings->hash_key, &g->leases);
	if (r < 0)
		goto fail;
	r = committer_new(
	    base, settings->fd, g->leases, settings->now_ms, &hooks, &g->committer);
	if (r < 0)
		goto fail;
	committer_set_deadline(g->committer, state->config->commit_deadline_ms);
	*ret_gate = g;
	return 0;
fail:
	if (g->leases == NULL)
		(void)close(settings->fd); /* nothing was written to it */
	gate_free(g);
	return r;
}

void
gate_free(struct gate *g)
{
	if (g == NULL)
		return;
	forecast_free(g->applied);
	if (g->work != WORK_NONE)
		rejudge_settle(&g->rejudge, false);
	committer_free(g->committer);
	leases_free(g->leases);
	if (g->repair_timer != NULL)
		event_free(g->repair_timer);
	change_done(&g->change);
	found_done(&g->found);
	lead_done(&g->lead);
	free(g);
}

bool
gate_ready(const struct gate *g)
{
	return committer_ready(g->committer);
}

const char *
gate_state_text(const struct gate *g)
{
	enum work work = g->work == WORK_DUMP ? g->after_dump : g->work;

	if (gate_ready(g))
		return work == WORK_NONE ? "standing" : "changing";
	return work == WORK_START ? "starting" : "lost";
}

struct leases *
gate_leases(struct gate *g)
{
	return g->leases;
}

struct committer *
gate_committer(struct gate *g)
{
	return g->committer;
}

/* Send the change; a negative result: everything reserved has been settled. */
static int
send_change(struct gate *g, enum work work)
{
	int r = change_end(&g->change);

	if (r == 0)
		r = committer_change(g->committer, &g->change, on_changed, g);
	change_done(&g->change);
	if (r < 0) {
		rejudge_settle(&g->rejudge, false);
		return r;
	}
	g->work = work;
	return 0;
}

bool
gate_cuts(const struct gate_state *state)
{
	/* under ALLOW_ANY nothing would be cut */
	return state->config->revoke_flows &&
	       registry_mode(state->registry) == OUTBOUND_REGISTRY_ONLY;
}

/* Nothing that is gone is left. */
static void
end_applied(struct gate *g)
{
	forecast_free(g->applied);
	g->applied = NULL;
}

/* adopt: keep what the kernel holds. forecast: of a switch, or NULL. */
static int
send_judged(struct gate *g, enum work work, bool adopt, struct forecast *forecast)
{
	int64_t now_ms = g->settings.now_ms();
	bool cuts = gate_cuts(&g->now);

	if (g->applied != NULL)
		forecast_finish(g->applied);
	outline_describe(&g->change, adopt, g->now.config, g->now.registry, g->listen,
	    g->settings.listen_count);
	lead_describe(&g->lead, &g->change, g->now.registry);
	found_revoke(&g->found, g->leases, &g->change);
	for (size_t i = 0; i < g->now.config->pod_range_count && cuts && g->stray; i++)
		change_cut_pods(&g->change, &g->now.config->pod_ranges[i]);
	if (work == WORK_SWITCH && cuts)
		loss_describe(
		    &g->change, g->now.config, g->before.registry, g->now.registry);
	rejudge_run(&g->rejudge, g->leases, g->now.registry, g->now.config, forecast,
	    cuts, &g->change, now_ms);
	if (work == WORK_REPAIR)
		rejudge_repeat(&g->rejudge, now_ms);
	return send_change(g, work);
}

static void
tell(struct gate *g, int result)
{
	gate_done_fn done = g->done;
	struct gate_outcome outcome = {
	    .result = result,
	    .kept = leases_counts(g->leases).leases,
	    .withdrawn = g->rejudge.withdrawn + found_stale(&g->found),
	    .added = g->rejudge.added,
	};

	g->done = NULL;
	if (done != NULL)
		done(g->settings.ctx, &outcome);
}

static void
on_dumped(void *ctx, const struct enforcer_message *m)
{
	struct gate *g = ctx;

	found_take(&g->found, g->leases, g->settings.recent, m);
}

static void on_dump_done(void *ctx, int result);

static int
dump_again(struct gate *g)
{
	found_begin(&g->found, g->settings.now_ms());
	return committer_dump(g->committer, on_dump_done, g);
}

static bool
wants_another(struct found *f, int result)
{
	if (result == 0)
		return found_wants_more(f);
	return result != -ENOENT && found_may_repeat(f);
}

static void
on_dump_done(void *ctx, int result)
{
	struct gate *g = ctx;
	bool adopt;

	if (wants_another(&g->found, result)) {
		result = dump_again(g);
		if (result == 0)
			return;
	}
	g->work = WORK_NONE;
	/* one that was passed over stands in the kernel all the same */
	if (result == 0)
		leases_set_doubt(g->leases);
	/* What cannot be read can be replaced. It may hold a lease that nobody knows, of
	 * a commit whose acknowledgement was lost. */
	adopt = result == 0 || result == -ENOENT;
	if (adopt || g->after_dump == WORK_REPAIR)
		result = send_judged(g, g->after_dump, adopt && !g->large, NULL);
	if (result == 0)
		return;
	if (g->after_dump == WORK_START)
		tell(g, result);
	else
		repair_later(g);
}

/* Look first at what the kernel holds. */
static int
dump(struct gate *g, enum work work)
{
	int r;

	found_clear(&g->found);
	r = dump_again(g);
	if (r < 0)
		return r;
	g->work = WORK_DUMP;
	g->after_dump = work;
	return 0;
}

int
gate_start(struct gate *g, gate_done_fn done)
{
	int r = dump(g, WORK_START);

	if (r == 0)
		g->done = done;
	return r;
}

static void
adopt_limits(struct gate *g)
{
	struct lease_limits limits = limits_of(g->now.config);

	leases_set_limits(g->leases, &limits);
	committer_set_deadline(g->committer, g->now.config->commit_deadline_ms);
}

static void
go_back(struct gate *g)
{
	g->now = g->before;
	adopt_limits(g);
}

int
gate_switch(struct gate *g, const struct gate_state *state, struct forecast *forecast,
    gate_done_fn done)
{
	int r;

	/* a table in doubt is made again first: a switch repeats no leases */
	if (g->work != WORK_NONE || g->applied != NULL ||
	    event_pending(g->repair_timer, EV_TIMEOUT, NULL))
		return -EBUSY;
	g->before = g->now;
	g->now = *state;
	adopt_limits(g);
	found_clear(&g->found);
	r = send_judged(g, WORK_SWITCH, true, forecast);
	if (r < 0) {
		/* what was withdrawn in memory stands in the kernel: make the table
		 * again */
		go_back(g);
		on_lost(g, r);
		return r;
	}
	g->done = done;
	g->made = false;
	if (forecast != NULL && forecast_is_whole(forecast))
		forecast_apply(g->applied = forecast, on_forgotten, g);
	else
		forecast_free(forecast);
	return 0;
}

static void
on_led(void *ctx, int result)
{
	struct gate *g = ctx;

	if (result < 0)
		lead_forget(&g->lead);
	else
		gate_lead(g);
}

/* Only while nothing else is under way: a service's number is of the registry that the
 * kernel has. */
void
gate_lead(struct gate *g)
{
	struct enforcer_message m;

	if (g->work != WORK_NONE || !gate_ready(g) || committer_leads(g->committer) ||
	    !lead_next(&g->lead, g->now.registry, &m))
		return;
	if (committer_lead(g->committer, &m, on_led, g) < 0)
		lead_forget(&g->lead);
}

static void
repair_later(struct gate *g)
{
	struct timeval tv = {.tv_usec = GATE_REPAIR_MS * 1000};

	g->work = WORK_NONE;
	leases_set_doubt(g->leases);
	if (event_add(g->repair_timer, &tv) < 0)
		g->settings.dead(g->settings.ctx);
}

static void
repair(struct gate *g)
{
	if (dump(g, WORK_REPAIR) < 0)
		repair_later(g);
}

static void
on_repair_timer(int fd, short what, void *ctx)
{
	struct gate *g = ctx;

	(void)fd;
	(void)what;
	if (g->work == WORK_NONE)
		repair(g);
}

static void
on_changed(void *ctx, int result)
{
	struct gate *g = ctx;
	enum work work = g->work;

	bool made = result == 0 || result == -ENOENT;

	g->work = WORK_NONE;
	rejudge_settle(&g->rejudge, result == 0);
	if (!made && work == WORK_SWITCH) {
		end_applied(g);
		go_back(g);
		repair(g); /* what was withdrawn in memory may stand in the kernel */
	} else if (result < 0 && (made || work != WORK_START)) {
		repair_later(g);
	}
	/* a new table takes one message a lease, not three */
	g->large = work == WORK_REPAIR && result == -ENOBUFS;
	if (result == 0)
		g->stray = false;
	if (result == 0 && work == WORK_REPAIR)
		g->settings.restored(g->settings.ctx);
	if (work == WORK_SWITCH && made && g->applied != NULL)
		g->made = true; /* told when that is done too */
	else if (work == WORK_START || work == WORK_SWITCH)
		tell(g, made ? 0 : result);
}

static void
on_forgotten(void *ctx)
{
	struct gate *g = ctx;

	end_applied(g);
	if (g->made)
		tell(g, 0);
	g->made = false;
}

static void
on_lost(void *ctx, int reason)
{
	struct gate *g = ctx;

	g->stray = true;
	g->settings.lost(g->settings.ctx, reason);
	leases_set_doubt(g->leases);
	if (g->work == WORK_NONE)
		repair(g);
}

static void
on_dead(void *ctx)
{
	struct gate *g = ctx;

	g->settings.dead(g->settings.ctx);
}

static void
on_refused(void *ctx, const struct enforcer_message *m)
{
	struct gate *g = ctx;

	g->settings.refused(g->settings.ctx, m);
}

static void
on_flows(void *ctx, const struct enforcer_message *m)
{
	struct gate *g = ctx;

	g->settings.flows(g->settings.ctx, m);
}
