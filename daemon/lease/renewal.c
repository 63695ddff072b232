/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/renewal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/enforcer/alive.h"
#include "daemon/lease/claim.h"
#include "daemon/lease/judgement.h"
#include "daemon/lease/outbox.h"
#include "daemon/lease/plan.h"
#include "daemon/lease/ring.h"
#include "daemon/lease/source.h"
#include "daemon/log/log.h"

#define LEASES_A_TURN 4096 /* are looked at */
/* Between two questions: a third of the grace, so that a flow that begins while the
 * answer's TTL runs is seen twice before its lease ends, within these. */
#define PERIOD_MIN_MS 250
#define PERIOD_MAX_MS 10000
#define ANSWER_MS 500 /* that a question and the commits after it may take */

enum state {
	IDLE,
	GATHERING, /* what ends soon */
	ASKED,
};

struct waiting {
	struct commit_waiter waiter;
	struct renewal *renewal;
	bool busy;
};

struct renewal {
	struct renewal_settings settings;
	struct event *timer; /* the next question */
	struct event *turn;  /* there is more to gather, or to renew */
	enum state state;
	uint32_t question;               /* its number */
	int64_t now_ms;                  /* of this turn */
	int64_t until_ms;                /* what ends before is asked about */
	int64_t second;                  /* of ring_ending */
	size_t len;                      /* leases in it */
	struct enforcer_message message; /* its part that is being filled */
	struct buf frames;
	int64_t cost_ms;  /* of the last one */
	struct buf found; /* struct enforcer_live, that it found */
	size_t found_pos;
	struct waiting waiting[RENEWAL_COMMITS];
	bool told_left, told_failed; /* the journal knows */
	struct renewal_counts counts;
};

static const struct config *
config_of(const struct renewal *r)
{
	return *r->settings.config;
}

static void
add_timer(struct event *timer, int64_t ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	/* when it fails, for lack of memory, leases end: nothing is opened by it */
	(void)event_add(timer, &tv);
}

static int64_t
period_ms(const struct renewal *r)
{
	int64_t ms = (int64_t)config_of(r)->lease_grace_s * 1000 / 3;

	ms = MIN_OF(MAX_OF(ms, PERIOD_MIN_MS), PERIOD_MAX_MS);
	return MAX_OF(ms, r->cost_ms * RENEWAL_SHARE);
}

/* How soon ends what is asked about: so it is asked twice, and once is enough. */
static int64_t
window_ms(const struct renewal *r)
{
	return 2 * period_ms(r) + ANSWER_MS;
}

static int64_t
last_end_ms(const struct renewal *r, const struct claim *c)
{
	/* 0: who asked has not had his answer */
	return c->until_ms == 0
		   ? 0
		   : c->until_ms + (int64_t)config_of(r)->lease_flows_s * 1000;
}

static bool
may_live_on(const struct renewal *r, const struct lease *lease)
{
	const struct claim *c;
	int n = 0;

	LIST_FOREACH(c, &lease->claims, in_lease)
	{
		if (last_end_ms(r, c) > lease->deadline_ms)
			return true;
		if (++n == RENEWAL_CLAIMS_MAX)
			break;
	}
	return false;
}

static void
leave_out(struct renewal *r)
{
	r->counts.left++;
	if (r->told_left)
		return;
	r->told_left = true;
	log_event(LOG_LIMIT, LOG_PRIORITY_WARNING, NULL, 0,
	    "more leases end at a time than are looked at for living flows (%d, of one "
	    "pod %d): the others end; egressctl status counts them as renewals_left",
	    ALIVE_MAX, RENEWAL_POD_MAX);
}

static void
frame_message(struct renewal *r)
{
	outbox_frame(&r->frames, &r->message);
	r->message.count = 0;
}

static void
add(struct renewal *r, const struct lease *lease)
{
	r->message.body.live[r->message.count++] = (struct enforcer_live){
	    .pod = lease->pod->addr,
	    .destination = lease->target.addr,
	    .port = lease->target.port,
	    .proto = lease->target.proto,
	};
	r->len++;
	if (r->message.count == ENFORCER_LIST_MAX)
		frame_message(r);
}

