/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <ares.h>
#include <event2/event.h>

struct channel {
	struct channel_pool *pool;
	struct carrier carrier;
	struct channel_use *use; /* NULL: idle */
	struct server *server;   /* that it is asked of */
	int64_t idle_since_ms;
	TAILQ_ENTRY(channel) link;
};

TAILQ_HEAD(channel_list, channel);

struct channel_pool {
	struct event_base *base;
	int64_t (*now_ms)(void);
	struct socket_pool sockets;
	struct event sweep;
	struct channel_list idle[2]; /* a transport each; the last used first */
	size_t idle_count;
	size_t used_count;
	uint64_t mismatches;
	uint8_t datagram[PACKET_UDP_SIZE];
};

static const struct timeval sweep_interval = {.tv_sec = 10};

static struct channel_list *
idle_list(struct channel *ch)
{
	return &ch->pool->idle[ch->carrier.settings.transport];
}

static void
release(struct channel *ch)
{
	struct channel_pool *p = ch->pool;

	ch->use->channel = NULL;
	ch->use = NULL;
	ch->idle_since_ms = p->now_ms();
	TAILQ_INSERT_HEAD(idle_list(ch), ch, link);
	p->used_count--;
	if (p->idle_count++ == 0 && !evtimer_pending(&p->sweep, NULL))
		(void)evtimer_add(&p->sweep, &sweep_interval); /* else at the next one */
}

/* The channel is free for the next question before the caller hears of the last. */
static void
finish(struct channel *ch, int result, const uint8_t *msg, size_t len)
{
	struct channel_use *use = ch->use;

	release(ch);
	use->done(use, result, msg, len);
}

/* Whoever bears the id knows it, and guesses nothing; nor does who sends the reply to the
 * question before a second time. */
static bool
is_guess(const struct channel *ch, size_t len)
{
	const struct pool_socket *s = ch->carrier.socket;
	const uint8_t *id = ch->pool->datagram;

	if (len < sizeof(s->last_id))
		return true;
	return memcmp(id, ch->use->packet->bytes, sizeof(s->last_id)) != 0 &&
	       (s->questions == 1 || memcmp(id, s->last_id, sizeof(s->last_id)) != 0);
}

static void
mismatch(struct channel *ch, enum packet_verdict verdict, size_t len)
{
	struct channel_use *use = ch->use;
	int64_t now_ms = ch->pool->now_ms();

	ch->pool->mismatches++;
	if (is_guess(ch, len))
		server_wrong(ch->server, now_ms);
	if (--use->wrong_left == 0 || server_is_guessed(ch->server, now_ms)) {
		carrier_stop(&ch->carrier);
		finish(ch, -EPROTO, NULL, 0);
	} else if (verdict == PACKET_FOLDED) {
		use->doubt(use, -EPROTO);
	}
}

static void
on_datagram(struct channel *ch, size_t full_len)
{
	const uint8_t *msg = ch->pool->datagram;
	const struct packet *packet = ch->use->packet;
	size_t len = MIN_OF(full_len, sizeof(ch->pool->datagram));
	enum packet_verdict verdict = packet_judge(packet, msg, len, full_len);

	switch (verdict) {
	case PACKET_RIGHT:
		carrier_replied(&ch->carrier, msg, packet);
		finish(ch, 0, msg, len);
		break;
	case PACKET_TRUNCATED:
		carrier_replied(&ch->carrier, msg, packet);
		finish(ch, -EMSGSIZE, NULL, 0);
		break;
	case PACKET_FOLDED:
	case PACKET_WRONG:
		mismatch(ch, verdict, len);
		break;
	}
}

