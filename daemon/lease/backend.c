/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/table.h"
#include "resolver/answer.h"
#include "resolver/wire.h"

#define FAMILIES 2

struct backend;

/* What a name has of one family. */
struct half {
	struct resolver_waiter waiter;
	struct backend *backend;
	uint16_t type;
	bool asking, heard, failed;
	int64_t due_ms;
	size_t len;
	struct addr list[WAY_ADDRESSES_MAX]; /* sorted */
};

struct backend {
	struct table_link link;
	TAILQ_ENTRY(backend) next;
	struct backends *all;
	struct name name;
	size_t group;
	uint64_t use;     /* the last that named it */
	uint64_t changes; /* of what it leads to */
	struct half halves[FAMILIES];
};

struct backends {
	struct backends_settings settings;
	struct table table;
	TAILQ_HEAD(, backend) list;
	uint64_t use;
	uint64_t changes; /* of all that there were */
	size_t asking;
};

/* Of the table: at least one name costs FAMILIES * WAY_ADDRESSES_MAX ways. */
#define NAMES_MAX (WAYS_MAX / (FAMILIES * WAY_ADDRESSES_MAX))

int
backends_new(const struct backends_settings *settings, struct backends **ret_backends)
{
	struct backends *b = calloc(1, sizeof(*b));

	if (b == NULL || table_init(&b->table, NAMES_MAX) < 0) {
		free(b);
		return -ENOMEM;
	}
	b->settings = *settings;
	TAILQ_INIT(&b->list);
	*ret_backends = b;
	return 0;
}

static void
drop(struct backend *n)
{
	struct backends *b = n->all;

	for (size_t i = 0; i < FAMILIES; i++) {
		resolver_cancel(b->settings.resolver, &n->halves[i].waiter);
		b->asking -= n->halves[i].asking;
	}
	TAILQ_REMOVE(&b->list, n, next);
	table_remove(&b->table, &n->link);
	free(n);
}

void
backends_free(struct backends *b)
{
	struct backend *n;

	if (b == NULL)
		return;
	while ((n = TAILQ_FIRST(&b->list)) != NULL)
		drop(n);
	table_done(&b->table);
	free(b);
}

size_t
backend_group(const struct registry_target *target)
{
	return target->zone == REGISTRY_NO_ZONE ? 0 : (size_t)target->zone + 1;
}

struct key {
	struct name name;
	size_t group;
};

static bool
matches(const struct table_link *link, const void *key)
{
	const struct backend *n = CONTAINER_OF(link, struct backend, link);
	const struct key *k = key;

	return n->group == k->group && name_equal(&n->name, &k->name);
}

static struct key
key_of(const struct registry_target *target)
{
	struct key k = {.group = backend_group(target)};

	name_from_wire(target->name, target->len, &k.name);
	return k;
}

