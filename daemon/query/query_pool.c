/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/query_pool.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "daemon/query/rate.h"

#define ROOM_BATCH 256

static void on_room(int fd, short what, void *ctx);

int
queries_init(struct queries *q, struct event_base *base)
{
	TAILQ_INIT(&q->pool);
	TAILQ_INIT(&q->turn);
	q->all = calloc(QUERIES_MAX, sizeof(*q->all));
	q->room = event_new(base, -1, 0, on_room, q);
	if (q->all == NULL || q->room == NULL)
		return -ENOMEM;
	/* the last one first: the first ones stay warm */
	for (size_t i = QUERIES_MAX; i > 0; i--)
		TAILQ_INSERT_HEAD(&q->pool, &q->all[i - 1], link);
	return 0;
}

void
queries_done(struct queries *q)
{
	if (q->room != NULL)
		event_free(q->room);
	q->room = NULL;
	free(q->all);
	q->all = NULL;
}

/* Tell of the first query in a while that is above its source's rate. */
static void
report_limited(struct queries *all, const struct addr *source, int64_t now_ms)
{
	all->counts.limited++;
	report_rate(
	    all->report, source, registry_workload(all->registry, source), now_ms);
}

void
queries_use(struct queries *q, const struct config *config,
    const struct registry *registry, const struct registry *before)
{
	q->config = config;
	q->registry = registry;
	q->before = before;
	q->turns++;
}

bool
queries_admit(struct queries *all, const struct addr *source, int64_t now_ms)
{
	const struct rate_limit limit = {
	    .per_second = all->config->pod_rate, .burst = config_pod_burst(all->config)};

	if (rate_take(all->rate, source, &limit, now_ms))
		return true;
	report_limited(all, source, now_ms);
	return false;
}

struct query *
query_new(struct queries *all, const struct endpoint *source, int64_t now_ms)
{
	struct query *q = TAILQ_FIRST(&all->pool);

	if (q == NULL) {
		all->counts.dropped++;
		return NULL;
	}
	TAILQ_REMOVE(&all->pool, q, link);
	all->busy++;
	q->all = all;
	q->source = *source;
	q->since_ms = now_ms;
	q->asker = 0;
	q->turn = 0;
	q->pod = NULL;
	q->answer = NULL;
	q->failure = 0;
	q->aliased = q->lined = false;
	q->committing = false;
	q->commits = 0;
	return q;
}

/* Out of its pod's line, of which it keeps the reference. */
static void
leave_line(struct query *q)
{
	struct queries *all = q->all;
	struct pod *pod = q->pod;

	TAILQ_REMOVE(&pod->line, q, in_line);
	pod->lined--;
	all->lined--;
	q->lined = false;
	if (pod->lined == 0)
		TAILQ_REMOVE(&all->turn, pod, in_turn);
}

static bool
line_up(struct query *q)
{
	struct queries *all = q->all;
	struct pod *pod = q->pod;

	if (!pod_may_have_more(
		pod->lined, QUERIES_LINED_PER_POD, all->lined, QUERIES_LINED_MAX))
		return false;
	if (pod->lined == 0)
		TAILQ_INSERT_TAIL(&all->turn, pod, in_turn);
	TAILQ_INSERT_TAIL(&pod->line, q, in_line);
	pod->lined++;
	all->lined++;
	q->lined = true;
	return true;
}

static bool
has_room(const struct queries *all, const struct pod *pod)
{
	return pod_may_have_more(
	    pod->queries, QUERIES_PER_POD, all->waiting, QUERIES_WAITING_MAX);
}

static void
count_waiting(struct query *q)
{
	q->pod->queries++;
	q->all->waiting++;
}

void
query_pool_release(struct query *q)
{
	struct queries *all = q->all;

	answer_unref(q->answer);
	if (q->pod != NULL) {
		if (q->lined) {
			leave_line(q);
		} else {
			q->pod->queries--;
			all->waiting--;
		}
		pods_put(all->pods, q->pod);
	}
	TAILQ_INSERT_HEAD(&all->pool, q, link);
	all->busy--;
	if (all->lined > 0)
		event_active(all->room, 0, 0);
}

enum query_room
query_pool_room(struct query *q)
{
	struct queries *all = q->all;

	if (q->pod != NULL)
		return ROOM_NOW;
	q->pod = pods_get(all->pods, &q->source.addr);
	if (q->pod == NULL)
		return ROOM_NONE;
	/* nobody goes past his own line */
	if (q->pod->lined == 0 && has_room(all, q->pod)) {
		count_waiting(q);
		return ROOM_NOW;
	}
	if (line_up(q))
		return ROOM_LATER;
	pods_put(all->pods, q->pod);
	q->pod = NULL;
	return ROOM_NONE;
}

/* The pods take turns, one query each; as many as there is room for, but not so many at
 * once that the sockets wait. */
static void
on_room(int fd, short what, void *ctx)
{
	struct queries *all = ctx;
	size_t idle = 0, pods = 0;
	struct pod *pod;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(pod, &all->turn, in_turn)
	pods++;
	for (int i = 0; i < ROOM_BATCH && idle < pods; i++) {
		pod = TAILQ_FIRST(&all->turn);
		if (pod == NULL)
			return;
		TAILQ_REMOVE(&all->turn, pod, in_turn);
		TAILQ_INSERT_TAIL(&all->turn, pod, in_turn);
		if (has_room(all, pod)) {
			struct query *q = TAILQ_FIRST(&pod->line);

			leave_line(q);
			count_waiting(q);
			query_resume(q);
			idle = 0;
		} else {
			idle++;
		}
	}
	if (idle < pods && all->lined > 0)
		event_active(all->room, 0, 0);
}

/* The first in some line who has stood there too long; each line is in order. */
static struct query *
find_overdue(const struct queries *all, int64_t now_ms)
{
	struct pod *pod;

	TAILQ_FOREACH(pod, &all->turn, in_turn)
	{
		struct query *q = TAILQ_FIRST(&pod->line);

		if (now_ms - q->since_ms > all->config->query_deadline_ms)
			return q;
	}
	return NULL;
}

void
queries_tick(struct queries *all, int64_t now_ms)
{
	struct query *q;

	while ((q = find_overdue(all, now_ms)) != NULL) {
		leave_line(q);
		pods_put(all->pods, q->pod);
		q->pod = NULL;
		q->failure = -EBUSY;
		query_resume(q);
	}
}

bool
query_pool_is_late(const struct query *q, int64_t now_ms)
{
	return !q->transport->stream && now_ms - q->since_ms > QUERY_LATE_MS &&
	       q->pod != NULL && q->pod->queries > QUERY_LATE_CROWD;
}
