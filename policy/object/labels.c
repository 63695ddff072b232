/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/labels.h"

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

/* The labels of a mapping that has some; NULL when memory lacks. */
static const struct node **
sort(struct reader *rd, const struct node *map, const char *what, size_t *ret_count)
{
	const struct node **sorted =
	    memory_array(rd->memory, map->len, sizeof(struct node *));
	size_t n = 0;

	if (sorted == NULL)
		return NULL;
	for (const struct node *c = map->child; c != NULL; c = c->next)
		if (is_value(rd, c, what))
			sorted[n++] = c;
	qsort(sorted, n, sizeof(struct node *), compare);
	*ret_count = n;
	return sorted;
}

const char *
labels_text(struct reader *rd, const struct node *map, const char *what)
{
	const struct node **sorted;
	size_t n;

	if (!reader_mapping(rd, map, what) || map->len == 0)
		return "";
	sorted = sort(rd, map, what, &n);
	return sorted != NULL ? join(rd, sorted, n) : NULL;
}

void
labels_read(struct reader *rd, const struct node *map, const char *what,
    struct labels *ret_labels)
{
	const struct node **sorted;
	struct label *list;
	size_t n;

	*ret_labels = (struct labels){0};
	if (!reader_mapping(rd, map, what) || map->len == 0)
		return;
	sorted = sort(rd, map, what, &n);
	list = memory_array(rd->memory, map->len, sizeof(*list));
	if (sorted == NULL || list == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		list[i].key = reader_copy(rd, sorted[i]->key);
		list[i].value = node_is_null(sorted[i]) ? "" : reader_copy(rd, sorted[i]);
		if (list[i].key == NULL || list[i].value == NULL)
			return;
	}
	*ret_labels = (struct labels){.count = n, .list = list};
}

void
labels_merge(struct memory *m, const struct labels *over, const struct labels *under,
    struct labels *ret_labels)
{
	struct label *list = memory_array(m, over->count + under->count, sizeof(*list));
	size_t i = 0, k = 0, n = 0;

	*ret_labels = (struct labels){0};
	if (list == NULL)
		return;
	while (i < over->count || k < under->count) {
		int order = 0;

		if (i == over->count)
			order = 1;
		else if (k == under->count)
			order = -1;
		else
			order = strcmp(over->list[i].key, under->list[k].key);
		list[n++] = order <= 0 ? over->list[i] : under->list[k];
		i += order <= 0;
		k += order >= 0;
	}
	*ret_labels = (struct labels){.count = n, .list = list};
}

bool
labels_match(const struct labels *selector, const struct labels *labels)
{
	size_t k = 0;

	for (size_t i = 0; i < selector->count; i++) {
		const struct label *want = &selector->list[i];

		while (k < labels->count && strcmp(labels->list[k].key, want->key) < 0)
			k++;
		if (k == labels->count || strcmp(labels->list[k].key, want->key) != 0 ||
		    strcmp(labels->list[k].value, want->value) != 0)
			return false;
	}
	return true;
}

const char *
labels_get(const struct labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->count; i++)
		if (strcmp(labels->list[i].key, key) == 0)
			return labels->list[i].value;
	return NULL;
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
