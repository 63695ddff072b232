/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/query_ask.h"

#include <errno.h>

#include "daemon/lease/source.h"
#include "daemon/query/gather.h"
#include "daemon/query/listed.h"
#include "daemon/query/route.h"
#include "daemon/query/search.h"
#include "daemon/query/wildcard.h"

void
query_try_search(struct query *q, const struct workload *w)
{
	const struct queries *all = q->all;
	struct verdict verdict;
	struct name name;

	if (!all->config->autopath || w == NULL || q->aliased ||
	    !route_asks_addresses(q->question.type) ||
	    !search_strip(
		w->namespace, all->config->cluster_domain, &q->question.name, &name))
		return;
	source_judge(all->registry, w, all->before, &q->source.addr, &name, &verdict);
	if (verdict.kind != VERDICT_HOST)
		return;
	q->question.name = name;
	q->verdict = verdict;
	q->aliased = true;
}

static int
gather(struct query *q, bool ask, int64_t now_ms, struct answer **ret)
{
	struct gather_question question = {
	    .resolver = q->all->resolver,
	    .host = q->verdict.host,
	    .question = &q->question,
	    .now_ms = q->all->now_ms,
	    .known_only = !ask,
	};

	return gather_start(&question, &q->gather, now_ms, ret);
}

int
query_ask_known(struct query *q, int64_t now_ms, struct answer **ret_answer)
{
	const struct question *question = &q->question;
	struct answer *a;

	if (q->group == ROUTE_LOCAL)
		return listed_answer(q->verdict.host, question, now_ms, ret_answer);
	if (q->group == ROUTE_GATHERED)
		return gather(q, false, now_ms, ret_answer);
	a = resolver_find(q->all->resolver, q->group, &question->name, question->type,
	    now_ms, &q->steady_ms);
	if (a == NULL) {
		a = resolver_find_old(
		    q->all->resolver, q->group, &question->name, question->type, now_ms);
		q->upstream.old = a != NULL;
	}
	if (a == NULL)
		return -EINPROGRESS;
	*ret_answer = answer_ref(a);
	return 0;
}

static void
tell_wildcard(const struct query *q, const struct wildcard_pod *pod,
    const struct wildcard_budget *budget, int64_t now_ms)
{
	const struct queries *all = q->all;
	const struct wildcard_budget taken = wildcard_taken(all->wildcard, pod, now_ms);
	const bool names = budget->names != 0 && taken.names >= budget->names;
	const struct report_wildcard subject = {
	    .pod = pod->addr,
	    .workload = registry_workload(all->registry, pod->addr),
	    .host = q->verdict.host,
	    .option =
		names ? "pods.wildcardNamesPerMinute" : "pods.wildcardBytesPerMinute",
	    .names = taken.names,
	    .bytes = taken.bytes,
	};

	report_wildcard(all->report, &subject, now_ms);
}

bool
query_may_ask(struct query *q, int64_t now_ms)
{
	struct queries *all = q->all;
	const struct verdict *v = &q->verdict;
	const struct wildcard_budget budget = {
	    .names = all->config->wildcard_names,
	    .bytes = all->config->wildcard_bytes,
	};
	const struct wildcard_pod pod = {.identity = q->asker, .addr = &q->source.addr};

	/* of a gathered one its endpoints' names are asked instead */
	if (v->kind != VERDICT_HOST || !v->host->wildcard || q->group == ROUTE_GATHERED ||
	    wildcard_take(all->wildcard, &pod, &q->question.name, &budget, now_ms))
		return true;
	all->counts.wildcard_limited++;
	tell_wildcard(q, &pod, &budget, now_ms);
	return false;
}

int
query_ask(struct query *q, int64_t now_ms)
{
	int r;

	if (q->group == ROUTE_GATHERED)
		return gather(q, true, now_ms, &q->answer);
	r = resolver_ask(q->all->resolver, q->group, &q->question.name, q->question.type,
	    &q->upstream, now_ms);
	return r == 0 ? -EINPROGRESS : r;
}
