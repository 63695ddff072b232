/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/query.h"

#include <assert.h>
#include <errno.h>

#include "daemon/lease/plan.h"
#include "daemon/lease/source.h"
#include "daemon/lease/strain.h"
#include "daemon/query/ede.h"
#include "daemon/query/hint.h"
#include "daemon/query/queries.h"
#include "daemon/query/query_ask.h"
#include "daemon/query/query_pool.h"
#include "daemon/query/query_repeat.h"
#include "daemon/query/route.h"
#include "resolver/reply.h"

/* One commit is the rule; more only when reloads or expiry cross a query's way. */
#define COMMITS_MAX 3

enum step {
	STEP_NEXT,
	STEP_REPLY, /* out has it */
	STEP_WAIT,
	STEP_DROP,
};

/* What one run of a query's steps works with. */
struct run {
	struct query *q;
	int64_t now_ms;
	uint8_t *out;
	size_t size;
	size_t len;
	bool answered; /* with what q->answer has */
};

static void on_resolved(
    struct resolver_waiter *waiter, int result, struct answer *answer);
static void on_gathered(struct gather_waiter *waiter, int result, struct answer *answer);
static void on_committed(struct commit_waiter *waiter, int result);

void
query_cancel(struct query *q)
{
	resolver_cancel(q->all->resolver, &q->upstream);
	gather_cancel(&q->gather);
	committer_cancel(&q->commit);
	query_pool_release(q);
}

static struct report_subject
subject(const struct query *q)
{
	return (struct report_subject){
	    .pod = &q->source.addr,
	    .workload = registry_workload(q->all->registry, &q->source.addr),
	    .name = &q->question.name,
	    .type = q->question.type,
	};
}

static enum step
fail(struct run *run, enum wire_rcode rcode, const struct reply_ede *ede)
{
	run->q->all->counts.failed++;
	run->len = reply_error(&run->q->question, rcode, ede, run->out, run->size);
	return STEP_REPLY;
}

static enum step
empty(struct run *run, enum wire_rcode rcode, const struct reply_ede *ede)
{
	uint32_t ttl_s = run->q->all->config->refused_ttl_s;

	run->len =
	    reply_negative(&run->q->question, rcode, ttl_s, ede, run->out, run->size);
	return STEP_REPLY;
}

static enum step
step_parse(struct run *run, const uint8_t *msg, size_t len)
{
	struct query *q = run->q;
	enum question_outcome outcome = question_parse(msg, len, &q->question);

	q->all->counts.received++;
	if (outcome == QUESTION_DROP) {
		q->all->counts.dropped++;
		return STEP_DROP;
	}
	if (!source_is_pod(q->all->config, &q->source.addr)) {
		q->all->counts.foreign++;
		return fail(run, RCODE_REFUSED, &ede_prohibited);
	}
	if (outcome == QUESTION_OK)
		return STEP_NEXT;
	q->all->counts.malformed++;
	switch (outcome) {
	case QUESTION_OK:
	case QUESTION_DROP:
	case QUESTION_FORMERR:
		return fail(run, RCODE_FORMERR, &ede_none);
	case QUESTION_NOTIMP:
		return fail(run, RCODE_NOTIMP, &ede_none);
	case QUESTION_BADVERS:
		return fail(run, RCODE_BADVERS, &ede_none);
	case QUESTION_REFUSED:
		return fail(run, RCODE_REFUSED, &ede_none);
	}
	return STEP_DROP;
}

static enum step
refuse(struct run *run)
{
	struct query *q = run->q;
	struct report_subject s = subject(q);

	q->all->counts.refused++;
	report_refused(q->all->report, &s, &q->verdict, run->now_ms);
	if (q->all->config->refused_rcode == CONFIG_REFUSED) {
		run->len = reply_error(
		    &q->question, RCODE_REFUSED, &ede_blocked, run->out, run->size);
		return STEP_REPLY;
	}
	return empty(run, RCODE_NXDOMAIN, &ede_blocked);
}

/* Is the address another pod's, or nobody's, since the question came? Who was not known
 * may well be the pod that is known now. */
static bool
has_moved(struct query *q, uint64_t identity)
{
	if (q->asker != 0 && q->asker != identity)
		return true;
	q->asker = identity;
	return false;
}

