/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intrusive chained hash table that grows by linear hashing (Litwin, "Linear hashing:
 * a new tool for file and table addressing", 1980).
 *
 * The caller owns the entries (a struct table_link inside each) and the hashing; the
 * table owns its buckets only. As many buckets are in use as there are entries, or once
 * were: what is looked for lies close together, and a table sized for a million is
 * address space, not memory, until it is used. Buckets never move, and an entry that
 * comes takes one more into use: no operation ever costs more than two chains. table_add
 * refuses the entry that would pass the limit. What is not there is in most cases known
 * from the bucket's bits, without a look at an entry, which is seldom in the cache.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

struct table_link {
	struct table_link *next;
	uint64_t hash;
};

struct table_bucket {
	struct table_link *first;
	uint64_t bits; /* of each entry of the chain one, by its hash */
};

struct table {
	struct table_bucket *buckets;
	size_t used; /* buckets, from the first */
	size_t mask; /* the least 2^n - 1 that reaches them */
	size_t len;
	size_t limit;
};

/* Does entry have this key? */
typedef bool (*table_match_fn)(const struct table_link *link, const void *key);

/* Room for limit entries. -EINVAL for none or an absurd number, -ENOMEM. */
MUST_CHECK int table_init(struct table *t, size_t limit);
/* How many buckets that takes. */
size_t table_buckets(size_t limit);
/* The same over so many buckets of the caller's, each zero, all in use from the start. */
void table_over(struct table *t, struct table_bucket *buckets, size_t limit);
/* Frees the buckets; the entries are the caller's. */
void table_done(struct table *t);

/* NULL when no entry has that hash and key. */
struct table_link *table_find(
    const struct table *t, uint64_t hash, table_match_fn match, const void *key);
/* Takes no ownership; -ENOSPC at the limit. Duplicate keys are the caller's to avoid. */
MUST_CHECK int table_add(struct table *t, uint64_t hash, struct table_link *link);
/* link must be in the table. */
void table_remove(struct table *t, struct table_link *link);

/*
 * Walk all: for (link = table_first(t); link; link = next) { next = table_next(t, link);
 * ... } Removing link itself after next was taken is allowed; adding is not.
 */
struct table_link *table_first(const struct table *t);
struct table_link *table_next(const struct table *t, const struct table_link *link);

#endif
