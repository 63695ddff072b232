/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/gather.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/lease/backend.h"
#include "daemon/query/listed.h"
#include "policy/registry/registry.h"
#include "resolver/local.h"
#include "resolver/wire.h"

/* One name. */
struct part {
	struct gather *gather;
	struct resolver_waiter waiter;
	struct answer *answer;
	int result; /* without an answer; 0: it is being asked */
};

struct gather {
	struct gather_waiter *waiter;
	struct resolver *resolver;
	int64_t (*now_ms)(void);
	struct name name; /* that the client asked */
	uint16_t type;
	bool listed; /* some endpoint is an address, of whatever family */
	size_t waiting;
	size_t len;
	struct addr
	    list[ANSWER_ADDRESSES_MAX]; /* what is written first, then the answers' */
	size_t part_count;
	struct part parts[];
};

static void
gather_free(struct gather *g)
{
	for (size_t i = 0; i < g->part_count; i++) {
		resolver_cancel(g->resolver, &g->parts[i].waiter);
		answer_unref(g->parts[i].answer);
	}
	free(g);
}

/* from: of gather_waiter. What is there has come from the first that gave it. */
static void
add_address(struct gather *g, const struct addr *a, uint8_t from)
{
	for (size_t i = 0; i < g->len; i++)
		if (addr_equal(&g->list[i], a))
			return;
	if (g->len < ARRAY_LEN(g->list)) {
		g->waiter->from[g->len] = from;
		g->list[g->len++] = *a;
	}
}

static void
add_listed(struct gather *g, const struct registry_host *host)
{
	uint8_t family = g->type == TYPE_AAAA ? AF_INET6 : AF_INET;
	struct addr list[2 * ANSWER_ADDRESSES_MAX];
	size_t len = registry_static(host, list, ARRAY_LEN(list));

	g->listed = len > 0;
	for (size_t i = 0; i < len; i++)
		if (list[i].family == family)
			add_address(g, &list[i], 0);
}

/* How long what this name said may be handed out. */
static uint32_t
part_ttl(const struct part *p, int64_t now_ms)
{
	uint32_t ttl_s;

	if (p->answer == NULL)
		return GATHER_RETRY_S;
	if (p->waiter.old)
		return RESOLVER_OLD_TTL_S;
	ttl_s = answer_ttl(p->answer, now_ms);
	/* that there is no address is often said without a TTL */
	return p->answer->address_count > 0 ? ttl_s : MAX_OF(ttl_s, GATHER_RETRY_S);
}

/* All names have been heard. */
static int
unite(struct gather *g, int64_t now_ms, struct answer **ret_answer)
{
	uint32_t ttl_s = g->listed ? LISTED_TTL_S : UINT32_MAX;
	bool good = g->listed;

	g->waiter->old = false;
	for (size_t i = 0; i < g->part_count; i++) {
		const struct part *p = &g->parts[i];

		ttl_s = MIN_OF(ttl_s, part_ttl(p, now_ms));
		good = good || p->answer != NULL;
		g->waiter->old = g->waiter->old || p->waiter.old;
		for (size_t k = 0; p->answer != NULL && k < p->answer->address_count; k++)
			add_address(g, &p->answer->addresses[k].addr, (uint8_t)(i + 1));
	}
	if (!good)
		return g->parts[0].result;
	return local_answer(
	    &g->name, g->type, g->list, g->len, ttl_s, now_ms, ret_answer);
}

static void
on_resolved(struct resolver_waiter *waiter, int result, struct answer *answer)
{
	struct part *p = CONTAINER_OF(waiter, struct part, waiter);
	struct gather *g = p->gather;
	struct gather_waiter *w = g->waiter;
	struct answer *united = NULL;

	p->result = result;
	if (answer != NULL)
		p->answer = answer_ref(answer);
	if (--g->waiting > 0)
		return;
	result = unite(g, g->now_ms(), &united);
	w->gather = NULL;
	gather_free(g);
	w->done(w, result, united);
	answer_unref(united);
}

static struct gather *
gather_new(const struct gather_question *q, struct gather_waiter *waiter)
{
	size_t count = q->host->target_count;
	struct gather *g = calloc(1, sizeof(*g) + count * sizeof(g->parts[0]));

	if (g == NULL)
		return NULL;
	g->waiter = waiter;
	g->resolver = q->resolver;
	g->now_ms = q->now_ms;
	g->name = q->question->name;
	g->type = q->question->type;
	g->part_count = count;
	for (size_t i = 0; i < count; i++) {
		g->parts[i].gather = g;
		g->parts[i].waiter.done = on_resolved;
	}
	add_listed(g, q->host);
	return g;
}

/* 0, also when it is being asked; -EINPROGRESS: it would have to be. */
static int
start_part(struct gather *g, struct part *p, const struct registry_target *target,
    bool known_only, int64_t now_ms)
{
	size_t group = backend_group(target);
	struct answer *known;
	struct name name;
	int r;

	name_from_wire(target->name, target->len, &name);
	known = resolver_find(g->resolver, group, &name, g->type, now_ms, NULL);
	if (known == NULL) {
		known = resolver_find_old(g->resolver, group, &name, g->type, now_ms);
		p->waiter.old = known != NULL;
	}
	if (known != NULL) {
		p->answer = answer_ref(known);
		return 0;
	}
	if (known_only)
		return -EINPROGRESS;
	r = resolver_ask(g->resolver, group, &name, g->type, &p->waiter, now_ms);
	if (r == 0)
		g->waiting++;
	return r;
}

int
gather_start(const struct gather_question *q, struct gather_waiter *waiter,
    int64_t now_ms, struct answer **ret_answer)
{
	struct gather *g = gather_new(q, waiter);
	int r = 0;

	if (g == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < g->part_count && r == 0; i++)
		r = start_part(
		    g, &g->parts[i], &q->host->targets[i], q->known_only, now_ms);
	if (r == 0 && g->waiting > 0) {
		waiter->gather = g;
		return -EINPROGRESS;
	}
	if (r == 0)
		r = unite(g, now_ms, ret_answer);
	gather_free(g);
	return r;
}

void
gather_cancel(struct gather_waiter *waiter)
{
	if (waiter->gather == NULL)
		return;
	gather_free(waiter->gather);
	waiter->gather = NULL;
}