static enum step
step_decide(struct run *run)
{
	struct query *q = run->q;
	struct queries *all = q->all;
	const struct workload *w = registry_workload(all->registry, &q->source.addr);

	if (!all->started)
		return fail(run, RCODE_SERVFAIL, &ede_not_ready);
	if (has_moved(q, source_identity(w))) {
		all->counts.dropped++;
		return STEP_DROP;
	}
	source_judge(all->registry, w, all->before, &q->source.addr, &q->question.name,
	    &q->verdict);
	if (q->verdict.kind == VERDICT_REFUSED || q->verdict.kind == VERDICT_ZONE)
		query_try_search(q, w);
	if (q->verdict.kind == VERDICT_REFUSED)
		return refuse(run);
	if (q->verdict.kind == VERDICT_PARENT) {
		all->counts.empty++;
		return empty(run, RCODE_NOERROR, &ede_none);
	}
	if (q->question.type == TYPE_ANY) {
		all->counts.answered++;
		run->len = reply_any(
		    &q->question, all->config->refused_ttl_s, run->out, run->size);
		return STEP_REPLY;
	}
	if (!route_serves(&q->verdict, q->question.type) && !hint_is_asked(q)) {
		all->counts.empty++;
		return empty(run, RCODE_NOERROR, &ede_none);
	}
	q->from = source_address(
	    &q->source.addr, w, q->question.type == TYPE_AAAA ? AF_INET6 : AF_INET);
	q->other = hint_is_asked(q) ? source_address(&q->source.addr, w, AF_INET6)
				    : (struct addr){0};
	if (q->verdict.kind == VERDICT_HOST && q->from.family == 0 &&
	    route_asks_addresses(q->question.type)) {
		all->counts.empty++;
		return empty(run, RCODE_NOERROR, &ede_family);
	}
	return STEP_NEXT;
}

static enum step
resolve_failed(struct run *run, int failure)
{
	switch (failure) {
	case -ENETUNREACH:
		return fail(run, RCODE_SERVFAIL, &ede_network);
	case -EBUSY:
	case -ENOMEM:
		return fail(run, RCODE_SERVFAIL, &ede_busy);
	default:
		return fail(run, RCODE_SERVFAIL, &ede_silent);
	}
}

static enum step
make_room(struct run *run)
{
	switch (query_pool_room(run->q)) {
	case ROOM_NOW:
		return STEP_NEXT;
	case ROOM_LATER:
		return STEP_WAIT;
	case ROOM_NONE:
		break;
	}
	return fail(run, RCODE_SERVFAIL, &ede_busy);
}

static enum step
step_resolve(struct run *run)
{
	struct query *q = run->q;
	const struct verdict *v = &q->verdict;
	size_t group = route_group(v);
	uint64_t origin = group == ROUTE_GATHERED ? v->host->origin : hint_is_asked(q);
	enum step step;
	int r;

	if (q->failure < 0)
		return resolve_failed(run, q->failure);
	if (q->answer != NULL && q->group == group && q->origin == origin)
		return STEP_NEXT;
	answer_unref(q->answer); /* a reload sends the name elsewhere */
	q->answer = NULL;
	q->group = group;
	q->upstream.old = q->gather.old = false;
	q->origin = origin;
	r = query_ask_known(q, run->now_ms, &q->answer);
	if (r == -EINPROGRESS) {
		/* RFC 5358: what others asked is not for guessing */
		if ((q->question.flags & WIRE_RD) == 0)
			return fail(run, RCODE_REFUSED, &ede_none);
		if (!query_may_ask(q, run->now_ms))
			return fail(run, RCODE_SERVFAIL, &ede_wildcard);
		step = make_room(run);
		if (step != STEP_NEXT)
			return step;
		r = query_ask(q, run->now_ms);
	}
	if (r == 0)
		return STEP_NEXT;
	return r == -EINPROGRESS ? STEP_WAIT : resolve_failed(run, r);
}

