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
table_over(struct table *t, struct table_bucket *buckets, size_t limit)
{
	size_t count = table_buckets(limit);

	*t = (struct table){
	    .buckets = buckets, .mask = count - 1, .used = count, .limit = limit};
}

int
table_init(struct table *t, size_t limit)
{
	struct table_bucket *buckets;

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

static uint64_t
bit_of(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 58);
}

struct table_link *
table_find(const struct table *t, uint64_t hash, table_match_fn match, const void *key)
{
	const struct table_bucket *bucket = &t->buckets[bucket_of(t, hash)];
	struct table_link *link;

	if ((bucket->bits & bit_of(hash)) == 0)
		return NULL;
	link = bucket->first;
	while (link != NULL && (link->hash != hash || !match(link, key)))
		link = link->next;
	return link;
}

static void
push(struct table_bucket *bucket, struct table_link *link)
{
	link->next = bucket->first;
	bucket->first = link;
	bucket->bits |= bit_of(link->hash);
}

/* Take one more bucket into use, with what is its own of the chain it was in. */
static void
split(struct table *t)
{
	size_t added = t->used++;
	struct table_bucket *from;
	struct table_link *link, *next;

	if (added > t->mask)
		t->mask = 2 * t->mask + 1;
	from = &t->buckets[added & (t->mask >> 1)];
	link = from->first;
	*from = (struct table_bucket){0};
	for (; link != NULL; link = next) {
		next = link->next;
		push(&t->buckets[bucket_of(t, link->hash)], link);
	}
}

int
table_add(struct table *t, uint64_t hash, struct table_link *link)
{
	if (t->len >= t->limit)
		return -ENOSPC;
	t->len++;
	if (t->len > t->used)
		split(t);
	link->hash = hash;
	push(&t->buckets[bucket_of(t, hash)], link);
	return 0;
}

void
table_remove(struct table *t, struct table_link *link)
{
	struct table_bucket *bucket = &t->buckets[bucket_of(t, link->hash)];
	struct table_link **at = &bucket->first;

	bucket->bits = 0;
	while (*at != link) {
		assert(*at != NULL);
		bucket->bits |= bit_of((*at)->hash);
		at = &(*at)->next;
	}
	*at = link->next;
	for (const struct table_link *l = *at; l != NULL; l = l->next)
		bucket->bits |= bit_of(l->hash);
	link->next = NULL;
	t->len--;
}

static struct table_link *
first_from(const struct table *t, size_t bucket)
{
	for (; bucket < t->used; bucket++)
		if (t->buckets[bucket].first != NULL)
			return t->buckets[bucket].first;
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
