/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/forecast.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "daemon/lease/claim.h"
#include "daemon/lease/going.h"
#include "daemon/lease/judgement.h"

#define BUCKETS 16 /* are looked at between two looks at the work that it was */

struct grant_list {
	struct grant **grants;
	size_t len, size;
};

struct forecast {
	struct leases *leases;
	const struct registry *registry;
	forecast_done_fn done;
	void *ctx;
	struct event *turn;
	size_t bucket; /* the next one to be looked at */
	size_t work;   /* of this turn */
	bool more;     /* buckets */
	bool failed;   /* memory was lacking for a list */
	bool applied;
	struct grant_list held;  /* marked; each once */
	struct grant_list judge; /* of these; some perhaps twice */
	size_t forgotten;        /* of held */
	struct withdrawal withdrawal;
};

static bool
list_add(struct grant_list *l, struct grant *g)
{
	size_t size = l->size != 0 ? l->size * 2 : 64;
	struct grant **grown;

	if (l->len == l->size) {
		grown = reallocarray(l->grants, size, sizeof(struct grant *));
		if (grown == NULL)
			return false;
		l->grants = grown;
		l->size = size;
	}
	l->grants[l->len++] = g;
	return true;
}

static bool
hold(struct forecast *f, struct grant *g)
{
	if (g->marked)
		return true;
	if (!list_add(&f->held, g)) {
		f->failed = true;
		return false;
	}
	g->marked = true;
	(void)lease_grant_hold(g); /* the same */
	return true;
}

/* Once more when it stands there already: that may have been judged. */
static void
judge_again(struct forecast *f, struct grant *g)
{
	if (!hold(f, g))
		return;
	g->judged = list_add(&f->judge, g);
	f->failed |= !g->judged;
}

void
forecast_add(struct forecast *f, struct grant *g)
{
	if (!g->judged)
		judge_again(f, g);
}

/* A lease that is to stay, as far as somebody has a claim on it. */
static void
take_back(struct forecast *f, struct lease *lease)
{
	struct claim *c;

	withdrawal_take_back(&f->withdrawal, lease->record);
	going_set(leases_going(f->leases), lease, 0);
	LIST_FOREACH(c, &lease->claims, in_lease)
	judge_again(f, c->grant);
}

static void
on_claim(void *ctx, struct grant *g)
{
	struct forecast *f = ctx;
	struct lease *lease = LIST_FIRST(&g->claims)->lease;

	forecast_add(f, g);
	if (lease->record != 0)
		take_back(f, lease);
}

static void
on_ended(void *ctx, struct lease *lease)
{
	struct forecast *f = ctx;

	withdrawal_take_back(&f->withdrawal, lease->record);
}

static void
on_room(void *ctx)
{
	forecast_finish(ctx);
}

/* Does no name keep it? c's does not. All its grants are held, since each of them is a
 * way to it when the others have ended. */
static bool
goes(struct forecast *f, const struct claim *c)
{
	const struct lease *lease = c->lease;
	struct claim *other;
	size_t n = 0;

	LIST_FOREACH(other, &lease->claims, in_lease)
	{
		struct judgement j;

		if (++n > FORECAST_CLAIMS_MAX || !hold(f, other->grant))
			return false;
		if (other == c)
			continue;
		f->work++;
		j = judgement_of(f->registry, other->grant);
		if (judgement_keeps(&j, other->grant, &lease->target))
			return false;
	}
	return true;
}

/* False: that is the switch's to do. */
static bool
withdraw(struct forecast *f, struct claim *c)
{
	struct lease *lease = c->lease;

	if (lease->record != 0)
		return true;
	if (f->failed || !goes(f, c))
		return false;
	if (withdrawal_add(&f->withdrawal, lease) < 0) {
		f->failed = true;
		return false;
	}
	going_set(leases_going(f->leases), lease, f->withdrawal.len);
	return true;
}

static void
look(void *ctx, struct grant *g)
{
	struct forecast *f = ctx;
	struct judgement j;
	struct claim *c;
	bool left;

	f->work += 1 + g->len;
	if (g->judged)
		return;
	j = judgement_of(f->registry, g);
	left = judgement_renews(&j, g);
	LIST_FOREACH(c, &g->claims, in_grant)
	{
		if (judgement_keeps(&j, g, &c->lease->target))
			left |= judgement_asks(&j, f->leases, g, c->lease);
		else
			left |= !withdraw(f, c);
	}
	if (left)
		forecast_add(f, g);
}

