/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upstream servers and the groups that they are asked in.
 *
 * A server is shared by every group that names its endpoint, with what is known of its
 * health and its idle sockets, and lives as long as one of them or a question under way
 * holds it. A group is immutable and counted: a question keeps the group that it began
 * with across a reload.
 *
 * Health: SERVER_TIMEOUTS_BAD silences in a row make a server bad. A bad one is asked
 * after the others, but for one question in every penalty, which asks it first and so
 * finds out whether it is back. Any reply makes it good.
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
#define SERVER_PENALTY_MIN_MS 1000
#define SERVER_PENALTY_MAX_MS 32000 /* doubled with every try in vain up to this */

struct server {
	unsigned refs;
	unsigned timeouts; /* in a row, at most SERVER_TIMEOUTS_BAD */
	int64_t penalty_ms;
	int64_t retry_at_ms; /* when bad: one question may ask it first from then on */
	struct socket_shelf sockets;
	struct server_list *list;
	TAILQ_ENTRY(server) link;
};

/* Every server in use, once. */
struct server_list {
	struct socket_pool *pool;
	TAILQ_HEAD(, server) servers;
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

const struct endpoint *server_endpoint(const struct server *s);
/* Is it to be asked in its turn? false: after the others. To be called once for each
 * question: true for a bad server is given once in a penalty. */
bool server_ask_first(struct server *s, int64_t now_ms);
void server_silent(struct server *s, int64_t now_ms);
void server_replied(struct server *s);

/* -EINVAL: no server, too many, or an endpoint without address or port. -ENOMEM. */
MUST_CHECK int server_group_new(struct server_list *list,
    const struct resolver_group *settings, struct server_group **ret_group);
struct server_group *server_group_ref(struct server_group *g);
void server_group_unref(struct server_group *g);
bool server_group_same(
    const struct server_group *g, const struct resolver_group *settings);
/* Its servers, the bad ones last, otherwise in their order. */
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
