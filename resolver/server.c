/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/server.h"

#include <errno.h>
#include <stdlib.h>

void
server_list_init(struct server_list *list, struct socket_pool *pool)
{
	list->pool = pool;
	TAILQ_INIT(&list->servers);
}

const struct endpoint *
server_endpoint(const struct server *s)
{
	return &s->sockets.server;
}

bool
server_ask_first(struct server *s, int64_t now_ms)
{
	if (s->timeouts < SERVER_TIMEOUTS_BAD)
		return true;
	if (now_ms < s->retry_at_ms)
		return false;
	s->penalty_ms = MIN_OF(2 * s->penalty_ms, SERVER_PENALTY_MAX_MS);
	s->retry_at_ms = now_ms + s->penalty_ms;
	return true;
}

void
server_silent(struct server *s, int64_t now_ms)
{
	if (s->timeouts >= SERVER_TIMEOUTS_BAD || ++s->timeouts < SERVER_TIMEOUTS_BAD)
		return;
	s->penalty_ms = SERVER_PENALTY_MIN_MS;
	s->retry_at_ms = now_ms + s->penalty_ms;
}

void
server_replied(struct server *s)
{
	s->timeouts = 0;
}

static void
server_unref(struct server *s)
{
	if (--s->refs > 0)
		return;
	socket_shelf_done(&s->sockets);
	TAILQ_REMOVE(&s->list->servers, s, link);
	free(s);
}

/* The one with that endpoint, or a new one, with a reference for the caller. */
static struct server *
server_get(struct server_list *list, const struct endpoint *endpoint)
{
	struct server *s;

	TAILQ_FOREACH(s, &list->servers, link)
	{
		if (endpoint_equal(server_endpoint(s), endpoint)) {
			s->refs++;
			return s;
		}
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->refs = 1;
	s->list = list;
	socket_shelf_init(&s->sockets, list->pool, endpoint);
	TAILQ_INSERT_TAIL(&list->servers, s, link);
	return s;
}

static bool
endpoint_valid(const struct endpoint *e)
{
	return e->port != 0 && (e->addr.family == AF_INET || e->addr.family == AF_INET6);
}

int
server_group_new(struct server_list *list, const struct resolver_group *settings,
    struct server_group **ret_group)
{
	struct server_group *g;

	if (settings->server_count == 0 || settings->server_count > RESOLVER_SERVERS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < settings->server_count; i++)
		if (!endpoint_valid(&settings->servers[i]))
			return -EINVAL;
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return -ENOMEM;
	g->refs = 1;
	for (; g->count < settings->server_count; g->count++) {
		g->servers[g->count] = server_get(list, &settings->servers[g->count]);
		if (g->servers[g->count] == NULL) {
			server_group_unref(g);
			return -ENOMEM;
		}
	}
	*ret_group = g;
	return 0;
}

struct server_group *
server_group_ref(struct server_group *g)
{
	g->refs++;
	return g;
}

void
server_group_unref(struct server_group *g)
{
	if (g == NULL || --g->refs > 0)
		return;
	for (size_t i = 0; i < g->count; i++)
		server_unref(g->servers[i]);
	free(g);
}

bool
server_group_same(const struct server_group *g, const struct resolver_group *settings)
{
	if (g->count != settings->server_count)
		return false;
	for (size_t i = 0; i < g->count; i++)
		if (!endpoint_equal(
			server_endpoint(g->servers[i]), &settings->servers[i]))
			return false;
	return true;
}

void
server_group_order(const struct server_group *g, int64_t now_ms,
    struct server *ret_order[RESOLVER_SERVERS_MAX])
{
	struct server *later[RESOLVER_SERVERS_MAX];
	size_t first = 0, rest = 0;

	for (size_t i = 0; i < g->count; i++) {
		if (server_ask_first(g->servers[i], now_ms))
			ret_order[first++] = g->servers[i];
		else
			later[rest++] = g->servers[i];
	}
	for (size_t i = 0; i < rest; i++)
		ret_order[first++] = later[i];
}

int
server_groups_make(struct server_list *list, const struct resolver_group *settings,
    size_t count, struct server_groups *ret_groups)
{
	struct server_groups g = {.count = 0};
	int r;

	if (count == 0 || count > RESOLVER_GROUPS_MAX)
		return -EINVAL;
	for (; g.count < count; g.count++) {
		r = server_group_new(list, &settings[g.count], &g.list[g.count]);
		if (r < 0) {
			server_groups_drop(&g);
			return r;
		}
	}
	*ret_groups = g;
	return 0;
}

void
server_groups_drop(struct server_groups *g)
{
	for (size_t i = 0; i < g->count; i++)
		server_group_unref(g->list[i]);
	g->count = 0;
}

bool
server_groups_same(
    const struct server_groups *g, const struct resolver_group *settings, size_t count)
{
	if (count != g->count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!server_group_same(g->list[i], &settings[i]))
			return false;
	return true;
}
