/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet to one server and the reply to it. Every message is judged (packet_judge),
 * and what is not the reply to the very packet is counted and ignored while the wait goes
 * on.
 *
 * The pool keeps channels, each with one question under way at most, because c-ares sends
 * all questions of a channel from one port. At most RESOLVER_PENDING_MAX exist; one that
 * nobody used for CHANNEL_IDLE_MAX_MS is freed. Time limits are the caller's.
 *
 * Callbacks come from the event loop, never from within channel_ask or channel_cancel,
 * and may ask and cancel in turn.
 */
#ifndef RESOLVER_CHANNEL_H
#define RESOLVER_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "resolver/carrier.h"
#include "resolver/packet.h"
#include "resolver/server.h"

#define CHANNEL_IDLE_MAX_MS 30000
/* Wrong replies after which a question has to go over TCP: whoever sends them knows the
 * port already. PowerDNS's spoof-nearmiss-max is 1, but a server may double a reply. */
#define CHANNEL_WRONG_MAX 3

struct event_base;
struct channel;
struct channel_pool;

/* One question. The caller owns it and keeps it in place while it is under way. */
struct channel_use {
	/*
	 * It has ended: 0 and the reply, borrowed for the call; -EMSGSIZE: it came cut
	 * (UDP); -EPROTO: wrong_left is used up, or one was wrong while somebody guesses
	 * in the server's name (UDP), or it was none (TCP); -ENOMEM; another negative
	 * errno: the connection failed (TCP).
	 */
	void (*done)(struct channel_use *use, int result, const uint8_t *msg, size_t len);
	/*
	 * UDP: a sign, which anyone could forge, that no right reply will come, and still
	 * the wait goes on: -EPROTO for one in other letter case, else what the kernel
	 * made of an ICMP message.
	 */
	void (*doubt)(struct channel_use *use, int sign);
	const struct packet *packet; /* borrowed while under way */
	unsigned wrong_left;         /* wrong replies that are still borne: at least 1 */
	struct channel *channel;     /* the pool's; NULL: not under way */
};

/* -ENOMEM. */
MUST_CHECK int channel_pool_new(
    struct event_base *base, int64_t (*now_ms)(void), struct channel_pool **ret_pool);
/* Every use has ended or was cancelled, and every server group is gone. */
void channel_pool_free(struct channel_pool *p);

/* Where the servers' idle sockets are counted. */
struct socket_pool *channel_pool_sockets(struct channel_pool *p);

/*
 * Send use->packet. server is held by the caller while it is under way. -EBUSY: as many
 * channels as there may be are in use; -ENOMEM; otherwise why the packet could not be
 * sent.
 */
MUST_CHECK int channel_ask(struct channel_pool *p, struct server *server,
    enum carrier_transport transport, struct channel_use *use);
/* After it neither callback comes. Harmless when not under way. */
void channel_cancel(struct channel_use *use);

/* Frees the channels that have been idle for too long; the pool does so every 10 s. */
void channel_pool_sweep(struct channel_pool *p, int64_t now_ms);

struct channel_counts {
	uint64_t mismatches; /* messages that were not the reply to the packet */
	size_t used;
	size_t idle;
};
struct channel_counts channel_pool_counts(const struct channel_pool *p);

#endif