static struct backend *
find(const struct backends *b, const struct registry_target *target)
{
	const struct key k = key_of(target);
	struct table_link *link;

	link =
	    table_find(&b->table, name_hash(&b->settings.hash_key, &k.name), matches, &k);
	return link != NULL ? CONTAINER_OF(link, struct backend, link) : NULL;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

/* Did anything change? */
static bool
take_addresses(struct half *h, const struct answer *answer)
{
	struct addr list[ANSWER_ADDRESSES_MAX];
	size_t len = answer->address_count;
	bool same;

	for (size_t i = 0; i < len; i++)
		list[i] = answer->addresses[i].addr;
	if (len > 1)
		qsort(list, len, sizeof(list[0]), compare);
	len = MIN_OF(len, (size_t)WAY_ADDRESSES_MAX);
	same = len == h->len && memcmp(list, h->list, len * sizeof(list[0])) == 0;
	memcpy(h->list, list, len * sizeof(list[0]));
	h->len = len;
	return !same;
}

static void
on_resolved(struct resolver_waiter *waiter, int result, struct answer *answer)
{
	struct half *h = CONTAINER_OF(waiter, struct half, waiter);
	struct backends *b = h->backend->all;
	int64_t now_ms = b->settings.now_ms();
	uint32_t wait_s = BACKEND_RETRY_S;
	bool changed = false, first = !h->heard;

	b->asking--;
	h->asking = false;
	h->heard = true;
	h->failed = result < 0 || waiter->old;
	if (result == 0) {
		changed = take_addresses(h, answer);
		if (!h->failed)
			wait_s = MAX_OF(answer_ttl(answer, now_ms), BACKEND_TTL_MIN_S);
	}
	h->due_ms = now_ms + (int64_t)wait_s * 1000;
	if (changed) {
		h->backend->changes++;
		b->changes++;
	}
	backends_tick(b); /* there is room for the next one */
	if (changed || first)
		b->settings.changed(b->settings.ctx);
}

/* What cannot be asked now is tried at the next tick. */
static bool
ask(struct backend *n, struct half *h, int64_t now_ms)
{
	int r;

	if (h->asking || h->due_ms > now_ms)
		return true;
	r = resolver_ask(
	    n->all->settings.resolver, n->group, &n->name, h->type, &h->waiter, now_ms);
	h->asking = r == 0;
	n->all->asking += h->asking;
	return r == 0;
}

void
backends_tick(struct backends *b)
{
	const int64_t now_ms = b->settings.now_ms();
	struct backend *n;

	TAILQ_FOREACH(n, &b->list, next)
	{
		for (size_t i = 0; i < FAMILIES; i++)
			if (b->asking == BACKEND_ASKING_MAX ||
			    !ask(n, &n->halves[i], now_ms))
				return;
	}
}

static int
use_target(struct backends *b, const struct registry_target *target)
{
	static const uint16_t types[FAMILIES] = {TYPE_A, TYPE_AAAA};
	struct backend *n = find(b, target);

	if (n == NULL) {
		const struct key k = key_of(target);

		n = calloc(1, sizeof(*n));
		if (n == NULL)
			return -ENOMEM;
		n->all = b;
		n->name = k.name;
		n->group = k.group;
		for (size_t i = 0; i < FAMILIES; i++) {
			n->halves[i].backend = n;
			n->halves[i].type = types[i];
			n->halves[i].waiter.done = on_resolved;
			n->halves[i].due_ms = INT64_MIN;
		}
		if (table_add(&b->table, name_hash(&b->settings.hash_key, &k.name),
			&n->link) < 0) {
			free(n);
			return -ENOMEM;
		}
		TAILQ_INSERT_TAIL(&b->list, n, next);
	}
	n->use = b->use;
	return 0;
}

int
backends_use(struct backends *b, const struct registry *registry)
{
	struct backend *n, *next;
	struct way way;
	int r = 0;

	b->use++;
	for (size_t s = 1; s <= way_services(registry); s++)
		for (size_t i = 0;
		     way_is_named(registry, s) && way_get(registry, s, i, &way); i++)
			if (way.target != NULL && use_target(b, way.target) < 0)
				r = -ENOMEM;
	for (n = TAILQ_FIRST(&b->list); n != NULL; n = next) {
		next = TAILQ_NEXT(n, next);
		if (n->use != b->use)
			drop(n);
	}
	backends_tick(b);
	return r;
}

/* Address k of a name, IPv4 first. */
static bool
address_at(const struct backend *n, size_t k, struct addr *ret_addr)
{
	for (size_t i = 0; i < FAMILIES; i++) {
		if (k < n->halves[i].len) {
			*ret_addr = n->halves[i].list[k];
			return true;
		}
		k -= n->halves[i].len;
	}
	return false;
}

bool
backends_way(const struct backends *b, const struct registry *registry, size_t service,
    struct backends_walk *walk, struct way *ret_way)
{
	const size_t max = way_is_named(registry, service) ? WAY_NAMED_MAX : SIZE_MAX;
	const struct backend *n;

	if (walk->count == max)
		return false;
	for (; way_get(registry, service, walk->way, ret_way);
	     walk->way++, walk->address = 0) {
		if (ret_way->target == NULL) {
			walk->way++;
			walk->count++;
			return true;
		}
		n = b != NULL ? find(b, ret_way->target) : NULL;
		ret_way->target = NULL;
		while (n != NULL && address_at(n, walk->address++, &ret_way->addr)) {
			if (!way_permits(registry, service, &ret_way->addr))
				continue;
			walk->count++;
			return true;
		}
	}
	return false;
}

uint64_t
backends_stamp(const struct backends *b, const struct registry *registry, size_t service)
{
	const struct backend *n;
	uint64_t stamp = 0;
	struct way way;

	if (b == NULL || !way_is_named(registry, service))
		return 0;
	for (size_t i = 0; way_get(registry, service, i, &way); i++) {
		n = way.target != NULL ? find(b, way.target) : NULL;
		stamp += n != NULL ? n->changes : 0;
	}
	return stamp;
}

uint64_t
backends_changes(const struct backends *b)
{
	return b != NULL ? b->changes : 0;
}

struct backends_counts
backends_counts(const struct backends *b)
{
	struct backends_counts c = {0};
	const struct backend *n;

	TAILQ_FOREACH(n, &b->list, next)
	{
		c.names++;
		c.unheard += !n->halves[0].heard || !n->halves[1].heard;
		c.failing += n->halves[0].failed || n->halves[1].failed;
	}
	return c;
}
