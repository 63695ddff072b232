/* SPDX-License-Identifier: Apache-2.0 */
/*
 * E39 to E42: see policy/entry_rules.h for what the numbers are.
 */
#include "policy/export.h"

#include <string.h>

#include "policy/syntax.h"

/* E40 */
static bool
element(struct reader *rd, const struct node *n)
{
	if (!reader_text(rd, n, "exportTo")) {
		if (node_is_null(n))
			reader_error(rd, n, "exportTo has an empty element: remove it");
		return false;
	}
	if (strcmp(n->text, ".") == 0 || strcmp(n->text, "*") == 0 ||
	    strcmp(n->text, "~") == 0 || syntax_label(n->text, n->len))
		return true;
	reader_refuse(rd, n, "exportTo", "is no namespace, nor \".\", \"*\" or \"~\"");
	return false;
}

/* E41, E42: a word that says all on its own has no company. */
static void
alone(struct reader *rd, const struct node *list, const char *word)
{
	for (const struct node *c = list->child; c != NULL; c = c->next)
		if (node_is_text(c, word) && list->len > 1)
			reader_error(rd, c,
			    "exportTo \"%s\" cannot stand beside others: remove it or "
			    "them",
			    word);
}

static bool
has_word(const struct node *list, const char *word)
{
	for (const struct node *c = list->child; c != NULL; c = c->next)
		if (node_is_text(c, word))
			return true;
	return false;
}

/* The sorted names of items into e. */
static void
keep(struct reader *rd, const struct reader_item *items, size_t n, struct export *e)
{
	const char **names = memory_array(rd->memory, n, sizeof(*names));

	if (names == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		names[i] = memory_text(rd->memory, items[i].text, strlen(items[i].text));
		if (names[i] == NULL)
			return;
	}
	e->namespaces = names;
	e->count = n;
}

void
export_read(struct reader *rd, const struct node *export_to, const char *own,
    struct export *ret_export)
{
	struct export e = {0};
	struct reader_item *items;
	size_t n = 0;

	*ret_export = (struct export){.public = true};
	if (!reader_sequence(rd, export_to, "exportTo", 0) || export_to->len == 0)
		return;
	items = memory_array(rd->memory, export_to->len, sizeof(*items));
	if (items == NULL)
		return;
	for (const struct node *c = export_to->child; c != NULL; c = c->next)
		if (element(rd, c))
			items[n++] = (struct reader_item){
			    .text = strcmp(c->text, ".") == 0 ? own : c->text, .at = c};
	reader_unique(rd, items, n, "exportTo"); /* E39 */
	alone(rd, export_to, "*");
	alone(rd, export_to, "~");
	e.public = has_word(export_to, "*");
	if (!e.public && !has_word(export_to, "~"))
		keep(rd, items, n, &e);
	*ret_export = e;
}

bool
export_equal(const struct export *a, const struct export *b)
{
	if (a->public != b->public || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->namespaces[i], b->namespaces[i]) != 0)
			return false;
	return true;
}

bool
export_lists(const struct export *e, const char *namespace)
{
	size_t low = 0;
	size_t high = e->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(e->namespaces[middle], namespace);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
