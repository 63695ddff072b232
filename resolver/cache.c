/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/table.h"
#include "resolver/wire.h"

/* What malloc keeps of its own for each piece, on glibc. */
#define PIECE_OVERHEAD 16
#define TYPE_EVERY 0x10000 /* in the key: holds for all types; no type of its own */

struct entry {
	struct table_link link; /* what a hit reads comes first */
	struct answer *answer;
	size_t group;
	uint32_t type;
	uint32_t hits; /* at most CACHE_POPULAR */
	int64_t fresh_until_ms;
	int64_t kept_until_ms;
	TAILQ_ENTRY(entry) age;
	int64_t due_ms; /* a popular one is to be asked for anew */
	size_t bytes;
};

TAILQ_HEAD(entries, entry);

struct cache {
	struct table table;
	struct entries entries; /* the one used last comes first */
	struct cache_limits limits;
	struct hash_key key;
	struct cache_counts counts;
	size_t every_count; /* under TYPE_EVERY: often there is none to look for */
};

struct wanted {
	size_t group;
	const struct name *name;
	uint32_t type;
};

static struct entry *
entry_of(struct table_link *link)
{
	return CONTAINER_OF(link, struct entry, link);
}

static bool
entry_matches(const struct table_link *link, const void *key)
{
	const struct entry *e = (const void *)link; /* its first member */
	const struct wanted *wanted = key;

	return e->type == wanted->type && e->group == wanted->group &&
	       name_equal(&e->answer->name, wanted->name);
}

static uint64_t
wanted_hash(const struct cache *c, const struct wanted *wanted)
{
	uint8_t bytes[sizeof(wanted->group) + sizeof(wanted->type) + NAME_WIRE_MAX];
	uint8_t *at = bytes;

	memcpy(at, &wanted->group, sizeof(wanted->group));
	at += sizeof(wanted->group);
	memcpy(at, &wanted->type, sizeof(wanted->type));
	at += sizeof(wanted->type);
	memcpy(at, wanted->name->bytes, wanted->name->len); /* at most NAME_WIRE_MAX */
	at += wanted->name->len;
	return hash_bytes(&c->key, bytes, (size_t)(at - bytes));
}

/* hash: wanted's. */
static struct entry *
entry_find(const struct cache *c, const struct wanted *wanted, uint64_t hash)
{
	struct table_link *link = table_find(&c->table, hash, entry_matches, wanted);

	return link != NULL ? entry_of(link) : NULL;
}

static void
entry_remove(struct cache *c, struct entry *e)
{
	table_remove(&c->table, &e->link);
	TAILQ_REMOVE(&c->entries, e, age);
	c->counts.bytes -= e->bytes;
	c->every_count -= e->type == TYPE_EVERY;
	answer_unref(e->answer);
	free(e);
}

/* What the cache takes but for its entries, at most. */
static size_t
fixed_bytes(const struct cache *c)
{
	return sizeof(*c) + table_buckets(c->table.limit) * sizeof(*c->table.buckets);
}

struct cache *
cache_new(const struct cache_limits *limits, const struct hash_key *key)
{
	struct cache *c = calloc(1, sizeof(*c));
	size_t entry_min = sizeof(struct entry) + sizeof(struct answer);

	if (c == NULL)
		return NULL;
	if (table_init(&c->table, limits->bytes / entry_min + 1) < 0) {
		free(c);
		return NULL;
	}
	TAILQ_INIT(&c->entries);
	c->limits = *limits;
	c->key = *key;
	c->counts.bytes = fixed_bytes(c);
	return c;
}

void
cache_clear(struct cache *c)
{
	struct entry *e;

	while ((e = TAILQ_FIRST(&c->entries)) != NULL)
		entry_remove(c, e);
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	cache_clear(c);
	table_done(&c->table);
	free(c);
}

void
cache_limit(struct cache *c, const struct cache_limits *limits)
{
	size_t bytes = c->limits.bytes;

	c->limits = *limits;
	c->limits.bytes = bytes;
}

/* What is there under exactly this key; what was kept long enough goes. */
static struct entry *
find_kept(struct cache *c, const struct wanted *wanted, int64_t now_ms)
{
	struct entry *e;

	if (wanted->type == TYPE_EVERY && c->every_count == 0)
		return NULL;
	e = entry_find(c, wanted, wanted_hash(c, wanted));
	if (e == NULL || now_ms < e->kept_until_ms)
		return e;
	entry_remove(c, e);
	return NULL;
}

static struct entry *
find_fresh(struct cache *c, const struct wanted *wanted, int64_t now_ms)
{
	struct entry *e = find_kept(c, wanted, now_ms);

	return e != NULL && now_ms < e->fresh_until_ms ? e : NULL;
}