static void
on_ending(void *ctx, struct lease *lease)
{
	struct renewal *r = ctx;
	struct pod *pod = lease->pod;

	if (lease->pending > 0 || lease->deadline_ms > r->until_ms ||
	    lease->deadline_ms <= r->now_ms || !may_live_on(r, lease) ||
	    !source_is_pod(config_of(r), &pod->addr))
		return;
	if (pod->question != r->question) {
		pod->question = r->question;
		pod->asked = 0;
	}
	if (!pod_may_have_more(pod->asked, RENEWAL_POD_MAX, r->len, ALIVE_MAX)) {
		leave_out(r);
		return;
	}
	pod->asked++;
	add(r, lease);
}

static void
finish(struct renewal *r)
{
	buf_done(&r->frames); /* its memory is not kept between questions */
	buf_init(&r->frames, OUTBOX_BYTES_MAX);
	r->message.count = 0;
	r->len = 0;
	r->state = IDLE;
	add_timer(r->timer, period_ms(r));
}

static void
fail(struct renewal *r, int result)
{
	r->counts.failed++;
	/* that the table is gone is told by others */
	if (r->told_failed || result == -ENOENT)
		return;
	r->told_failed = true;
	log_event(LOG_FAULT, LOG_PRIORITY_WARNING, NULL, 0,
	    "living flows cannot be looked for (%s): leases end although they are used; "
	    "egressctl status counts this as renewals_failed",
	    strerror(-result));
}

static void
send_question(struct renewal *r)
{
	int r_ask;

	if (r->len == 0) {
		finish(r);
		return;
	}
	if (r->message.count != 0)
		frame_message(r);
	frame_message(r); /* its end */
	r->counts.asked += r->len;
	r_ask =
	    r->frames.failed ? -ENOMEM : committer_ask(r->settings.committer, &r->frames);
	if (r_ask < 0) {
		fail(r, r_ask);
		finish(r);
		return;
	}
	r->state = ASKED;
	buf_done(&r->frames);
}

static void
gather(struct renewal *r)
{
	r->now_ms = r->settings.now_ms();
	if (ring_ending(leases_ring(r->settings.leases), r->until_ms, LEASES_A_TURN,
		&r->second, on_ending, r))
		add_timer(r->turn, 0);
	else
		send_question(r);
}

static bool
is_in_force(const struct renewal *r)
{
	return config_of(r)->lease_flows_s != 0 &&
	       committer_ready(r->settings.committer) &&
	       registry_mode(*r->settings.registry) == OUTBOUND_REGISTRY_ONLY;
}

static void
on_timer(int fd, short what, void *ctx)
{
	struct renewal *r = ctx;

	(void)fd;
	(void)what;
	if (!is_in_force(r) ||
	    r->found_pos * sizeof(struct enforcer_live) < r->found.len) {
		finish(r);
		return;
	}
	r->state = GATHERING;
	r->question++;
	r->second = 0;
	r->until_ms = r->settings.now_ms() + window_ms(r);
	gather(r);
}

/* By which claim; NULL: nothing allows it any more, or not for longer. */
static struct claim *
find_claim(const struct renewal *r, const struct lease *lease)
{
	struct claim *c, *found = NULL;
	int n = 0;

	LIST_FOREACH(c, &lease->claims, in_lease)
	{
		struct judgement j;

		if (n++ == RENEWAL_CLAIMS_MAX)
			break;
		if (last_end_ms(r, c) <= lease->deadline_ms)
			continue;
		j = judgement_of(*r->settings.registry, c->grant);
		if (judgement_keeps(&j, c->grant, &lease->target))
			found = c; /* the last one's name stands in the kernel */
	}
	return found;
}

static void
commit(struct renewal *r, struct waiting *w, const struct lease *lease,
    const struct claim *c, int64_t timeout_ms)
{
	struct commit_request request = {.timeout_ms = (uint32_t)timeout_ms, .len = 1};
	const struct lease_target target = lease->target;
	struct name name;

	name_from_wire(c->grant->name, c->grant->name_len, &name);
	request.name = &name;
	request.leases[0] =
	    lease_reserve(r->settings.leases, c->grant, &target, &request.renew[0]);
	if (request.leases[0] == NULL ||
	    committer_commit(r->settings.committer, &request, &w->waiter) < 0) {
		r->counts.failed++;
		return;
	}
	w->busy = true;
}