static void
step_examine(struct run *run)
{
	struct query *q = run->q;
	const struct answer *a = q->answer;
	const struct config *cfg = q->all->config;
	const struct addr *forbidden = NULL;

	q->keep = 0;
	for (size_t i = 0; i < a->address_count; i++)
		if (q->verdict.kind == VERDICT_HOST &&
		    !registry_permits(
			q->all->registry, q->verdict.host, &a->addresses[i].addr))
			forbidden = &a->addresses[i].addr;
		else if (hint_has_source(q, &a->addresses[i].addr))
			q->keep |= UINT64_C(1) << i;
	if (forbidden != NULL) {
		struct report_subject s = subject(q);

		report_forbidden(
		    q->all->report, &s, q->verdict.host, forbidden, run->now_ms);
	}
	q->ttl_s = q->upstream.old ? RESOLVER_OLD_TTL_S : answer_ttl(a, run->now_ms);
	if (q->verdict.kind == VERDICT_HOST)
		q->ttl_s = MIN_OF(q->ttl_s, plan_cap_s(cfg) - cfg->lease_grace_s);
}

static enum step
commit_failed(struct run *run, int result)
{
	struct report_subject s = subject(run->q);

	report_commit_failed(run->q->all->report, &s, result, run->now_ms);
	return fail(run, RCODE_SERVFAIL, &ede_commit);
}

/* Reserve what the kept addresses lack; no longer keep those that a limit forbids. */
static void
make_plan(struct run *run, struct commit_request *request)
{
	struct query *q = run->q;
	struct plan plan = {
	    .leases = gate_leases(q->all->gate),
	    .config = q->all->config,
	    .pod = &q->from,
	    .other = &q->other,
	    .owner = q->asker,
	    .name = &q->question.name,
	    .host = q->verdict.host,
	    .answer = q->answer,
	    .from = q->group == ROUTE_GATHERED ? q->gather.from : NULL,
	    .ttl_s = q->ttl_s,
	    .switching = q->all->before != NULL,
	    .reserve = q->commits < COMMITS_MAX,
	};
	struct strain *strain = leases_strain(plan.leases);
	uint64_t wanted = q->keep;
	struct report_subject s;
	bool cut;

	strain_clear(strain);
	plan_make(&plan, run->now_ms, &q->keep, request);
	cut = q->keep != wanted && request->len == 0; /* else it is looked at again */
	if (!cut && !strain_is_near(strain))
		return;
	s = subject(q);
	if (cut)
		report_limit(q->all->report, &s, strain, run->now_ms);
	for (size_t i = 0; i < STRAIN_LIMITS; i++)
		if (strain->near[i])
			report_near(q->all->report, &s, i, run->now_ms);
}

/* Up to then the leases outlast the TTL that is told. */
static int64_t
leased_until(const struct query *q, const struct commit_request *request)
{
	return request->least_ms -
	       ((int64_t)q->ttl_s + q->all->config->lease_grace_s) * 1000;
}

static enum step
step_lease(struct run *run)
{
	struct query *q = run->q;
	struct commit_request request;
	uint64_t wanted = q->keep;
	enum step step;
	int r;

	if (q->verdict.kind != VERDICT_HOST || q->verdict.host->port_count == 0 ||
	    wanted == 0)
		return STEP_NEXT;
	if (!gate_ready(q->all->gate))
		return commit_failed(run, -ENOENT);
	make_plan(run, &request);
	if (q->keep == 0 && !hint_is_asked(q))
		return fail(run, RCODE_SERVFAIL, &ede_limit);
	if (request.len == 0) {
		q->leased_ms = leased_until(q, &request);
		return STEP_NEXT;
	}
	step = make_room(run);
	if (step != STEP_NEXT) {
		plan_drop(gate_leases(q->all->gate), &request);
		return step;
	}
	q->commits++;
	r = committer_commit(gate_committer(q->all->gate), &request, &q->commit);
	if (r < 0)
		return commit_failed(run, r);
	q->committing = true;
#ifdef EGRESSD_ANSWER_BEFORE_COMMIT /* wrong on purpose: the tests must notice */
	committer_cancel(&q->commit);
	return STEP_NEXT;
#endif
	return STEP_WAIT;
}

