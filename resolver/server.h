/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upstream servers and the groups that they are asked in.
 *
 * A server is shared by every group that names its endpoint, with what is known of its
 * health and its idle sockets, and lives as long as one of them or a question under way
 * holds it. A group is immutable and counted: a question keeps the group that it began
 * with across a reload.
 *
 * Health: SERVER_TIMEOUTS_BAD silences or SERVER_FAILURES_BAD failures in a row make a
 * server bad, a round-trip time SERVER_SLOW_MS above the best one's makes it slow. The
 * good ones are asked in the order of the configuration, then the slow ones, then the bad
 * ones; but one question in every penalty asks such a one first, and so finds out whether
 * it has changed.
 *
 * Letters: SERVER_FOLDED_MAX questions in a row that it sent back in other letter case
 * show that a server cannot keep it. For SERVER_AS_IS_MS it is asked in small letters
 * then, which leaves port and id to guess, and tried again.
 *
 * Guesses: SERVER_GUESSES_MAX replies with wrong ids within SERVER_GUESSES_MS, to ports
 * that questions wait at and not a reply come twice, show that somebody else speaks in a
 * server's name. Each question more would give him as many chances as the last, so for
 * SERVER_GUESSED_MS it is asked over TCP, where he has none. If it does not speak TCP, it
 * is not believed that long.
 */
#ifndef RESOLVER_SERVER_H
#define RESOLVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/macros.h"
#include "resolver/resolver.h"
#include "resolver/socket_pool.h"

#define SERVER_TIMEOUTS_BAD 2 /* one lost datagram says nothing */
#define SERVER_FAILURES_BAD 8 /* one name's trouble says little, many names' do */
#define SERVER_PENALTY_MIN_MS 1000
#define SERVER_PENALTY_MAX_MS 32000 /* doubled with every try in vain up to this */

#define SERVER_SLOW_MS 100
#define SERVER_FOLDED_MAX 3
#define SERVER_AS_IS_MS 600000
#define SERVER_GUESSES_MAX 8
#define SERVER_GUESSES_MS 60000
#define SERVER_GUESSED_MS 60000

struct server {
	unsigned refs;
	unsigned timeouts; /* in a row, at most SERVER_TIMEOUTS_BAD */
	unsigned failures; /* in a row, at most SERVER_FAILURES_BAD */
	int64_t penalty_ms;
	int64_t
	    retry_at_ms; /* when bad or slow: one question asks it first from then on */
	bool timed;      /* the two behind it are known, in eighths of milliseconds */
	int64_t rtt8, deviation8;
	unsigned folded; /* questions in a row, at most SERVER_FOLDED_MAX */
	int64_t as_is_until_ms;
	unsigned guesses; /* since guesses_since_ms, at most SERVER_GUESSES_MAX */
	int64_t guesses_since_ms, guessed_until_ms;
	struct socket_shelf sockets;
	struct server_list *list;
	TAILQ_ENTRY(server) link;
};

/* Every server in use, once. */
struct server_list {
	struct socket_pool *pool;
	TAILQ_HEAD(, server) servers;
	uint64_t folding; /* how often one was found unable to keep the case */
	uint64_t guessed; /* how often somebody was found to guess in one's name */
};

struct server_group {
	unsigned refs;
	size_t count;
	struct server *servers[RESOLVER_SERVERS_MAX];
};

/* The groups of a resolver, by their number. */
struct server_groups {
	size_t count;
	struct server_group *list[RESOLVER_GROUPS_MAX];
};

void server_list_init(struct server_list *list, struct socket_pool *pool);

/* How many there are, and how many of them are bad. */
void server_list_count(const struct server_list *list, size_t *ret_all, size_t *ret_bad);

const struct endpoint *server_endpoint(const struct server *s);

/* Is it to be asked before the bad ones? To be called once for each question: true for a
 * bad server is given once in a penalty. */
bool server_ask_first(struct server *s, int64_t now_ms);
/* How long to wait for its reply: as its replies are known to come, from max_ms / 2 to
 * max_ms. */
int64_t server_wait_ms(const struct server *s, int64_t max_ms);
/* May its letters be mixed now? */
bool server_keeps_case(const struct server *s, int64_t now_ms);
/* Does somebody guess in its name, so that UDP is not to be trusted? */
bool server_is_guessed(const struct server *s, int64_t now_ms);

/* What happened to a question: nothing came; a reply came, this long after the packet,
 * or -1 when that says nothing; it was an answer; it was none. */
void server_silent(struct server *s, int64_t now_ms);
void server_replied(struct server *s, int64_t rtt_ms);
void server_answered(struct server *s);
void server_failed(struct server *s, int64_t now_ms);
/* Its letters were not those of the question; they were, though some were capitals. */
void server_folded(struct server *s, int64_t now_ms);
void server_kept_case(struct server *s);
/* A reply in its name came to a waiting port, with an id that is not the question's. */
void server_wrong(struct server *s, int64_t now_ms);

/* -EINVAL: no server, too many, or an endpoint without address or port. -ENOMEM. */
MUST_CHECK int server_group_new(struct server_list *list,
    const struct resolver_group *settings, struct server_group **ret_group);
struct server_group *server_group_ref(struct server_group *g);
void server_group_unref(struct server_group *g);
/* Is every server of it bad? Then a question has little hope. */
bool server_group_is_bad(const struct server_group *g);
bool server_group_same(
    const struct server_group *g, const struct resolver_group *settings);
/* Its servers, the slow ones later and the bad ones last, otherwise in their order. */
void server_group_order(const struct server_group *g, int64_t now_ms,
    struct server *ret_order[RESOLVER_SERVERS_MAX]);

/* -EINVAL: none, too many, or one of them as above; -ENOMEM. */
MUST_CHECK int server_groups_make(struct server_list *list,
    const struct resolver_group *settings, size_t count,
    struct server_groups *ret_groups);
void server_groups_drop(struct server_groups *g);
bool server_groups_same(
    const struct server_groups *g, const struct resolver_group *settings, size_t count);

#endif