static int
turn_later(struct forecast *f)
{
	static const struct timeval now = {0};

	return event_add(f->turn, &now);
}

static void
look_on(struct forecast *f)
{
	for (f->work = 0; f->more && f->work < FORECAST_WORK; f->work += BUCKETS)
		f->more =
		    grants_walk(leases_grants(f->leases), &f->bucket, BUCKETS, look, f);
}

static void
forget_gone(struct forecast *f, struct grant *g)
{
	struct claim *next;

	/* a lease has one claim of a grant */
	for (struct claim *c = LIST_FIRST(&g->claims); c != NULL; c = next) {
		next = LIST_NEXT(c, in_grant);
		if (going_is_gone(leases_going(f->leases), c->lease))
			lease_forget(f->leases, c->lease);
	}
}

static void
forget_some(struct forecast *f, size_t work)
{
	for (f->work = 0; f->forgotten < f->held.len && f->work < work; f->forgotten++) {
		struct grant *g = f->held.grants[f->forgotten];

		f->work += 1 + g->len;
		if (f->applied)
			forget_gone(f, g);
		g->marked = g->judged = false;
		lease_grant_release(f->leases, g);
	}
}

static void
on_turn(int fd, short what, void *ctx)
{
	struct forecast *f = ctx;
	bool more;

	(void)fd;
	(void)what;
	if (f->applied) {
		forget_some(f, FORECAST_WORK);
		more = f->forgotten < f->held.len;
	} else {
		look_on(f);
		more = f->more;
	}
	if (more && turn_later(f) == 0)
		return;
	f->done(f->ctx);
}

int
forecast_new(struct event_base *base, struct leases *leases,
    const struct registry *registry, bool cut, forecast_done_fn done, void *ctx,
    struct forecast **ret_forecast)
{
	struct forecast *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -ENOMEM;
	*f = (struct forecast){.leases = leases,
	    .registry = registry,
	    .done = done,
	    .ctx = ctx,
	    .more = true};
	withdrawal_init(&f->withdrawal, cut);
	f->turn = event_new(base, -1, 0, on_turn, f);
	if (f->turn == NULL || turn_later(f) < 0) {
		forecast_free(f);
		return -ENOMEM;
	}
	leases_going(leases)->watch =
	    (struct going_watch){.ctx = f, .ended = on_ended, .room = on_room};
	grants_watch(leases_grants(leases), on_claim, f);
	*ret_forecast = f;
	return 0;
}

/* Of those that are not gone. */
static void
forget_records(struct forecast *f)
{
	for (size_t i = f->forgotten; i < f->held.len; i++) {
		struct claim *c;

		LIST_FOREACH(c, &f->held.grants[i]->claims, in_grant)
		going_set(leases_going(f->leases), c->lease, 0);
	}
}

void
forecast_free(struct forecast *f)
{
	if (f == NULL)
		return;
	if (!f->applied)
		forget_records(f);
	forecast_finish(f);
	grants_watch(leases_grants(f->leases), NULL, NULL);
	*leases_going(f->leases) = (struct going){0};
	withdrawal_done(&f->withdrawal);
	free(f->held.grants);
	free(f->judge.grants);
	if (f->turn != NULL)
		event_free(f->turn);
	free(f);
}

bool
forecast_is_whole(const struct forecast *f)
{
	return !f->more && !f->failed;
}

struct grant *
forecast_grant(const struct forecast *f, size_t i)
{
	return i < f->judge.len ? f->judge.grants[i] : NULL;
}

struct withdrawal *
forecast_withdrawal(struct forecast *f)
{
	return &f->withdrawal;
}

void
forecast_apply(struct forecast *f, forecast_done_fn done, void *ctx)
{
	grants_watch(leases_grants(f->leases), NULL, NULL);
	leases_going(f->leases)->gone = true;
	f->applied = true;
	f->done = done;
	f->ctx = ctx;
	/* without memory for the turn: at the price of a longer wait */
	if (turn_later(f) < 0) {
		forecast_finish(f);
		event_active(f->turn, 0, 0);
	}
}

void
forecast_finish(struct forecast *f)
{
	forget_some(f, SIZE_MAX);
}
