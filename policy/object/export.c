/* SPDX-License-Identifier: Apache-2.0 */
/*
 * E39 to E42: see policy/object/entry_rules.h for what the numbers are.
 */
#include "policy/object/export.h"

#include <stdlib.h>
#include <string.h>

#include "policy/syntax.h"

/* E40 */
static bool
element(struct reader *rd, const struct node *n, const char *what)
{
	if (!reader_text(rd, n, what)) {
		if (node_is_null(n))
			reader_error(rd, n, "%s has an empty element: remove it", what);
		return false;
	}
	if (strcmp(n->text, ".") == 0 || strcmp(n->text, "*") == 0 ||
	    strcmp(n->text, "~") == 0 || syntax_label(n->text, n->len))
		return true;
	reader_refuse(rd, n, what, "is no namespace, nor \".\", \"*\" or \"~\"");
	return false;
}

/* E41, E42: a word that says all on its own has no company. */
static void
alone(struct reader *rd, const struct node *list, const char *what, const char *word)
{
	for (const struct node *c = list->child; c != NULL; c = c->next)
		if (node_is_text(c, word) && list->len > 1)
			reader_error(rd, c,
			    "%s \"%s\" cannot stand beside others: remove it or "
			    "them",
			    what, word);
}

static bool
has_word(const struct node *list, const char *word)
{
	for (const struct node *c = list->child; c != NULL; c = c->next)
		if (node_is_text(c, word))
			return true;
	return false;
}

/* The texts of items, copied; NULL when memory lacks. */
static const char *const *
copy_items(struct reader *rd, const struct reader_item *items, size_t n)
{
	const char **names = memory_array(rd->memory, n, sizeof(*names));

	for (size_t i = 0; names != NULL && i < n; i++) {
		names[i] = memory_text(rd->memory, items[i].text, strlen(items[i].text));
		if (names[i] == NULL)
			return NULL;
	}
	return names;
}

void
export_read(struct reader *rd, const struct node *export_to, const char *own,
    struct export *ret_export)
{
	struct export e = {.stated = true};
	struct reader_item *items;
	size_t n = 0;

	*ret_export = (struct export){.public = true};
	if (!reader_sequence(rd, export_to, "exportTo", 0) || export_to->len == 0)
		return;
	items = memory_array(rd->memory, export_to->len, sizeof(*items));
	if (items == NULL)
		return;
	for (const struct node *c = export_to->child; c != NULL; c = c->next)
		if (element(rd, c, "exportTo"))
			items[n++] = (struct reader_item){
			    .text = strcmp(c->text, ".") == 0 ? own : c->text, .at = c};
	reader_unique(rd, items, n, "exportTo"); /* E39 */
	alone(rd, export_to, "exportTo", "*");
	alone(rd, export_to, "exportTo", "~");
	e.public = has_word(export_to, "*");
	if (!e.public && !has_word(export_to, "~")) {
		e.namespaces = copy_items(rd, items, n);
		e.count = e.namespaces != NULL ? n : 0;
	}
	*ret_export = e;
}

const struct export_words *
export_read_words(struct reader *rd, const struct node *list, const char *what)
{
	struct export_words *words = memory_alloc(rd->memory, sizeof(*words));
	struct reader_item *items;
	size_t n = 0;

	if (words == NULL || !reader_sequence(rd, list, what, 0) || list->len == 0)
		return NULL;
	items = memory_array(rd->memory, list->len, sizeof(*items));
	if (items == NULL)
		return NULL;
	for (const struct node *c = list->child; c != NULL; c = c->next)
		if (element(rd, c, what))
			items[n++] = (struct reader_item){.text = c->text, .at = c};
	reader_unique(rd, items, n, what);
	alone(rd, list, what, "*");
	alone(rd, list, what, "~");
	words->list = copy_items(rd, items, n);
	words->count = n;
	return words->list != NULL ? words : NULL;
}

bool
export_words_equal(const struct export_words *a, const struct export_words *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	return true;
}

static int
name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the n names and leaves each once; returns how many. */
static size_t
unite(const char **names, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(names, n, sizeof(char *), name_compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	return kept;
}

void
export_make(struct memory *m, const struct export_words *words, const char *own,
    struct export *ret_export)
{
	const char **names = memory_array(m, words->count, sizeof(char *));

	*ret_export = (struct export){0};
	if (names == NULL)
		return;
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->list[i];

		if (strcmp(word, "*") == 0)
			ret_export->public = true;
		if (strcmp(word, "*") == 0 || strcmp(word, "~") == 0)
			return;
		names[i] = strcmp(word, ".") == 0 ? own : word;
	}
	ret_export->namespaces = names;
	ret_export->count = unite(names, words->count);
}

/* One element as if it stood in a list. NULL when memory lacks. */
static const struct node *
element_node(struct reader *rd, const struct node *text, const char *from,
    const char *end, const struct node *next)
{
	struct node *n = memory_alloc(rd->memory, sizeof(*n));

	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (n == NULL)
		return NULL;
	*n = (struct node){
	    .kind = NODE_SCALAR,
	    .line = text->line,
	    .column = text->column,
	    .text = memory_text(rd->memory, from, (size_t)(end - from)),
	    .len = (size_t)(end - from),
	    .next = next,
	};
	return n->text != NULL ? n : NULL;
}

void
export_read_text(struct reader *rd, const struct node *text, const char *own,
    struct export *ret_export)
{
	struct node list = {
	    .kind = NODE_SEQUENCE, .line = text->line, .column = text->column};
	const char *end = text->text + text->len;

	*ret_export = (struct export){.public = true};
	/* from the last one to the first */
	for (;;) {
		const char *comma = memrchr(text->text, ',', (size_t)(end - text->text));
		const char *from = comma != NULL ? comma + 1 : text->text;

		list.child = element_node(rd, text, from, end, list.child);
		if (list.child == NULL)
			return;
		list.len++;
		if (comma == NULL)
			break;
		end = comma;
	}
	export_read(rd, &list, own, ret_export);
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
