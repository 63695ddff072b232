/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/table.h"

/* What malloc keeps of its own for each piece, on glibc. */
#define PIECE_OVERHEAD 16

struct entry {
	struct table_link link;
	TAILQ_ENTRY(entry) age;
	struct answer *answer;
	size_t group;
	size_t bytes;
	int64_t expires_ms;
};

TAILQ_HEAD(entries, entry);

struct cache {
	struct table table;
	struct entries entries; /* the one used last comes first */
	struct cache_limits limits;
	struct hash_key key;
	struct cache_counts counts;
};

struct wanted {
	size_t group;
	const struct name *name;
	uint16_t type;
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

	return e->answer->type == wanted->type && e->group == wanted->group &&
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

static struct entry *
entry_find(const struct cache *c, uint64_t hash, const struct wanted *wanted)
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
	answer_unref(e->answer);
	free(e);
}

/* What an empty cache takes. */
static size_t
fixed_bytes(const struct cache *c)
{
	return sizeof(*c) + (c->table.mask + 1) * sizeof(*c->table.buckets);
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

struct answer *
cache_find(
    struct cache *c, size_t group, const struct name *name, uint16_t type, int64_t now_ms)
{
	const struct wanted wanted = {.group = group, .name = name, .type = type};
	struct entry *e = entry_find(c, wanted_hash(c, &wanted), &wanted);

	if (e != NULL && now_ms >= e->expires_ms) {
		entry_remove(c, e);
		e = NULL;
	}
	if (e == NULL) {
		c->counts.misses++;
		return NULL;
	}
	c->counts.hits++;
	if (e != TAILQ_FIRST(&c->entries)) {
		TAILQ_REMOVE(&c->entries, e, age);
		TAILQ_INSERT_HEAD(&c->entries, e, age);
	}
	return e->answer;
}

/* When a is to be forgotten. */
static int64_t
expiry(const struct cache *c, const struct answer *a)
{
	uint32_t max_s = a->negative ? c->limits.negative_max_s : c->limits.ttl_max_s;

	return a->born_ms + (int64_t)MIN_OF(a->ttl_s, max_s) * 1000;
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

void
cache_add(struct cache *c, size_t group, struct answer *a, int64_t now_ms)
{
	const struct wanted wanted = {.group = group, .name = &a->name, .type = a->type};
	uint64_t hash = wanted_hash(c, &wanted);
	struct entry *e = entry_find(c, hash, &wanted);
	int64_t expires_ms = expiry(c, a);

	(void)answer_ref(a); /* first: the entry replaced may hold the only one */
	if (e != NULL)
		entry_remove(c, e);
	e = now_ms < expires_ms ? entry_new(c, sizeof(*e) + a->bytes + 2 * PIECE_OVERHEAD)
				: NULL;
	if (e == NULL || table_add(&c->table, hash, &e->link) < 0) {
		free(e);
		answer_unref(a);
		return;
	}
	e->answer = a;
	e->group = group;
	e->expires_ms = expires_ms;
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
