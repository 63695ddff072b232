/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/resolver.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/table.h"
#include "resolver/channel.h"
#include "resolver/entropy.h"
#include "resolver/failure.h"
#include "resolver/pending.h"
#include "resolver/server.h"
#include "resolver/upstream.h"

#define DEADLINE_MAX_MS 60000 /* clients have long gone; c-ares keeps quiet for an hour */

/* A question under way. */
struct asking {
	struct pending pending;
	struct upstream_question question;
	struct resolver *resolver;
	int result;   /* when it ended before it began */
	bool refresh; /* nobody waited at its beginning */
	bool late;    /* whoever waits gets an old answer */
	struct event patience;
	TAILQ_ENTRY(asking) link; /* of the spare ones, or the ended */
};

TAILQ_HEAD(asking_list, asking);

struct resolver {
	struct channel_pool *channels;
	struct server_list servers;
	struct server_groups groups;
	uint64_t generation; /* of the groups */
	struct entropy entropy;
	struct upstream upstream;
	struct cache *cache;
	struct failure_table failures; /* by hashes that the generation is part of */
	struct hash_key hash_key;
	struct table pending;
	struct asking *askings;   /* RESOLVER_PENDING_MAX of them */
	struct asking_list spare; /* those that are not under way */
	struct asking_list ended; /* without being asked: their waiters are told soon */
	struct event tell;
	int64_t (*now_ms)(void);
	int64_t patience_ms;
	size_t refreshing;
	uint64_t failed, joined, old, refreshes;
};

int
resolver_set_groups(
    struct resolver *r, const struct resolver_group *groups, size_t group_count)
{
	struct server_groups fresh;
	int error;

	if (server_groups_same(&r->groups, groups, group_count))
		return 0;
	error = server_groups_make(&r->servers, groups, group_count, &fresh);
	if (error < 0)
		return error;
	server_groups_drop(&r->groups);
	r->groups = fresh;
	r->generation++;
	cache_clear(r->cache);
	return 0;
}

/* The end of a question. */

/* What there is of its answer, if only an old one; NULL for nothing. A group of today
 * is not the one that a question of yesterday was for. */
static struct answer *
find_old(const struct asking *asking)
{
	struct resolver *r = asking->resolver;
	const struct pending *p = &asking->pending;

	if (p->generation != r->generation)
		return NULL;
	return cache_find_old(r->cache, p->group, &p->name, p->type, r->now_ms());
}

/* a is held, because those who are told may do anything. */
static void
tell_old(struct asking *asking, struct answer *a)
{
	asking->resolver->old += asking->pending.waiter_count;
	(void)answer_ref(a); /* for the calls */
	pending_tell(&asking->pending, 0, a, true);
	answer_unref(a);
}

static void
conclude(struct asking *asking, int result, struct answer *a)
{
	struct resolver *r = asking->resolver;
	struct answer *old = result < 0 ? find_old(asking) : NULL;

	(void)evtimer_del(&asking->patience); /* it is assigned */
	table_remove(&r->pending, &asking->pending.link);
	if (asking->refresh)
		r->refreshing--;
	if (old != NULL)
		tell_old(asking, old);
	else
		pending_tell(&asking->pending, result, a, false);
	TAILQ_INSERT_HEAD(&r->spare, asking, link);
}

/* RFC 8767 section 5: the question goes on, for those who ask later. */
static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct asking *asking = arg;
	struct answer *old = find_old(asking);

	(void)fd;
	(void)what;
	asking->late = old != NULL;
	if (old != NULL)
		tell_old(asking, old);
}

/* Without memory those who wait are told at the question's end. */
static void
lose_patience(struct asking *asking, int64_t ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	(void)evtimer_add(&asking->patience, &tv);
}

/* An answer of servers that a reload has replaced goes to those who asked them, and
 * nowhere else. */
static void
remember(struct asking *asking, int result, struct answer *a)
{
	struct resolver *r = asking->resolver;
	const struct pending *p = &asking->pending;
	int64_t now_ms;

	if (p->generation != r->generation)
		return;
	now_ms = r->now_ms();
	if (result == 0)
		cache_add(r->cache, p->group, a, now_ms);
	else if (result != -ENOMEM)
		failure_add(&r->failures, p->link.hash, result, now_ms);
}

static void
on_answer(struct upstream_question *q, int result, struct answer *a)
{
	struct asking *asking = CONTAINER_OF(q, struct asking, question);

	if (result < 0)
		asking->resolver->failed++;
	remember(asking, result, a);
	conclude(asking, result, a);
	if (a != NULL)
		answer_unref(a);
}

/* Only those that were there at the start: whoever asks again is told the next time. */
static void
tell_ended(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	struct asking_list now = TAILQ_HEAD_INITIALIZER(now);
	struct asking *asking;

	(void)fd;
	(void)what;
	TAILQ_CONCAT(&now, &r->ended, link);
	while ((asking = TAILQ_FIRST(&now)) != NULL) {
		TAILQ_REMOVE(&now, asking, link);
		conclude(asking, asking->result, NULL);
	}
}

