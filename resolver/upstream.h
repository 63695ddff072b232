/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to the servers of a group, until one of them gives an answer or the
 * deadline is there.
 *
 * The servers are asked in turn, over UDP, each for try_ms. Silence, a failure rcode or a
 * contradictory answer leads to the next one; after the last the silent ones are asked
 * again while there is time. A reply that came cut, or CHANNEL_WRONG_MAX wrong replies,
 * make the rest of the question go over TCP, beginning with the same server. Every try
 * has a new id, letter case and port.
 *
 * A server that finds the question malformed or beyond it is asked once more without
 * EDNS, one that sends it back in other letter case once more in small letters.
 *
 * A sign that no reply will come, which anyone could forge (an ICMP error, a reply in
 * other letter case), does not end a try: it shortens it to UPSTREAM_PAUSE_MS, in which
 * the true reply is still welcome.
 */
#ifndef RESOLVER_UPSTREAM_H
#define RESOLVER_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event_struct.h>

#include "base/macros.h"
#include "base/name.h"
#include "resolver/answer.h"
#include "resolver/channel.h"
#include "resolver/entropy.h"
#include "resolver/server.h"

#define UPSTREAM_PAUSE_MS 100
#define UPSTREAM_TRIES_MAX                                                               \
	8 /* of one question to one server: ICMP errors must not make us hammer it */
/* Less is no time for a reply, but may be how early a timer fires. */
#define UPSTREAM_TRY_MIN_MS 5

struct upstream_settings {
	struct event_base *base;
	int64_t (*now_ms)(void);
	int64_t deadline_ms; /* for the question */
	int64_t try_ms;      /* for one server, at most */
};

struct upstream_counts {
	uint64_t questions, tries, truncated, timeouts;
	uint64_t tcp;     /* of the tries */
	uint64_t bare;    /* tries without EDNS */
	uint64_t refused; /* replies without an answer: a failure rcode or nonsense */
};

struct upstream {
	struct upstream_settings settings;
	struct channel_pool *channels;
	struct entropy *entropy;
	struct upstream_counts counts;
};

/* One question. The caller owns it and keeps it in place while it is under way; all but
 * the first three is upstream's. */
struct upstream_question {
	/*
	 * Called once, from the event loop, as the last thing: 0 and an answer, whose
	 * reference is the callee's; -EREMOTEIO: servers replied, none usefully;
	 * -ETIMEDOUT; -ENETUNREACH: none could be sent to; -ENOMEM: memory or another
	 * resource ran out.
	 */
	void (*done)(struct upstream_question *q, int result, struct answer *a);
	const struct name *name; /* borrowed while under way */
	uint16_t type;

	struct upstream *upstream;
	struct server_group *group; /* held; NULL: not under way */
	struct server *order[RESOLVER_SERVERS_MAX];
	uint8_t tries[RESOLVER_SERVERS_MAX];
	bool refuted[RESOLVER_SERVERS_MAX]; /* not to be asked again */
	bool bare[RESOLVER_SERVERS_MAX];    /* to be asked without EDNS */
	size_t at;                          /* in order: who is being asked */
	int64_t sent_ms;
	int64_t deadline_at_ms;
	int result; /* if the question ended now */
	bool tcp;
	bool as_is;  /* in small letters */
	bool folded; /* in this try a reply in other letter case came */
	struct channel_use use;
	struct packet packet;
	struct event timer;
};

/* channels and entropy are borrowed for the upstream's life. */
void upstream_init(struct upstream *u, const struct upstream_settings *settings,
    struct channel_pool *channels, struct entropy *entropy);

/* done, name and type are set. 0: done will be called; otherwise the result that done
 * would have had, and it is not. */
MUST_CHECK int upstream_ask(struct upstream *u, struct server_group *group,
    struct upstream_question *q, int64_t now_ms);
/* After it done is never called. Harmless when not under way. */
void upstream_cancel(struct upstream_question *q);

#endif
