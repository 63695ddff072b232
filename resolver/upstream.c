/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/upstream.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "resolver/wire.h"

/* Whose word tells more about why there is no answer. */
static int
result_rank(int result)
{
	switch (result) {
	case -EREMOTEIO:
		return 2;
	case -ETIMEDOUT:
		return 1;
	default:
		return 0;
	}
}

static void
note_result(struct upstream_question *q, int result)
{
	if (result_rank(result) > result_rank(q->result))
		q->result = result;
}

static struct server *
server_asked(const struct upstream_question *q)
{
	return q->order[q->at];
}

static int
set_timer(struct upstream_question *q, int64_t ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	return evtimer_add(&q->timer, &tv) < 0 ? -ENOMEM : 0;
}

static void
leave(struct upstream_question *q)
{
	(void)evtimer_del(&q->timer); /* it is assigned */
	channel_cancel(&q->use);
	server_group_unref(q->group);
	q->group = NULL;
}

static void
finish(struct upstream_question *q, int result, struct answer *a)
{
	leave(q);
	q->done(q, result, a);
}

/* The next server in turn that may be asked, from q->at on. */
static bool
pick(struct upstream_question *q)
{
	const size_t count = q->group->count;

	for (size_t i = 0; i < count; i++) {
		size_t k = (q->at + i) % count;

		if (q->refuted[k] || q->tries[k] >= UPSTREAM_TRIES_MAX)
			continue;
		q->at = k;
		return true;
	}
	return false;
}

/* Errors of this process, not of the way to the server: another server would not help. */
static bool
is_shortage(int r)
{
	return r == -ENOMEM || r == -ENOBUFS || r == -EMFILE || r == -ENFILE ||
	       r == -EBUSY;
}

static int
send_packet(struct upstream_question *q, int64_t now_ms)
{
	struct upstream *u = q->upstream;
	struct server *s = server_asked(q);
	const struct packet_form form = {
	    .as_is = q->as_is || !server_keeps_case(s, now_ms),
	    .bare = q->bare[q->at],
	};
	int r;

	r = packet_make(q->name, q->type, form, u->entropy, &q->packet);
	if (r < 0)
		return -ENOMEM; /* no entropy: a shortage like any other */
	if (server_is_guessed(s, now_ms))
		q->tcp = true;
	if (q->tcp)
		q->use.wrong_left = 1;
	q->folded = false;
	q->sent_ms = now_ms;
	q->tries[q->at]++;
	r = channel_ask(u->channels, s, q->tcp ? CARRIER_TCP : CARRIER_UDP, &q->use);
	if (r < 0)
		return r;
	u->counts.tries++;
	u->counts.tcp += q->tcp;
	u->counts.bare += form.bare;
	return 0;
}

static int64_t
wait_ms(const struct upstream_question *q)
{
	int64_t max_ms = q->upstream->settings.try_ms;

	return q->tcp ? max_ms : server_wait_ms(server_asked(q), max_ms);
}

/* 0: a try is under way; otherwise the question's result. */
static int
next_try(struct upstream_question *q, int64_t now_ms)
{
	int64_t left_ms = q->deadline_at_ms - now_ms;
	int r;

	if (left_ms < UPSTREAM_TRY_MIN_MS) {
		note_result(q, -ETIMEDOUT);
		return q->result;
	}
	while (pick(q)) {
		r = send_packet(q, now_ms);
		if (r == 0)
			return set_timer(q, MIN_OF(wait_ms(q), left_ms));
		if (is_shortage(r))
			return -ENOMEM;
		q->refuted[q->at] = true;
	}
	return q->result;
}

static void
go_on(struct upstream_question *q)
{
	int r = next_try(q, q->upstream->settings.now_ms());

	if (r < 0)
		finish(q, r, NULL);
}

static void
go_on_elsewhere(struct upstream_question *q)
{
	q->at = (q->at + 1) % q->group->count;
	go_on(q);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct upstream_question *q = arg;
	int64_t now_ms = q->upstream->settings.now_ms();

	(void)fd;
	(void)what;
	channel_cancel(&q->use);
	if (q->folded && !q->as_is) {
		server_folded(server_asked(q), now_ms);
		server_replied(server_asked(q), -1);
		q->as_is = true;
		go_on(q);
		return;
	}
	q->upstream->counts.timeouts++;
	note_result(q, -ETIMEDOUT);
	if (!q->folded)
		server_silent(server_asked(q), now_ms);
	go_on_elsewhere(q);
}

