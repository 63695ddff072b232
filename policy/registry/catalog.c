/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "policy/backward.h"

/* By name, the exact one before the wildcard, then as their precedence has it. */
static int
compare(const void *a, const void *b)
{
	const struct definition *x = *(struct definition *const *)a;
	const struct definition *y = *(struct definition *const *)b;
	int order = strcmp(x->key, y->key);

	if (order != 0)
		return order;
	if (x->wildcard != y->wildcard)
		return x->wildcard ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

static bool
same_host(const struct definition *a, const struct definition *b)
{
	return a->node == b->node && a->wildcard == b->wildcard;
}

static int
make_sites(struct catalog *c, struct memory *m)
{
	for (size_t i = 0; i < c->count; i++) {
		struct definition *def = c->all[i];

		if (i > 0 && same_host(c->all[i - 1], def))
			def->site = c->all[i - 1]->site;
		else
			def->site = memory_alloc(m, sizeof(*def->site));
		if (def->site == NULL)
			return m->lack;
	}
	return 0;
}

static int
list_all(struct catalog *c, struct definitions *d)
{
	c->all = memory_array(d->scratch, d->count, sizeof(struct definition *));
	if (c->all == NULL)
		return d->scratch->lack;
	for (struct definition *def = d->list; def != NULL; def = def->next) {
		def->key = backward_text(d->scratch, def->entry_host->text);
		if (def->key == NULL)
			return d->scratch->lack;
		c->all[c->count++] = def;
	}
	if (c->count > 1)
		qsort(c->all, c->count, sizeof(struct definition *), compare);
	return make_sites(c, d->scratch);
}

/* Calls with each namespace that an index has def under. */
typedef void (*place_fn)(
    struct catalog_index *x, struct definition *def, uint32_t namespace_id);

static void
each_own(const struct definitions *d, struct definition *def, struct catalog_index *x,
    place_fn place)
{
	(void)d;
	place(x, def, def->namespace->id);
}

static void
each_exported(const struct definitions *d, struct definition *def,
    struct catalog_index *x, place_fn place)
{
	const struct export *e = &def->parts->entry->export;

	for (size_t i = 0; i < e->count; i++) {
		const struct interned *in = intern_find(d->namespaces, e->namespaces[i]);

		if (in != NULL)
			place(x, def, in->id);
	}
}

/* One place further than it will be, so that filling moves it into place. */
static void
count_one(struct catalog_index *x, struct definition *def, uint32_t namespace_id)
{
	(void)def;
	x->start[namespace_id + 2]++;
}

static void
put_one(struct catalog_index *x, struct definition *def, uint32_t namespace_id)
{
	x->list[x->start[namespace_id + 1]++] = def;
}

/* Counted first, so that each finds its place, in the order of all. */
static int
make_index(const struct catalog *c, const struct definitions *d, size_t namespace_count,
    void (*each)(const struct definitions *, struct definition *, struct catalog_index *,
	place_fn),
    struct catalog_index *x)
{
	x->start = memory_array(d->scratch, namespace_count + 2, sizeof(*x->start));
	if (x->start == NULL)
		return d->scratch->lack;
	for (size_t i = 0; i < c->count; i++)
		each(d, c->all[i], x, count_one);
	for (size_t i = 1; i < namespace_count + 2; i++)
		x->start[i] += x->start[i - 1];
	x->list = memory_array(
	    d->scratch, x->start[namespace_count + 1], sizeof(struct definition *));
	if (x->list == NULL)
		return d->scratch->lack;
	for (size_t i = 0; i < c->count; i++)
		each(d, c->all[i], x, put_one);
	return 0;
}

int
catalog_build(struct catalog *c, struct definitions *d, size_t namespace_count)
{
	int r;

	*c = (struct catalog){0};
	r = list_all(c, d);
	if (r == 0)
		r = make_index(c, d, namespace_count, each_own, &c->own);
	if (r == 0)
		r = make_index(c, d, namespace_count, each_exported, &c->exported);
	return r;
}

struct catalog_range
catalog_all(const struct catalog *c)
{
	return (struct catalog_range){.at = c->all, .count = c->count};
}

struct catalog_range
catalog_of(const struct catalog_index *x, uint32_t namespace_id)
{
	size_t from = x->start[namespace_id];

	return (struct catalog_range){
	    .at = x->list + from, .count = x->start[namespace_id + 1] - from};
}

/* How many of the range come before key, or before what begins with key ends. */
static size_t
count_before(struct catalog_range range, const char *key, size_t len, bool past)
{
	size_t low = 0;
	size_t high = range.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strncmp(range.at[middle]->key, key, len);

		if (order < 0 || (past && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct catalog_range
catalog_narrow(struct catalog_range range, const struct import *i)
{
	/* an exact name ends with its key: the NUL is compared too */
	size_t len = strlen(i->key) + (i->what == IMPORT_EXACT);
	size_t from, to;

	if (i->what == IMPORT_ALL)
		return range;
	from = count_before(range, i->key, len, false);
	to = count_before(range, i->key, len, true);
	return (struct catalog_range){.at = range.at + from, .count = to - from};
}

bool
catalog_matches(const struct definition *def, const struct import *i)
{
	switch (i->what) {
	case IMPORT_ALL:
		return true;
	case IMPORT_EXACT:
		return !def->wildcard && strcmp(def->key, i->key) == 0;
	case IMPORT_BELOW:
		return strncmp(def->key, i->key, strlen(i->key)) == 0 &&
		       (def->wildcard || strlen(def->key) > strlen(i->key));
	}
	return false;
}
