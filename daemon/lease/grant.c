/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/grant.h"

#include <stdlib.h>
#include <string.h>

struct grant_key {
	const struct addr *pod;
	const struct name *name;
};

static struct grant *
grant_of(struct table_link *link)
{
	return link != NULL ? CONTAINER_OF(link, struct grant, link) : NULL;
}

int
grants_init(
    struct grants *grants, size_t limit, struct pods *pods, const struct hash_key *key)
{
	*grants = (struct grants){.pods = pods, .key = *key};
	return table_init(&grants->table, limit);
}

void
grants_done(struct grants *grants)
{
	table_done(&grants->table);
}

static bool
is_grant(const struct table_link *link, const void *data)
{
	const struct grant *g = CONTAINER_OF(link, const struct grant, link);
	const struct grant_key *key = data;

	return g->name_len == key->name->len &&
	       memcmp(g->name, key->name->bytes, g->name_len) == 0 &&
	       addr_equal(&g->pod->addr, key->pod);
}

static uint64_t
hash_of(const struct grants *grants, const struct addr *pod, const struct name *name)
{
	uint8_t bytes[sizeof(*pod) + NAME_WIRE_MAX];

	memcpy(bytes, pod, sizeof(*pod));
	memcpy(bytes + sizeof(*pod), name->bytes, name->len);
	return hash_bytes(&grants->key, bytes, sizeof(*pod) + name->len);
}

static struct grant *
make(
    struct grants *grants, const struct addr *pod, const struct name *name, uint64_t hash)
{
	struct grant *g = calloc(1, sizeof(*g) + name->len);

	if (g == NULL)
		return NULL;
	g->pod = pods_get(grants->pods, pod);
	if (g->pod == NULL || table_add(&grants->table, hash, &g->link) < 0) {
		if (g->pod != NULL)
			pods_put(grants->pods, g->pod);
		free(g);
		return NULL;
	}
	g->name_len = name->len;
	memcpy(g->name, name->bytes, name->len);
	return g;
}

struct grant *
grants_get(struct grants *grants, const struct addr *pod, const struct name *name)
{
	const struct grant_key key = {.pod = pod, .name = name};
	uint64_t hash = hash_of(grants, pod, name);
	struct grant *g = grant_of(table_find(&grants->table, hash, is_grant, &key));

	if (g == NULL)
		g = make(grants, pod, name, hash);
	if (g != NULL)
		g->holds++;
	return g;
}

void
grants_drop(struct grants *grants, struct grant *g)
{
	if (g->holds > 0 || !LIST_EMPTY(&g->claims))
		return;
	table_remove(&grants->table, &g->link);
	pods_put(grants->pods, g->pod);
	free(g);
}

void
grants_watch(struct grants *grants, grant_fn fn, void *ctx)
{
	grants->watch = fn;
	grants->watch_ctx = ctx;
}

void
grants_changed(const struct grants *grants, struct grant *g)
{
	if (grants->watch != NULL)
		grants->watch(grants->watch_ctx, g);
}

struct grant *
grants_first(const struct grants *grants)
{
	return grant_of(table_first(&grants->table));
}

struct grant *
grants_next(const struct grants *grants, const struct grant *g)
{
	return grant_of(table_next(&grants->table, &g->link));
}

bool
grants_walk(
    const struct grants *grants, size_t *bucket, size_t buckets, grant_fn fn, void *ctx)
{
	const struct table *t = &grants->table;
	size_t end = MIN_OF(t->used, *bucket + buckets);

	for (; *bucket < end; ++*bucket)
		for (struct table_link *link = t->buckets[*bucket].first; link != NULL;
		     link = link->next)
			fn(ctx, grant_of(link));
	return end < t->used;
}
