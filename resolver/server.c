/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/server.h"

#include <errno.h>
#include <stdlib.h>

void
server_list_init(struct server_list *list, struct socket_pool *pool)
{
	list->pool = pool;
	TAILQ_INIT(&list->servers);
	list->folding = 0;
	list->guessed = 0;
}

const struct endpoint *
server_endpoint(const struct server *s)
{
	return &s->sockets.server;
}

static bool
is_bad(const struct server *s)
{
	return s->timeouts >= SERVER_TIMEOUTS_BAD || s->failures >= SERVER_FAILURES_BAD;
}

void
server_list_count(const struct server_list *list, size_t *ret_all, size_t *ret_bad)
{
	const struct server *s;
	size_t all = 0, bad = 0;

	TAILQ_FOREACH(s, &list->servers, link)
	{
		all++;
		bad += is_bad(s);
	}
	*ret_all = all;
	*ret_bad = bad;
}

bool
server_ask_first(struct server *s, int64_t now_ms)
{
	if (!is_bad(s))
		return true;
	if (now_ms < s->retry_at_ms)
		return false;
	s->penalty_ms = MIN_OF(2 * s->penalty_ms, SERVER_PENALTY_MAX_MS);
	s->retry_at_ms = now_ms + s->penalty_ms;
	return true;
}

/* RFC 6298 section 2: the mean and four times the deviation. */
int64_t
server_wait_ms(const struct server *s, int64_t max_ms)
{
	int64_t ms = (s->rtt8 + 4 * s->deviation8) / 8 + 1;

	if (!s->timed || s->timeouts > 0)
		return max_ms;
	return MAX_OF(MIN_OF(ms, max_ms), max_ms / 2);
}

bool
server_keeps_case(const struct server *s, int64_t now_ms)
{
	return now_ms >= s->as_is_until_ms;
}

bool
server_is_guessed(const struct server *s, int64_t now_ms)
{
	return now_ms < s->guessed_until_ms;
}

static void
count_trouble(struct server *s, unsigned *count, unsigned limit, int64_t now_ms)
{
	bool was_bad = is_bad(s);

	if (*count < limit)
		(*count)++;
	if (was_bad || !is_bad(s))
		return;
	s->penalty_ms = SERVER_PENALTY_MIN_MS;
	s->retry_at_ms = now_ms + s->penalty_ms;
}

void
server_silent(struct server *s, int64_t now_ms)
{
	count_trouble(s, &s->timeouts, SERVER_TIMEOUTS_BAD, now_ms);
}

void
server_replied(struct server *s, int64_t rtt_ms)
{
	int64_t error8 = rtt_ms * 8 - s->rtt8;

	s->timeouts = 0;
	if (rtt_ms < 0)
		return;
	if (s->timed) {
		s->deviation8 += ((error8 < 0 ? -error8 : error8) - s->deviation8) / 4;
		s->rtt8 += error8 / 8;
	} else {
		s->rtt8 = rtt_ms * 8;
		s->deviation8 = rtt_ms * 4;
		s->timed = true;
	}
}

void
server_answered(struct server *s)
{
	s->failures = 0;
}

void
server_failed(struct server *s, int64_t now_ms)
{
	count_trouble(s, &s->failures, SERVER_FAILURES_BAD, now_ms);
}

/* After a time as_is one more question is enough to know that it is as before. */
void
server_folded(struct server *s, int64_t now_ms)
{
	if (s->folded < SERVER_FOLDED_MAX)
		s->folded++;
	if (s->folded < SERVER_FOLDED_MAX || !server_keeps_case(s, now_ms))
		return;
	s->as_is_until_ms = now_ms + SERVER_AS_IS_MS;
	s->list->folding++;
}

void
server_kept_case(struct server *s)
{
	s->folded = 0;
}

void
server_wrong(struct server *s, int64_t now_ms)
{
	if (server_is_guessed(s, now_ms))
		return; /* to questions that were under way before that was known */
	if (s->guesses == 0 || now_ms - s->guesses_since_ms >= SERVER_GUESSES_MS) {
		s->guesses = 0;
		s->guesses_since_ms = now_ms;
	}
	if (++s->guesses < SERVER_GUESSES_MAX)
		return;
	s->guesses = 0;
	s->guessed_until_ms = now_ms + SERVER_GUESSED_MS;
	s->list->guessed++;
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
server_group_is_bad(const struct server_group *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (!is_bad(g->servers[i]))
			return false;
	return true;
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

/* The least mean round-trip time of the good ones. */
static int64_t
best_rtt8(const struct server_group *g)
{
	int64_t best = INT64_MAX;

	for (size_t i = 0; i < g->count; i++)
		if (g->servers[i]->timed && !is_bad(g->servers[i]))
			best = MIN_OF(best, g->servers[i]->rtt8);
	return best;
}

static bool
is_slow(struct server *s, int64_t best8, int64_t now_ms)
{
	if (is_bad(s) || !s->timed || s->rtt8 - best8 <= SERVER_SLOW_MS * 8)
		return false;
	if (now_ms < s->retry_at_ms)
		return true;
	s->retry_at_ms = now_ms + SERVER_PENALTY_MAX_MS;
	return false;
}

void
server_group_order(const struct server_group *g, int64_t now_ms,
    struct server *ret_order[RESOLVER_SERVERS_MAX])
{
	enum { GOOD, SLOW, BAD, RANKS };
	uint8_t ranks[RESOLVER_SERVERS_MAX];
	int64_t best8 = best_rtt8(g);
	size_t len = 0;

	for (size_t i = 0; i < g->count; i++) {
		struct server *s = g->servers[i];

		if (!server_ask_first(s, now_ms))
			ranks[i] = BAD;
		else
			ranks[i] = is_slow(s, best8, now_ms) ? SLOW : GOOD;
	}
	for (uint8_t rank = GOOD; rank < RANKS; rank++)
		for (size_t i = 0; i < g->count; i++)
			if (ranks[i] == rank)
				ret_order[len++] = g->servers[i];
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