/* The truth about this try comes within the pause or not at all. */
static void
on_doubt(struct channel_use *use, int sign)
{
	struct upstream_question *q = CONTAINER_OF(use, struct upstream_question, use);
	int64_t left_ms = q->deadline_at_ms - q->upstream->settings.now_ms();

	if (sign == -EPROTO)
		q->folded = true;
	/* A timer that is set already is moved, which takes no memory. */
	(void)set_timer(q, MAX_OF(MIN_OF(UPSTREAM_PAUSE_MS, left_ms), 0));
}

/* A reply that is no answer. Who cannot bear EDNS says so in one of these ways (RFC 6891
 * section 7). */
static void
on_failure(struct upstream_question *q, unsigned rcode)
{
	q->upstream->counts.refused++;
	note_result(q, -EREMOTEIO);
	if ((rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP) && !q->bare[q->at]) {
		q->bare[q->at] = true;
		go_on(q);
		return;
	}
	server_failed(server_asked(q), q->upstream->settings.now_ms());
	q->refuted[q->at] = true;
	go_on_elsewhere(q);
}

static void
on_message(struct upstream_question *q, const uint8_t *msg, size_t len)
{
	struct answer *a;
	int r;

	r = answer_examine(
	    msg, len, q->name, q->type, q->upstream->settings.now_ms(), &a);
	if (r == 0) {
		server_answered(server_asked(q));
		finish(q, 0, a);
	} else if (r == -ENOMEM) {
		finish(q, r, NULL);
	} else {
		on_failure(q, msg[3] & WIRE_RCODE); /* it has a header */
	}
}

/* The reply to the packet has come, whole or cut. */
static void
note_reply(struct upstream_question *q, bool whole)
{
	struct server *s = server_asked(q);

	server_replied(s, q->tcp ? -1 : q->upstream->settings.now_ms() - q->sent_ms);
	/* of a cut one, and over TCP, the letters are not looked at */
	if (whole && !q->tcp && q->packet.mixed)
		server_kept_case(s);
}

static void
on_done(struct channel_use *use, int result, const uint8_t *msg, size_t len)
{
	struct upstream_question *q = CONTAINER_OF(use, struct upstream_question, use);

	if (result == 0 || result == -EMSGSIZE)
		note_reply(q, result == 0);
	if (result == 0) {
		on_message(q, msg, len);
	} else if (is_shortage(result)) {
		finish(q, -ENOMEM, NULL);
	} else if (!q->tcp) {
		if (result == -EMSGSIZE)
			q->upstream->counts.truncated++;
		note_result(q, -EREMOTEIO);
		q->tcp = true;
		go_on(q);
	} else {
		q->refuted[q->at] = true;
		if (result == -EPROTO)
			note_result(q, -EREMOTEIO);
		go_on_elsewhere(q);
	}
}

void
upstream_init(struct upstream *u, const struct upstream_settings *settings,
    struct channel_pool *channels, struct entropy *entropy)
{
	memset(u, 0, sizeof(*u));
	u->settings = *settings;
	u->channels = channels;
	u->entropy = entropy;
}

int
upstream_ask(struct upstream *u, struct server_group *group, struct upstream_question *q,
    int64_t now_ms)
{
	int r;

	memset(q->tries, 0, sizeof(q->tries));
	memset(q->refuted, 0, sizeof(q->refuted));
	memset(q->bare, 0, sizeof(q->bare));
	q->upstream = u;
	q->group = server_group_ref(group);
	server_group_order(group, now_ms, q->order);
	q->at = 0;
	q->deadline_at_ms = now_ms + u->settings.deadline_ms;
	q->result = -ENETUNREACH;
	q->tcp = false;
	q->as_is = false;
	q->use = (struct channel_use){
	    .done = on_done,
	    .doubt = on_doubt,
	    .packet = &q->packet,
	    .wrong_left = CHANNEL_WRONG_MAX,
	};
	(void)evtimer_assign(&q->timer, u->settings.base, on_timer, q); /* has a base */
	u->counts.questions++;
	r = next_try(q, now_ms);
	if (r < 0)
		leave(q);
	return r;
}

void
upstream_cancel(struct upstream_question *q)
{
	if (q->group != NULL)
		leave(q);
}
