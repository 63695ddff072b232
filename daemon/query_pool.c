/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query_pool.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/rate.h"

int
queries_init(struct queries *q)
{
	TAILQ_INIT(&q->pool);
	q->all = calloc(QUERIES_MAX, sizeof(*q->all));
	if (q->all == NULL)
		return -ENOMEM;
	/* the last one first: the first ones stay warm */
	for (size_t i = QUERIES_MAX; i > 0; i--)
		TAILQ_INSERT_HEAD(&q->pool, &q->all[i - 1], link);
	return 0;
}

void
queries_done(struct queries *q)
{
	free(q->all);
	q->all = NULL;
}

/* Tell of the first query in a while that is above its source's rate. */
static void
limit(struct queries *all, const struct endpoint *source, int64_t now_ms)
{
	all->counts.limited++;
	report_rate(all->report, &source->addr,
	    registry_workload(all->registry, &source->addr), now_ms);
}

struct query *
query_new(
    struct queries *all, const struct endpoint *source, int64_t now_ms, bool *ret_limited)
{
	struct query *q = TAILQ_FIRST(&all->pool);

	*ret_limited =
	    !rate_take(all->rate, &source->addr, all->config->pod_rate, now_ms);
	if (*ret_limited) {
		limit(all, source, now_ms);
		return NULL;
	}
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
	q->pod = NULL;
	q->answer = NULL;
	q->failure = 0;
	q->committing = false;
	q->commits = 0;
	return q;
}

void
query_pool_release(struct query *q)
{
	answer_unref(q->answer);
	if (q->pod != NULL) {
		q->pod->queries--;
		q->all->waiting--;
		pods_put(q->all->pods, q->pod);
	}
	TAILQ_INSERT_HEAD(&q->all->pool, q, link);
	q->all->busy--;
}

bool
query_pool_may_wait(struct query *q)
{
	if (q->pod != NULL)
		return true;
	q->pod = pods_get(q->all->pods, &q->source.addr);
	if (q->pod == NULL)
		return false;
	if (!pod_may_have_more(
		q->pod->queries, QUERIES_PER_POD, q->all->waiting, QUERIES_WAITING_MAX)) {
		pods_put(q->all->pods, q->pod);
		q->pod = NULL;
		return false;
	}
	q->pod->queries++;
	q->all->waiting++;
	return true;
}

bool
query_pool_is_late(const struct query *q, int64_t now_ms)
{
	return !q->transport->stream && now_ms - q->since_ms > QUERY_LATE_MS &&
	       q->pod != NULL && q->pod->queries > QUERY_LATE_CROWD;
}