/* Make it the one used last, and count. */
static struct cache_use
use(struct cache *c, struct entry *e, int64_t now_ms)
{
	struct cache_use use = {0};

	c->counts.hits++;
	if (e != TAILQ_FIRST(&c->entries)) {
		TAILQ_REMOVE(&c->entries, e, age);
		TAILQ_INSERT_HEAD(&c->entries, e, age);
	}
	if (e->hits < CACHE_POPULAR)
		e->hits++;
	if (e->hits < CACHE_POPULAR)
		return use;
	if (now_ms >= e->due_ms) {
		e->due_ms = INT64_MAX;
		use.due = true;
	}
	use.steady_ms = MIN_OF(e->due_ms, e->fresh_until_ms);
	return use;
}

struct answer *
cache_find(struct cache *c, size_t group, const struct name *name, uint16_t type,
    int64_t now_ms, struct cache_use *ret_use)
{
	struct wanted wanted = {.group = group, .name = name, .type = type};
	struct entry *e = find_fresh(c, &wanted, now_ms);

	if (e == NULL) {
		wanted.type = TYPE_EVERY;
		e = find_fresh(c, &wanted, now_ms);
	}
	if (e == NULL) {
		c->counts.misses++;
		return NULL;
	}
	*ret_use = use(c, e, now_ms);
	return e->answer;
}

/* Of two old ones the newer counts. */
struct answer *
cache_find_old(
    struct cache *c, size_t group, const struct name *name, uint16_t type, int64_t now_ms)
{
	struct wanted wanted = {.group = group, .name = name, .type = type};
	struct entry *one = find_kept(c, &wanted, now_ms);
	struct entry *all;

	wanted.type = TYPE_EVERY;
	all = find_kept(c, &wanted, now_ms);
	if (one == NULL || (all != NULL && all->answer->born_ms > one->answer->born_ms))
		one = all;
	return one != NULL ? one->answer : NULL;
}

/* An alias exists, whatever it leads to. */
static bool
is_for_all_types(const struct answer *a)
{
	return a->rcode == RCODE_NXDOMAIN && a->answer_records == 0;
}

/* How long an answer is fresh. */
static int64_t
lifetime_ms(const struct cache *c, const struct answer *a)
{
	uint32_t max_s = a->negative ? c->limits.negative_max_s : c->limits.ttl_max_s;

	return (int64_t)MIN_OF(a->ttl_s, max_s) * 1000;
}

/* An entry of that size, with room made for it; NULL when it would not fit alone. */
static struct entry *
entry_new(struct cache *c, size_t bytes)
{
	struct entry *e;

	if (fixed_bytes(c) + bytes > c->limits.bytes)
		return NULL;
	while (c->counts.bytes + bytes > c->limits.bytes) {
		entry_remove(c, TAILQ_LAST(&c->entries, entries));
		c->counts.evictions++;
	}
	e = calloc(1, sizeof(*e));
	if (e != NULL)
		e->bytes = bytes;
	return e;
}

static void
forget(struct cache *c, const struct wanted *wanted, uint64_t hash)
{
	struct entry *e = entry_find(c, wanted, hash);

	if (e != NULL)
		entry_remove(c, e);
}

void
cache_add(struct cache *c, size_t group, struct answer *a, int64_t now_ms)
{
	struct wanted wanted = {.group = group, .name = &a->name, .type = TYPE_EVERY};
	int64_t fresh_ms = lifetime_ms(c, a);
	int64_t end_ms = a->born_ms + fresh_ms;
	struct entry *e = NULL;
	uint64_t hash;

	(void)answer_ref(a);    /* first: the entry replaced may hold the only one */
	if (c->every_count > 0) /* either it is replaced, or it was wrong */
		forget(c, &wanted, wanted_hash(c, &wanted));
	wanted.type = is_for_all_types(a) ? TYPE_EVERY : a->type;
	hash = wanted_hash(c, &wanted);
	forget(c, &wanted, hash);
	if (now_ms < end_ms)
		e = entry_new(c, sizeof(*e) + a->bytes + 2 * PIECE_OVERHEAD);
	if (e == NULL || table_add(&c->table, hash, &e->link) < 0) {
		free(e);
		answer_unref(a);
		return;
	}
	e->answer = a;
	e->group = group;
	e->type = wanted.type;
	c->every_count += e->type == TYPE_EVERY;
	e->fresh_until_ms = end_ms;
	e->kept_until_ms = end_ms + (int64_t)c->limits.old_max_s * 1000;
	e->due_ms = end_ms - fresh_ms / 10;
	TAILQ_INSERT_HEAD(&c->entries, e, age);
	c->counts.bytes += e->bytes;
}

struct cache_counts
cache_counts(const struct cache *c)
{
	struct cache_counts counts = c->counts;

	counts.answers = c->table.len;
	return counts;
}