/* One datagram a turn: a flood of them must not hold the loop. */
static void
on_readable(struct pool_socket *s, void *arg)
{
	struct channel *ch = arg;
	ssize_t n;

	n = recv(s->fd, ch->pool->datagram, sizeof(ch->pool->datagram), MSG_TRUNC);
	if (n >= 0)
		on_datagram(ch, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		ch->use->doubt(ch->use, -errno);
}

/* Over TCP nobody but the server speaks, so one that folds the case is believed. */
static void
on_ended(void *arg, int result, const uint8_t *msg, size_t len)
{
	struct channel *ch = arg;
	enum packet_verdict verdict;

	if (result < 0) {
		finish(ch, result, NULL, 0);
		return;
	}
	verdict = packet_judge(ch->use->packet, msg, len, len);
	if (verdict == PACKET_RIGHT || verdict == PACKET_FOLDED) {
		finish(ch, 0, msg, len);
		return;
	}
	ch->pool->mismatches++;
	finish(ch, -EPROTO, NULL, 0);
}

static int
channel_new(struct channel_pool *p, enum carrier_transport transport,
    struct channel **ret_channel)
{
	struct channel *ch = calloc(1, sizeof(*ch));
	struct carrier_settings settings = {
	    .transport = transport,
	    .base = p->base,
	    .now_ms = p->now_ms,
	    .readable = on_readable,
	    .ended = on_ended,
	    .arg = ch,
	};
	int r;

	if (ch == NULL)
		return -ENOMEM;
	ch->pool = p;
	r = carrier_init(&ch->carrier, &settings);
	if (r < 0) {
		free(ch);
		return r;
	}
	*ret_channel = ch;
	return 0;
}

static void
unlink_idle(struct channel *ch)
{
	TAILQ_REMOVE(idle_list(ch), ch, link);
	ch->pool->idle_count--;
}

static void
free_idle(struct channel *ch)
{
	unlink_idle(ch);
	carrier_done(&ch->carrier);
	free(ch);
}

void
channel_pool_sweep(struct channel_pool *p, int64_t now_ms)
{
	struct channel *ch;

	for (size_t i = 0; i < ARRAY_LEN(p->idle); i++)
		while ((ch = TAILQ_LAST(&p->idle[i], channel_list)) != NULL &&
		       now_ms - ch->idle_since_ms >= CHANNEL_IDLE_MAX_MS)
			free_idle(ch);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct channel_pool *p = arg;

	(void)fd;
	(void)what;
	channel_pool_sweep(p, p->now_ms());
	if (p->idle_count > 0)
		(void)evtimer_add(&p->sweep, &sweep_interval); /* else at the next one */
}

/* At the limit a new one takes the place of an idle one of the other transport. */
static int
make_room(struct channel_pool *p)
{
	struct channel *ch;

	if (p->used_count + p->idle_count < RESOLVER_PENDING_MAX)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(p->idle); i++) {
		ch = TAILQ_LAST(&p->idle[i], channel_list);
		if (ch != NULL) {
			free_idle(ch);
			return 0;
		}
	}
	return -EBUSY;
}

static int
channel_get(struct channel_pool *p, enum carrier_transport transport,
    struct channel **ret_channel)
{
	struct channel *ch = TAILQ_FIRST(&p->idle[transport]);
	int r;

	if (ch != NULL) {
		unlink_idle(ch);
		*ret_channel = ch;
		return 0;
	}
	r = make_room(p);
	return r < 0 ? r : channel_new(p, transport, ret_channel);
}

int
channel_ask(struct channel_pool *p, struct server *server,
    enum carrier_transport transport, struct channel_use *use)
{
	struct channel *ch;
	int r;

	assert(use->channel == NULL && use->wrong_left > 0);
	r = channel_get(p, transport, &ch);
	if (r < 0)
		return r;
	ch->use = use;
	ch->server = server;
	use->channel = ch;
	p->used_count++;
	r = carrier_send(&ch->carrier, &server->sockets, use->packet);
	if (r < 0)
		release(ch);
	return r;
}

void
channel_cancel(struct channel_use *use)
{
	if (use->channel == NULL)
		return;
	carrier_stop(&use->channel->carrier);
	release(use->channel);
}

int
channel_pool_new(
    struct event_base *base, int64_t (*now_ms)(void), struct channel_pool **ret_pool)
{
	struct channel_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(p);
		return -ENOMEM;
	}
	p->base = base;
	p->now_ms = now_ms;
	socket_pool_init(&p->sockets, base, now_ms);
	for (size_t i = 0; i < ARRAY_LEN(p->idle); i++)
		TAILQ_INIT(&p->idle[i]);
	(void)evtimer_assign(
	    &p->sweep, base, on_sweep, p); /* fails only without a base */
	*ret_pool = p;
	return 0;
}

void
channel_pool_free(struct channel_pool *p)
{
	struct channel *ch;

	if (p == NULL)
		return;
	assert(p->used_count == 0);
	for (size_t i = 0; i < ARRAY_LEN(p->idle); i++)
		while ((ch = TAILQ_FIRST(&p->idle[i])) != NULL)
			free_idle(ch);
	(void)evtimer_del(&p->sweep); /* it is assigned */
	socket_pool_done(&p->sockets);
	ares_library_cleanup();
	free(p);
}

struct socket_pool *
channel_pool_sockets(struct channel_pool *p)
{
	return &p->sockets;
}

struct channel_counts
channel_pool_counts(const struct channel_pool *p)
{
	return (struct channel_counts){
	    .mismatches = p->mismatches,
	    .used = p->used_count,
	    .idle = p->idle_count,
	};
}