/* done may not be called from within resolver_ask: the loop does it, in its next turn, so
 * that one who asks again and again does not keep it from its sockets. */
static void
end_soon(struct asking *asking, int result)
{
	static const struct timeval now = {0};
	struct resolver *r = asking->resolver;

	asking->result = result;
	TAILQ_INSERT_TAIL(&r->ended, asking, link);
	if (evtimer_add(&r->tell, &now) < 0)
		event_active(&r->tell, EV_TIMEOUT, 0); /* takes no memory */
}

/* The beginning of a question. */

static void
begin(struct asking *asking, int64_t now_ms)
{
	struct resolver *r = asking->resolver;
	struct pending *p = &asking->pending;
	int result = failure_find(&r->failures, p->link.hash, now_ms);

	if (result == 0) {
		asking->question.done = on_answer;
		asking->question.name = &p->name;
		asking->question.type = p->type;
		result = upstream_ask(
		    &r->upstream, r->groups.list[p->group], &asking->question, now_ms);
		if (result == 0) {
			if (r->patience_ms > 0 && find_old(asking) != NULL)
				lose_patience(asking, r->patience_ms);
			return;
		}
		r->failed++;
		remember(asking, result, NULL);
	}
	end_soon(asking, result);
}

/* NULL when all are under way. */
static struct asking *
asking_new(struct resolver *r, uint64_t hash, const struct pending_key *key)
{
	struct asking *asking = TAILQ_FIRST(&r->spare);
	int error;

	if (asking == NULL)
		return NULL;
	TAILQ_REMOVE(&r->spare, asking, link);
	*asking = (struct asking){.resolver = r};
	/* it has a base */
	(void)evtimer_assign(
	    &asking->patience, event_get_base(&r->tell), on_patience, asking);
	pending_init(&asking->pending, key);
	error = table_add(&r->pending, hash, &asking->pending.link);
	assert(error == 0); /* there is room for all */
	return asking;
}

static int
join(struct resolver *r, struct pending *p, struct resolver_waiter *waiter)
{
	struct asking *asking = CONTAINER_OF(p, struct asking, pending);
	int error = pending_join(p, waiter);

	if (error < 0)
		return error;
	r->joined++;
	if (asking->late)
		lose_patience(asking, 0);
	return 0;
}

int
resolver_ask(struct resolver *r, size_t group, const struct name *name, uint16_t type,
    struct resolver_waiter *waiter, int64_t now_ms)
{
	const struct pending_key key = {
	    .generation = r->generation,
	    .group = group,
	    .name = name,
	    .type = type,
	};
	uint64_t hash = pending_hash(&r->hash_key, &key);
	struct pending *p = pending_find(&r->pending, hash, &key);
	struct asking *asking;
	int error;

	if (group >= r->groups.count)
		return -EINVAL;
	if (p != NULL) {
		return join(r, p, waiter);
	}
	asking = asking_new(r, hash, &key);
	if (asking == NULL)
		return -EBUSY;
	error = pending_join(&asking->pending, waiter);
	assert(error == 0); /* it is the first */
	begin(asking, now_ms);
	return 0;
}

void
resolver_cancel(struct resolver *r, struct resolver_waiter *waiter)
{
	(void)r; /* the question goes on: its answer is worth having */
	pending_leave(waiter);
}

/* Ask though nobody waits. What failed just now is left alone. */
static void
refresh(struct resolver *r, size_t group, const struct name *name, uint16_t type,
    int64_t now_ms)
{
	const struct pending_key key = {
	    .generation = r->generation,
	    .group = group,
	    .name = name,
	    .type = type,
	};
	uint64_t hash = pending_hash(&r->hash_key, &key);
	struct asking *asking;

	if (r->refreshing >= RESOLVER_REFRESH_MAX ||
	    failure_find(&r->failures, hash, now_ms) != 0 ||
	    pending_find(&r->pending, hash, &key) != NULL)
		return;
	asking = asking_new(r, hash, &key);
	if (asking == NULL)
		return; /* whoever asks later asks again */
	asking->refresh = true;
	r->refreshing++;
	r->refreshes++;
	begin(asking, now_ms);
}

struct answer *
resolver_find(struct resolver *r, size_t group, const struct name *name, uint16_t type,
    int64_t now_ms, int64_t *ret_steady_ms)
{
	struct cache_use use;
	struct answer *a = cache_find(r->cache, group, name, type, now_ms, &use);

	if (a != NULL && use.due)
		refresh(r, group, name, type, now_ms);
	if (a != NULL && ret_steady_ms != NULL)
		*ret_steady_ms = use.steady_ms;
	return a;
}

