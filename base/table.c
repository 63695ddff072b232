/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define FIRST_USED 16 /* buckets in use of a table without entries */

size_t
table_buckets(size_t limit)
{
	size_t count = FIRST_USED;

	while (count < limit)
		count *= 2;
	return count;
}

void
table_over(struct table *t, struct table_link **buckets, size_t limit)
{
	size_t count = table_buckets(limit);

	*t = (struct table){
	    .buckets = buckets, .mask = count - 1, .used = count, .limit = limit};
}

int
table_init(struct table *t, size_t limit)
{
	struct table_link **buckets;

	if (limit == 0 || limit > SIZE_MAX / 4)
		return -EINVAL;
	buckets = calloc(table_buckets(limit), sizeof(*buckets));
	if (buckets == NULL)
		return -ENOMEM;
	table_over(t, buckets, limit);
	t->used = FIRST_USED;
	t->mask = FIRST_USED - 1;
	return 0;
}

void
table_done(struct table *t)
{
	free(t->buckets);
	t->buckets = NULL;
	t->len = 0;
}

/* A bucket that is not in use yet has its entries in the one with half its range. */
static size_t
bucket_of(const struct table *t, uint64_t hash)
{
	size_t i = hash & t->mask;

	return i < t->used ? i : i & (t->mask >> 1);
}

struct table_link *
table_find(const struct table *t, uint64_t hash, table_match_fn match, const void *key)
{
	struct table_link *link = t->buckets[bucket_of(t, hash)];

	while (link != NULL && (link->hash != hash || !match(link, key)))
		link = link->next;
	return link;
}

/* Take one more bucket into use, with what is its own of the chain it was in. */
static void
split(struct table *t)
{
	size_t added = t->used++;
	struct table_link **to, **at;

	if (added > t->mask)
		t->mask = 2 * t->mask + 1;
	to = &t->buckets[added];
	at = &t->buckets[added & (t->mask >> 1)];
	while (*at != NULL) {
		struct table_link *link = *at;

		if (bucket_of(t, link->hash) != added) {
			at = &link->next;
			continue;
		}
		*at = link->next;
		link->next = NULL;
		*to = link;
		to = &link->next;
	}
}

int
table_add(struct table *t, uint64_t hash, struct table_link *link)
{
	struct table_link **bucket;

	if (t->len >= t->limit)
		return -ENOSPC;
	t->len++;
	if (t->len > t->used)
		split(t);
	bucket = &t->buckets[bucket_of(t, hash)];
	link->hash = hash;
	link->next = *bucket;
	*bucket = link;
	return 0;
}

void
table_remove(struct table *t, struct table_link *link)
{
	struct table_link **at = &t->buckets[bucket_of(t, link->hash)];

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
	for (; bucket < t->used; bucket++)
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
				  : first_from(t, bucket_of(t, link->hash) + 1);
}
