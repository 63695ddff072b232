/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/commit.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/enforcer/pair.h"
#include "daemon/lease/change.h"
#include "daemon/lease/commit_message.h"
#include "daemon/lease/outbox.h"

struct commit {
	TAILQ_ENTRY(commit) link;
	struct commit_waiter *waiter;
	uint32_t id;
	int64_t deadline_ms;
	int64_t sent_ms;
	int64_t lease_end_ms;
	bool leads; /* some lease leads to another port */
	size_t len;
	struct lease *leases[];
};

TAILQ_HEAD(commit_list, commit);

struct committer {
	int fd;
	struct leases *leases;
	int64_t (*now_ms)(void);
	struct committer_hooks hooks;
	uint32_t deadline_ms;
	uint32_t next_id;
	bool ready;
	bool dead;
	struct commit_list waiting; /* in the order of the results */
	size_t waiting_count;
	uint32_t task_id; /* of the change or dump under way, 0 for none */
	bool task_is_change;
	bool task_in_doubt; /* the table was lost since it was asked for */
	committer_done_fn task_done;
	void *task_ctx;
	uint32_t lead_id; /* of the LEAD under way, 0 for none */
	committer_done_fn lead_done;
	void *lead_ctx;
	committer_live_fn live;
	void *live_ctx;
	struct outbox out;
	struct event *readable;
	struct event *timer;
	struct committer_counts counts;
	struct pair_inbox in;
	struct enforcer_message message; /* the newest one of it */
};

static void on_readable(int fd, short what, void *ctx);
static void die(struct committer *c);
static void on_broken(void *ctx);
static void on_timer(int fd, short what, void *ctx);

int
committer_new(struct event_base *base, int fd, struct leases *leases,
    int64_t (*now_ms)(void), const struct committer_hooks *hooks,
    struct committer **ret_committer)
{
	struct committer *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)close(fd); /* nothing was written to it */
		return -ENOMEM;
	}
	c->fd = fd;
	c->leases = leases;
	c->now_ms = now_ms;
	c->hooks = *hooks;
	c->deadline_ms = 1000;
	TAILQ_INIT(&c->waiting);
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->timer = event_new(base, -1, 0, on_timer, c);
	if (outbox_init(&c->out, base, fd, on_broken, c) < 0 || c->readable == NULL ||
	    c->timer == NULL || event_add(c->readable, NULL) < 0) {
		committer_free(c);
		return -ENOMEM;
	}
	*ret_committer = c;
	return 0;
}

void
committer_free(struct committer *c)
{
	struct commit *commit;

	if (c == NULL)
		return;
	while ((commit = TAILQ_FIRST(&c->waiting)) != NULL) {
		TAILQ_REMOVE(&c->waiting, commit, link);
		for (size_t i = 0; i < commit->len; i++)
			lease_settle(c->leases, commit->leases[i], false, 0);
		if (commit->waiter != NULL)
			commit->waiter->commit = NULL;
		free(commit);
	}
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->timer != NULL)
		event_free(c->timer);
	outbox_done(&c->out);
	(void)close(c->fd); /* nothing waits in it that matters any more */
	free(c);
}

void
committer_set_deadline(struct committer *c, uint32_t deadline_ms)
{
	c->deadline_ms = deadline_ms;
}

bool
committer_ready(const struct committer *c)
{
	return c->ready && !c->dead;
}

static void
die(struct committer *c)
{
	if (c->dead)
		return;
	c->dead = true;
	c->ready = false;
	(void)event_del(c->readable); /* cannot fail for an event that was added */
	c->hooks.dead(c->hooks.ctx);
}

static uint32_t
new_id(struct committer *c)
{
	if (++c->next_id == 0)
		c->next_id = 1;
	return c->next_id;
}