static void
note_recent(struct query *q, int64_t now_ms)
{
	const struct addr *pods[] = {&q->from, &q->other};

	for (size_t i = 0; i < ARRAY_LEN(pods) && (i == 0 || pods[i]->family != 0); i++)
		recent_note_answer(q->all->recent, pods[i], q->answer, q->keep,
		    &q->question.name, now_ms);
}

static enum step
step_reply(struct run *run)
{
	struct query *q = run->q;
	const struct reply_ede *ede;
	size_t limit = q->transport->stream ? run->size : q->question.udp_size;

	/* what came from the cache and stands in the kernel was noted before */
	if (q->pod != NULL)
		note_recent(q, run->now_ms);
	if (hint_cut(q) < 0)
		return resolve_failed(run, -ENOMEM);
	q->all->counts.answered++;
	ede = ede_of_answer(q->answer, q->keep, q->upstream.old || q->gather.old);
	run->answered = true;
	run->len = (q->aliased ? reply_alias : reply_answer)(&q->question, q->answer,
	    q->keep, q->ttl_s, ede, MIN_OF(limit, run->size), run->out, run->size);
	return STEP_REPLY;
}

/* From decide on, where it goes on only in a turn after the one that decided. */
static enum step
steps(struct run *run)
{
	struct query *q = run->q;
	enum step step = q->turn != q->all->turns ? step_decide(run) : STEP_NEXT;

	if (step == STEP_NEXT)
		q->turn = q->all->turns;
	if (step == STEP_NEXT && run->q->committing && run->q->failure < 0)
		return commit_failed(run, run->q->failure);
	if (step == STEP_NEXT)
		step = step_resolve(run);
	if (step == STEP_NEXT && hint_find(run->q) < 0)
		step = resolve_failed(run, -ENOMEM);
	if (step == STEP_NEXT) {
		step_examine(run);
		step = step_lease(run);
	}
	if (step == STEP_NEXT)
		step = step_reply(run);
	return step;
}

size_t
query_start(struct query *q, const uint8_t *msg, size_t len, int64_t now_ms, uint8_t *out,
    size_t size, bool *ret_waiting)
{
	struct run run = {.q = q, .now_ms = now_ms, .out = out, .size = size};
	struct repeat_query query = {.source = &q->source.addr, .msg = msg, .len = len};
	enum step step = step_parse(&run, msg, len);

	q->steady_ms = q->leased_ms = 0;
	q->upstream = (struct resolver_waiter){.done = on_resolved};
	q->gather = (struct gather_waiter){.done = on_gathered};
	q->commit = (struct commit_waiter){.done = on_committed};
	if (step == STEP_NEXT)
		step = steps(&run);
	if (run.answered && !q->transport->stream)
		query_keep(q, &query, now_ms, out, run.len);
	*ret_waiting = step == STEP_WAIT;
	if (step != STEP_WAIT)
		query_pool_release(q);
	return step == STEP_REPLY ? run.len : 0;
}

void
query_resume(struct query *q)
{
	struct queries *all = q->all;
	struct run run = {.q = q,
	    .now_ms = all->now_ms(),
	    .out = all->scratch,
	    .size = sizeof(all->scratch)};
	enum step step = steps(&run);

	if (step == STEP_WAIT)
		return;
	if (step == STEP_REPLY && query_pool_is_late(q, run.now_ms)) {
		all->counts.late++;
		step = STEP_DROP;
	}
	q->transport->send(q, run.out, step == STEP_REPLY ? run.len : 0);
	query_pool_release(q);
}

static void
answered(struct query *q, int result, struct answer *answer)
{
	assert(q->answer == NULL);
	q->failure = result;
	if (result == 0)
		q->answer = answer_ref(answer);
	query_resume(q);
}

static void
on_resolved(struct resolver_waiter *waiter, int result, struct answer *answer)
{
	answered(CONTAINER_OF(waiter, struct query, upstream), result, answer);
}

static void
on_gathered(struct gather_waiter *waiter, int result, struct answer *answer)
{
	answered(CONTAINER_OF(waiter, struct query, gather), result, answer);
}

static void
on_committed(struct commit_waiter *waiter, int result)
{
	struct query *q = CONTAINER_OF(waiter, struct query, commit);

	q->failure = result;
	q->committing = result < 0; /* what fails after this is not the commit */
	query_resume(q);
}
