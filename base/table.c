/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int
table_init(struct table *t, size_t limit)
{
	size_t buckets = 16;

	if (limit == 0 || limit > SIZE_MAX / 4)
		return -EINVAL;
	while (buckets < limit)
		buckets *= 2;
	t->buckets = calloc(buckets, sizeof(*t->buckets));
	if (t->buckets == NULL)
		return -ENOMEM;
	t->mask = buckets - 1;
	t->len = 0;
	t->limit = limit;
	return 0;
}

void
table_done(struct table *t)
{
	free(t->buckets);
	t->buckets = NULL;
	t->len = 0;
}

struct table_link *
table_find(const struct table *t, uint64_t hash, table_match_fn match, const void *key)
{
	struct table_link *link = t->buckets[hash & t->mask];

	while (link != NULL && (link->hash != hash || !match(link, key)))
		link = link->next;
	return link;
}

int
table_add(struct table *t, uint64_t hash, struct table_link *link)
{
	struct table_link **bucket = &t->buckets[hash & t->mask];

	if (t->len >= t->limit)
		return -ENOSPC;
	link->hash = hash;
	link->next = *bucket;
	*bucket = link;
	t->len++;
	return 0;
}

void
table_remove(struct table *t, struct table_link *link)
{
	struct table_link **at = &t->buckets[link->hash & t->mask];

	while (*at != link) {
		assert(*at != NULL);
		at = &(*at)->next;
	}
	*at = link->next;
	link->next = NULL;
	t->len--;
}

static struct table_link *
first_from(const struct table *t, size_t bucket)
{
	for (; bucket <= t->mask; bucket++)
		if (t->buckets[bucket] != NULL)
			return t->buckets[bucket];
	return NULL;
}

struct table_link *
table_first(const struct table *t)
{
	return t->buckets != NULL && t->len > 0 ? first_from(t, 0) : NULL;
}

struct table_link *
table_next(const struct table *t, const struct table_link *link)
{
	return link->next != NULL ? link->next
				  : first_from(t, (link->hash & t->mask) + 1);
}
