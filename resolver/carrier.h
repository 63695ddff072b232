/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A c-ares channel, as carrier of one packet at a time to one server over UDP or TCP; it
 * carries and does not judge.
 *
 * A UDP carrier receives nothing by itself: whoever owns it reads carrier->socket when
 * readable is called, and tells with carrier_replied that the reply was there. A TCP
 * carrier calls ended. Time limits are the owner's: c-ares's own never end anything.
 *
 * The owner calls carrier_done. One carrier weighs 74 KB, nearly all of it c-ares's.
 */
#ifndef RESOLVER_CARRIER_H
#define RESOLVER_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event_struct.h>

#include "base/addr.h"
#include "base/macros.h"
#include "resolver/socket_pool.h"

struct ares_channeldata;
struct event_base;
struct packet;

enum carrier_transport {
	CARRIER_UDP,
	CARRIER_TCP,
};

struct carrier_settings {
	enum carrier_transport transport;
	struct event_base *base;
	int64_t (*now_ms)(void);
	void (*readable)(struct pool_socket *s, void *arg); /* UDP */
	/*
	 * TCP: 0 and the message, borrowed for the call; -EPROTO: what came was to no
	 * packet of ours; or the negative errno that ended the connection. The carrier is
	 * ready for the next packet.
	 */
	void (*ended)(void *arg, int result, const uint8_t *msg, size_t len);
	void *arg;
};

struct carrier {
	struct carrier_settings settings;
	struct ares_channeldata *ares;
	struct endpoint told;       /* the server that c-ares knows */
	struct socket_shelf *shelf; /* of the packet under way */
	struct pool_socket *socket; /* UDP, while under way */
	int tcp_fd;
	struct event tcp_event;
	size_t received, frame_len; /* over TCP, of the reply and as it says */
	const uint8_t *ready;       /* what c-ares is to receive */
	size_t ready_len;
	bool replied; /* the reply has come: the socket may serve again */
	bool ended;   /* c-ares is through with the packet */
	int error;    /* why: a negative errno, 0 for none */
	uint8_t *msg; /* the message over TCP */
	size_t msg_len;
};

/* -ENOMEM. */
MUST_CHECK int carrier_init(struct carrier *c, const struct carrier_settings *settings);
/* Nothing is under way. */
void carrier_done(struct carrier *c);

/* -ENOMEM, or why it could not be sent. shelf is held by the caller while it is under
 * way; packet is borrowed for the call. */
MUST_CHECK int carrier_send(
    struct carrier *c, struct socket_shelf *shelf, const struct packet *packet);
/* msg, the start of the reply to packet, has been received over UDP: nothing is under way
 * any more, and the socket may serve the next packet. */
void carrier_replied(struct carrier *c, const uint8_t *msg, const struct packet *packet);
/* Give up what is under way; its socket is closed. */
void carrier_stop(struct carrier *c);

#endif