/* The timer runs for the first commit that somebody waits for. */
static void
arm_timer(struct committer *c, int64_t now_ms)
{
	struct commit *commit;

	TAILQ_FOREACH(commit, &c->waiting, link)
	{
		int64_t left = commit->deadline_ms - now_ms;
		struct timeval tv;

		if (commit->waiter == NULL)
			continue;
		left = MAX_OF(left, 1);
		tv = (struct timeval){
		    .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
		if (event_add(c->timer, &tv) < 0)
			die(c);
		return;
	}
}

static void
tell(struct commit *commit, int result)
{
	struct commit_waiter *waiter = commit->waiter;

	if (waiter == NULL)
		return;
	commit->waiter = NULL;
	waiter->commit = NULL;
	waiter->done(waiter, result);
}

static void
on_timer(int fd, short what, void *ctx)
{
	struct committer *c = ctx;
	struct commit *commit;
	int64_t now_ms = c->now_ms();

	(void)fd;
	(void)what;
	/* a waiter that is told may add to the end of the list, and takes nothing out
	 * of it */
	TAILQ_FOREACH(commit, &c->waiting, link)
	{
		if (commit->deadline_ms > now_ms)
			break;
		if (commit->waiter != NULL)
			c->counts.late++;
		tell(commit, -ETIMEDOUT);
	}
	arm_timer(c, now_ms);
}

static void
settle_all(struct committer *c, struct lease *const *leases, size_t len, int result,
    int64_t end_ms)
{
	for (size_t i = 0; i < len; i++)
		lease_settle(c->leases, leases[i], result == 0, end_ms);
}

int
committer_commit(struct committer *c, const struct commit_request *request,
    struct commit_waiter *waiter)
{
	int64_t now_ms = c->now_ms();
	struct commit *commit = NULL;
	struct enforcer_message m;
	int r;

	assert(request->len > 0 && request->len <= ENFORCER_LEASES_MAX);
	r = !committer_ready(c)                    ? -ENOENT
	    : c->waiting_count >= COMMIT_QUEUE_MAX ? -EBUSY
						   : 0;
	if (r == 0) {
		commit =
		    calloc(1, sizeof(*commit) + request->len * sizeof(commit->leases[0]));
		r = commit != NULL ? 0 : -ENOMEM;
	}
	if (r == 0) {
		commit->id = new_id(c);
		commit->len = request->len;
		commit->deadline_ms = now_ms + c->deadline_ms;
		commit->sent_ms = now_ms;
		commit->lease_end_ms = now_ms + request->timeout_ms;
		memcpy(commit->leases, request->leases,
		    request->len * sizeof(commit->leases[0]));
		commit->leads = commit_message(&m, request, c->leases, now_ms);
		m.id = commit->id;
		m.deadline_ms = commit->deadline_ms;
		r = outbox_add(&c->out, &m);
	}
	if (r < 0) {
		settle_all(c, request->leases, request->len, r, 0);
		c->counts.failed++;
		free(commit);
		return r;
	}
	commit->waiter = waiter;
	waiter->commit = commit;
	TAILQ_INSERT_TAIL(&c->waiting, commit, link);
	if (c->waiting_count++ == 0 || !event_pending(c->timer, EV_TIMEOUT, NULL))
		arm_timer(c, now_ms);
	return 0;
}

void
committer_cancel(struct commit_waiter *waiter)
{
	if (waiter->commit == NULL)
		return;
	waiter->commit->waiter = NULL;
	waiter->commit = NULL;
}

static int
start_task(
    struct committer *c, bool is_change, committer_done_fn done, void *ctx, uint32_t id)
{
	c->task_id = id;
	c->task_is_change = is_change;
	c->task_in_doubt = false;
	c->task_done = done;
	c->task_ctx = ctx;
	return 0;
}

int
committer_change(
    struct committer *c, struct change *change, committer_done_fn done, void *ctx)
{
	struct buf *list[CHANGE_AHEAD_MAX + 2];
	uint32_t id = new_id(c);
	size_t count = 0;
	int r;

	if (c->task_id != 0 || c->dead)
		return -EBUSY;
	list[count++] = &change->frames;
	for (size_t i = 0; i < change->ahead_count; i++)
		list[count++] = &change->ahead[i];
	list[count++] = &change->rest;
	for (size_t i = 0; i < count; i++)
		outbox_set_id(list[i], id);
	r = outbox_move_frames(&c->out, list, count);
	if (r < 0)
		return r;
	return start_task(c, true, done, ctx, id);
}

int
committer_dump(struct committer *c, committer_done_fn done, void *ctx)
{
	struct enforcer_message m = {.kind = ENFORCER_DUMP};
	int r;

	if (c->task_id != 0 || c->dead)
		return -EBUSY;
	m.id = new_id(c);
	r = outbox_add(&c->out, &m);
	return r < 0 ? r : start_task(c, false, done, ctx, m.id);
}

int
committer_ask(struct committer *c, const struct buf *frames)
{
	return outbox_add_frames(&c->out, frames);
}

void
committer_hear(struct committer *c, committer_live_fn live, void *ctx)
{
	c->live = live;
	c->live_ctx = ctx;
}

int
committer_lead(
    struct committer *c, struct enforcer_message *m, committer_done_fn done, void *ctx)
{
	int r;

	if (c->lead_id != 0 || c->dead)
		return -EBUSY;
	m->id = new_id(c);
	r = outbox_add(&c->out, m);
	if (r < 0)
		return r;
	c->lead_id = m->id;
	c->lead_done = done;
	c->lead_ctx = ctx;
	return 0;
}

bool
committer_leads(const struct committer *c)
{
	return c->lead_id != 0;
}

static void
lose(struct committer *c, int reason)
{
	c->task_in_doubt = true;
	if (!c->ready)
		return;
	c->ready = false;
	c->hooks.lost(c->hooks.ctx, reason);
}

static void
finish_commit(struct committer *c, struct commit *commit, int result)
{
	TAILQ_REMOVE(&c->waiting, commit, link);
	c->waiting_count--;
	settle_all(c, commit->leases, commit->len, result, commit->lease_end_ms);
	if (result == 0) {
		c->counts.commits++;
		c->counts.leases += commit->len;
		/* the kernel's leases outlive what is remembered of ours: see lease.h */
		if (c->now_ms() - commit->sent_ms > LEASE_LINGER_MS)
			leases_set_doubt(c->leases);
	} else {
		c->counts.failed++;
		/* a change may have written it meanwhile (daemon/lease/rejudge.c) */
		if (commit->leads)
			leases_set_doubt(c->leases);
	}
	if (result == -ENOENT || result == -EIO)
		lose(c, result);
	tell(commit, result);
	free(commit);
}

static void
finish_task(struct committer *c, int result)
{
	c->task_id = 0;
	if (c->task_is_change) {
		/* the change may have made a new table, without the leases of the old
		 * one */
		if (result == 0 && c->task_in_doubt)
			result = -ENOENT;
		c->ready = result == 0;
	}
	c->task_done(c->task_ctx, result);
}

static void
finish_lead(struct committer *c, int result)
{
	c->lead_id = 0;
	if (result == -ENOENT || result == -EIO)
		lose(c, result);
	c->lead_done(c->lead_ctx, result);
}

static void
take_result(struct committer *c, const struct enforcer_message *m)
{
	struct commit *commit = TAILQ_FIRST(&c->waiting);

	if (m->id == c->task_id && m->id != 0)
		finish_task(c, m->result);
	else if (m->id == c->lead_id && m->id != 0)
		finish_lead(c, m->result);
	else if (commit != NULL && commit->id == m->id)
		finish_commit(c, commit, m->result);
	else
		die(c);
}

static void
take_message(struct committer *c, const struct enforcer_message *m)
{
	if (m->kind == ENFORCER_RESULT)
		take_result(c, m);
	else if (m->kind == ENFORCER_LEASES && m->id == c->task_id && m->id != 0)
		c->hooks.dumped(c->hooks.ctx, m);
	else if (m->kind == ENFORCER_LOST)
		lose(c, -ENOENT);
	else if (m->kind == ENFORCER_REFUSED)
		c->hooks.refused(c->hooks.ctx, m);
	else if (m->kind == ENFORCER_FLOWS)
		c->hooks.flows(c->hooks.ctx, m);
	else if (m->kind == ENFORCER_LIVE && c->live != NULL)
		c->live(c->live_ctx, m);
	else
		die(c);
}

/* As pair_take, and the message has been seen to. */
static int
take_next(struct committer *c)
{
	int r = pair_take(&c->in, c->fd, MSG_DONTWAIT, &c->message);

	if (r > 0)
		take_message(c, &c->message);
	return c->dead ? 0 : r;
}

/* Who sends may be told of the end first: what the other end sent before it counts. */
static void
on_broken(void *ctx)
{
	while (take_next(ctx) > 0)
		;
	die(ctx);
}

/* Packets until as much has come as one may hold: the loop's other work waits for it. */
static void
on_readable(int fd, short what, void *ctx)
{
	struct committer *c = ctx;
	int r = 1;

	(void)fd;
	(void)what;
	for (size_t n = 0; r > 0 && (n < PAIR_MESSAGES_MAX || pair_left(&c->in)); n++)
		r = take_next(c);
	if (r < 0)
		die(c);
}

struct committer_counts
committer_counts(const struct committer *c)
{
	struct committer_counts counts = c->counts;

	counts.waiting = c->waiting_count;
	return counts;
}
