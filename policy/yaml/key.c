/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/yaml/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAIRWISE_MAX 8 /* keys compared each with each; more are sorted */

/* By text, then by place. */
static int
compare(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a;
	const struct node *y = *(const struct node *const *)b;
	int order = strcmp(x->text, y->text);

	if (order != 0)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->column > y->column) - (x->column < y->column);
}

/* A key that is none has been refused already, and has no text. */
static bool
same(const struct node *x, const struct node *y)
{
	return x->kind == NODE_SCALAR && y->kind == NODE_SCALAR &&
	       strcmp(x->text, y->text) == 0;
}

static void
pairwise(const struct node *map, key_fn repeated, void *ctx)
{
	for (const struct node *a = map->child; a != NULL; a = a->next)
		for (const struct node *b = map->child; b != a; b = b->next)
			if (same(a->key, b->key)) {
				repeated(ctx, a->key);
				break;
			}
}

int
key_repeats(const struct node *map, struct arena *arena, key_fn repeated, void *ctx)
{
	const struct node **keys;
	size_t n = 0;

	if (map->len <= PAIRWISE_MAX) {
		pairwise(map, repeated, ctx);
		return 0;
	}
	keys = arena_array(arena, map->len, sizeof(*keys));
	if (keys == NULL)
		return -ENOMEM;
	for (const struct node *c = map->child; c != NULL; c = c->next)
		keys[n++] = c->key;
	qsort(keys, n, sizeof(*keys), compare);
	for (size_t i = 1; i < n; i++)
		if (same(keys[i - 1], keys[i]))
			repeated(ctx, keys[i]);
	return 0;
}
