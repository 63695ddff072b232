/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/forecast.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "daemon/lease/judgement.h"

struct forecast {
	struct leases *leases;
	const struct registry *registry;
	forecast_done_fn done;
	void *ctx;
	struct event *turn;
	size_t bucket; /* the next one to be looked at */
	bool more;     /* buckets */
	bool failed;   /* memory was lacking for the list */
	struct grant **list;
	size_t len, size;
};

static int
make_room(struct forecast *f)
{
	size_t size = f->size != 0 ? f->size * 2 : 64;
	struct grant **grown;

	if (f->len < f->size)
		return 0;
	grown = reallocarray(f->list, size, sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	f->list = grown;
	f->size = size;
	return 0;
}

void
forecast_add(struct forecast *f, struct grant *g)
{
	if (g->marked)
		return;
	if (make_room(f) < 0) {
		f->failed = true;
		return;
	}
	g->marked = true;
	f->list[f->len++] = lease_grant_hold(g);
}

static void
on_claim(void *ctx, struct grant *g)
{
	forecast_add(ctx, g);
}

static void
look(void *ctx, struct grant *g)
{
	struct forecast *f = ctx;
	struct judgement j;

	if (g->marked)
		return;
	j = judgement_of(f->registry, g);
	if (judgement_differs(&j, f->leases, g))
		forecast_add(f, g);
}

static int
turn_later(struct forecast *f)
{
	static const struct timeval now = {0};

	return event_add(f->turn, &now);
}

static void
on_turn(int fd, short what, void *ctx)
{
	struct forecast *f = ctx;

	(void)fd;
	(void)what;
	f->more =
	    grants_walk(leases_grants(f->leases), &f->bucket, FORECAST_BUCKETS, look, f);
	if (f->more && turn_later(f) == 0)
		return;
	f->done(f->ctx);
}

int
forecast_new(struct event_base *base, struct leases *leases,
    const struct registry *registry, forecast_done_fn done, void *ctx,
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
	f->turn = event_new(base, -1, 0, on_turn, f);
	if (f->turn == NULL || turn_later(f) < 0) {
		forecast_free(f);
		return -ENOMEM;
	}
	grants_watch(leases_grants(leases), on_claim, f);
	*ret_forecast = f;
	return 0;
}

void
forecast_free(struct forecast *f)
{
	if (f == NULL)
		return;
	grants_watch(leases_grants(f->leases), NULL, NULL);
	for (size_t i = 0; i < f->len; i++) {
		f->list[i]->marked = false;
		lease_grant_release(f->leases, f->list[i]);
	}
	free(f->list);
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
	return i < f->len ? f->list[i] : NULL;
}
