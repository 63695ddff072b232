/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/labels.h"

#include <stdlib.h>
#include <string.h>

#include "policy/syntax.h"

static int
compare(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a;
	const struct node *y = *(const struct node *const *)b;

	return strcmp(x->key->text, y->key->text);
}

/* A null value counts as "". */
static bool
is_value(struct reader *rd, const struct node *n, const char *what)
{
	return node_is_null(n) || reader_text(rd, n, what);
}

/* "key=value\n" for each, neither of which holds '=' or a line break once checked; those
 * of metadata.labels were checked by the cluster. */
static char *
join(struct reader *rd, const struct node **sorted, size_t n)
{
	size_t len = 0;
	char *text, *at;

	for (size_t i = 0; i < n; i++)
		len += sorted[i]->key->len + sorted[i]->len + 2;
	text = memory_alloc(rd->memory, len + 1);
	if (text == NULL)
		return NULL;
	at = text;
	for (size_t i = 0; i < n; i++) {
		at = mempcpy(at, sorted[i]->key->text, sorted[i]->key->len);
		*at++ = '=';
		at = mempcpy(at, sorted[i]->text, sorted[i]->len);
		*at++ = '\n';
	}
	return text;
}

const char *
labels_text(struct reader *rd, const struct node *map, const char *what)
{
	const struct node **sorted;
	size_t n = 0;

	if (!reader_mapping(rd, map, what) || map->len == 0)
		return "";
	sorted = memory_array(rd->memory, map->len, sizeof(*sorted));
	if (sorted == NULL)
		return NULL;
	for (const struct node *c = map->child; c != NULL; c = c->next)
		if (is_value(rd, c, what))
			sorted[n++] = c;
	qsort(sorted, n, sizeof(*sorted), compare);
	return join(rd, sorted, n);
}

void
labels_check(struct reader *rd, const struct node *map, const char *what, size_t max)
{
	if (!reader_mapping(rd, map, what))
		return;
	if (map->len > max)
		reader_error(
		    rd, map, "%s has %zu labels: the limit is %zu", what, map->len, max);
	for (const struct node *c = map->child; c != NULL; c = c->next) {
		if (!syntax_label_key(c->key->text, c->key->len))
			reader_refuse(rd, c->key, what, "is no key of a label");
		if (is_value(rd, c, what) && !node_is_null(c) &&
		    !syntax_label_value(c->text, c->len))
			reader_refuse(rd, c, what, "is no value of a label");
	}
}