static void
renew(struct renewal *r, struct waiting *w, const struct enforcer_live *used)
{
	const struct config *cfg = config_of(r);
	const struct lease_target target = {
	    .addr = used->destination, .port = used->port, .proto = used->proto};
	const int64_t now_ms = r->settings.now_ms();
	const struct lease *lease = lease_find(r->settings.leases, &used->pod, &target);
	const struct claim *c;
	int64_t step_ms, end_ms;

	if (lease == NULL || lease->pending > 0 || lease->deadline_ms <= now_ms)
		return;
	c = find_claim(r, lease);
	if (c == NULL)
		return;
	/* not before it is asked again, however long that takes */
	step_ms = (int64_t)(cfg->lease_floor_s + cfg->lease_grace_s) * 1000;
	step_ms = MAX_OF(step_ms, window_ms(r));
	step_ms = MIN_OF(step_ms, (int64_t)plan_cap_s(cfg) * 1000);
	end_ms = MIN_OF(now_ms + step_ms, last_end_ms(r, c));
	if (end_ms > lease->deadline_ms)
		commit(r, w, lease, c, end_ms - now_ms);
}

/* Its memory is not kept between questions. */
static void
forget_found(struct renewal *r)
{
	buf_done(&r->found);
	buf_init(&r->found, ALIVE_MAX * sizeof(struct enforcer_live));
	r->found_pos = 0;
}

/* As many as may be under way. */
static void
renew_found(struct renewal *r)
{
	const struct enforcer_live *list = (const void *)r->found.bytes;
	const size_t count = r->found.len / sizeof(*list);
	size_t looked = 0;

	for (size_t i = 0; i < RENEWAL_COMMITS && r->found_pos < count; i++)
		while (!r->waiting[i].busy && r->found_pos < count &&
		       looked++ < RENEWAL_COMMITS)
			renew(r, &r->waiting[i], &list[r->found_pos++]);
	if (r->found_pos == count) {
		forget_found(r);
	} else if (looked >= RENEWAL_COMMITS) {
		add_timer(r->turn, 0);
	} /* else what is under way goes on with it */
}

static void
on_committed(struct commit_waiter *waiter, int result)
{
	struct waiting *w = CONTAINER_OF(waiter, struct waiting, waiter);
	struct renewal *r = w->renewal;

	w->busy = false;
	if (result == 0)
		r->counts.renewed++;
	else
		r->counts.failed++;
	if (r->found.len != 0)
		add_timer(r->turn, 0);
}

static void
on_turn(int fd, short what, void *ctx)
{
	struct renewal *r = ctx;

	(void)fd;
	(void)what;
	if (r->state == GATHERING)
		gather(r);
	else
		renew_found(r);
}

static void
on_live(void *ctx, const struct enforcer_message *m)
{
	struct renewal *r = ctx;

	if (r->state != ASKED)
		return;
	if (m->count != 0) {
		buf_append(&r->found, m->body.live, m->count * sizeof(m->body.live[0]));
		r->counts.failed += r->found.failed; /* these end */
		add_timer(r->turn, 0);
		return;
	}
	r->counts.flows += m->packets;
	r->cost_ms = (m->lost + 999) / 1000;
	if (m->result < 0)
		fail(r, m->result);
	finish(r);
}

int
renewal_new(struct event_base *base, const struct renewal_settings *settings,
    struct renewal **ret_renewal)
{
	struct renewal *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	r->settings = *settings;
	r->message.kind = ENFORCER_LIVE;
	forget_found(r);
	for (size_t i = 0; i < RENEWAL_COMMITS; i++) {
		r->waiting[i].waiter.done = on_committed;
		r->waiting[i].renewal = r;
	}
	r->timer = event_new(base, -1, 0, on_timer, r);
	r->turn = event_new(base, -1, 0, on_turn, r);
	if (r->timer == NULL || r->turn == NULL) {
		renewal_free(r);
		return -ENOMEM;
	}
	committer_hear(settings->committer, on_live, r);
	finish(r);
	*ret_renewal = r;
	return 0;
}

void
renewal_free(struct renewal *r)
{
	if (r == NULL)
		return;
	committer_hear(r->settings.committer, NULL, NULL);
	for (size_t i = 0; i < RENEWAL_COMMITS; i++)
		committer_cancel(&r->waiting[i].waiter);
	if (r->timer != NULL)
		event_free(r->timer);
	if (r->turn != NULL)
		event_free(r->turn);
	buf_done(&r->frames);
	buf_done(&r->found);
	free(r);
}

struct renewal_counts
renewal_counts(const struct renewal *r)
{
	return r->counts;
}