struct answer *
resolver_find_old(struct resolver *r, size_t group, const struct name *name,
    uint16_t type, int64_t now_ms)
{
	struct answer *a;

	if (group >= r->groups.count || !server_group_is_bad(r->groups.list[group]))
		return NULL;
	a = cache_find_old(r->cache, group, name, type, now_ms);
	if (a != NULL) {
		r->old++;
		refresh(r, group, name, type, now_ms);
	}
	return a;
}

/* The whole. */

static bool
times_valid(const struct resolver_times *t)
{
	return t->deadline_ms > 0 && t->deadline_ms <= DEADLINE_MAX_MS && t->try_ms > 0 &&
	       t->try_ms <= t->deadline_ms && t->patience_ms >= 0 &&
	       t->patience_ms <= DEADLINE_MAX_MS;
}

int
resolver_tune(struct resolver *r, const struct resolver_times *times,
    const struct cache_limits *cache)
{
	if (!times_valid(times))
		return -EINVAL;
	r->upstream.settings.deadline_ms = times->deadline_ms;
	r->upstream.settings.try_ms = times->try_ms;
	r->patience_ms = times->patience_ms;
	cache_limit(r->cache, cache);
	return 0;
}

static int
init_parts(
    struct resolver *r, struct event_base *base, const struct resolver_settings *settings)
{
	const struct upstream_settings upstream = {
	    .base = base,
	    .now_ms = settings->now_ms,
	    .deadline_ms = settings->times.deadline_ms,
	    .try_ms = settings->times.try_ms,
	};
	int error;

	error = table_init(&r->pending, RESOLVER_PENDING_MAX);
	if (error < 0)
		return error;
	r->askings = calloc(RESOLVER_PENDING_MAX, sizeof(*r->askings));
	if (r->askings == NULL)
		return -ENOMEM;
	/* the last one first: the first ones stay warm */
	for (size_t i = RESOLVER_PENDING_MAX; i > 0; i--)
		TAILQ_INSERT_HEAD(&r->spare, &r->askings[i - 1], link);
	error = channel_pool_new(base, settings->now_ms, &r->channels);
	if (error < 0)
		return error;
	r->cache = cache_new(&settings->cache, &settings->hash_key);
	if (r->cache == NULL)
		return -ENOMEM;
	server_list_init(&r->servers, channel_pool_sockets(r->channels));
	upstream_init(&r->upstream, &upstream, r->channels, &r->entropy);
	return server_groups_make(
	    &r->servers, settings->groups, settings->group_count, &r->groups);
}

int
resolver_new(struct event_base *base, const struct resolver_settings *settings,
    struct resolver **ret_resolver)
{
	struct resolver *r;
	int error;

	if (!times_valid(&settings->times))
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->now_ms = settings->now_ms;
	r->patience_ms = settings->times.patience_ms;
	r->hash_key = settings->hash_key;
	TAILQ_INIT(&r->ended);
	TAILQ_INIT(&r->spare);
	entropy_init(&r->entropy, settings->random_bytes);
	(void)evtimer_assign(&r->tell, base, tell_ended, r); /* fails only without base */
	error = init_parts(r, base, settings);
	if (error < 0) {
		resolver_free(r);
		return error;
	}
	*ret_resolver = r;
	return 0;
}

static void
drop_askings(struct resolver *r)
{
	struct table_link *link, *next;
	struct asking *asking;

	for (link = table_first(&r->pending); link != NULL; link = next) {
		next = table_next(&r->pending, link);
		asking = CONTAINER_OF(link, struct asking, pending.link);
		assert(TAILQ_EMPTY(&asking->pending.waiters));
		(void)evtimer_del(&asking->patience); /* it is assigned */
		upstream_cancel(&asking->question);
		table_remove(&r->pending, link);
	}
}

void
resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	drop_askings(r);
	(void)event_del(&r->tell); /* it is assigned */
	server_groups_drop(&r->groups);
	channel_pool_free(r->channels);
	cache_free(r->cache);
	table_done(&r->pending);
	entropy_done(&r->entropy);
	free(r->askings);
	free(r);
}

struct resolver_counts
resolver_counts(const struct resolver *r)
{
	const struct upstream_counts *upstream = &r->upstream.counts;
	struct channel_counts channels = channel_pool_counts(r->channels);
	struct resolver_counts counts = {
	    .questions = upstream->questions,
	    .tries = upstream->tries,
	    .tcp = upstream->tcp,
	    .bare = upstream->bare,
	    .truncated = upstream->truncated,
	    .refused = upstream->refused,
	    .folding = r->servers.folding,
	    .guessed = r->servers.guessed,
	    .timeouts = upstream->timeouts,
	    .mismatches = channels.mismatches,
	    .failures = r->failed,
	    .joined = r->joined,
	    .old = r->old,
	    .refreshes = r->refreshes,
	    .pending = r->pending.len,
	    .channels = channels.used + channels.idle,
	    .cache = cache_counts(r->cache),
	};

	server_list_count(&r->servers, &counts.servers, &counts.bad_servers);
	return counts;
}
