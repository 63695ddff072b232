/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/label_selector.h"

#include <stdlib.h>
#include <string.h>

#include "policy/syntax.h"

static const char *const operators[] = {
    [LABEL_IN] = "In",
    [LABEL_NOT_IN] = "NotIn",
    [LABEL_EXISTS] = "Exists",
    [LABEL_DOES_NOT_EXIST] = "DoesNotExist",
};

static void
only_known(struct reader *rd, const struct node *map, const char *what,
    const char *const known[], size_t count)
{
	char quoted[FINDING_QUOTE_MAX];

	for (const struct node *c = map->child; c != NULL; c = c->next) {
		bool found = false;

		for (size_t i = 0; i < count; i++)
			found = found || strcmp(c->key->text, known[i]) == 0;
		if (!found)
			reader_error(rd, c->key,
			    "unknown field %s in %s: without it more is selected than "
			    "was meant",
			    finding_quote(c->key->text, c->key->len, quoted), what);
	}
}

static bool
read_key(struct reader *rd, const struct node *n, const struct node *key,
    const char *what, struct label_expression *e)
{
	if (key == NULL)
		reader_error(rd, n, "an expression of %s has no key", what);
	if (!reader_text(rd, key, "key"))
		return false;
	if (!syntax_label_key(key->text, key->len)) {
		reader_refuse(rd, key, what, "is no key of a label");
		return false;
	}
	e->key = reader_copy(rd, key);
	return e->key != NULL;
}

static bool
read_operator(struct reader *rd, const struct node *n, const struct node *word,
    const char *what, struct label_expression *e)
{
	if (word == NULL)
		reader_error(rd, n, "an expression of %s has no operator", what);
	if (!reader_text(rd, word, "operator"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(operators); i++)
		if (strcmp(word->text, operators[i]) == 0) {
			e->op = (enum label_operator)i;
			return true;
		}
	reader_refuse(
	    rd, word, "operator", "is unknown: one of In, NotIn, Exists, DoesNotExist");
	return false;
}

static int
text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
read_values(struct reader *rd, const struct node *list, const char *what,
    struct label_expression *e)
{
	const char **values = memory_array(rd->memory, list->len, sizeof(char *));
	size_t n = 0;

	if (values == NULL)
		return;
	for (const struct node *c = list->child; c != NULL; c = c->next) {
		if (node_is_null(c))
			reader_error(rd, c, "an empty value in %s: remove it", what);
		if (!reader_text(rd, c, "a value"))
			continue;
		if (!syntax_label_value(c->text, c->len))
			reader_refuse(rd, c, what, "is no value of a label");
		values[n] = reader_copy(rd, c);
		if (values[n++] == NULL)
			return;
	}
	if (n > 1)
		qsort(values, n, sizeof(char *), text_compare);
	e->values = values;
	e->value_count = n;
}

static void
check_values(struct reader *rd, const struct node *n, const struct node *list,
    const char *what, struct label_expression *e)
{
	bool needed = e->op == LABEL_IN || e->op == LABEL_NOT_IN;
	bool some = reader_sequence(rd, list, "values", LABEL_SELECTOR_VALUES_MAX) &&
		    list->len > 0;

	if (needed && !some)
		reader_error(
		    rd, n, "operator %s in %s needs values", operators[e->op], what);
	else if (!needed && some)
		reader_error(rd, list, "operator %s in %s takes no values",
		    operators[e->op], what);
	else if (some)
		read_values(rd, list, what, e);
}

static bool
read_expression(struct reader *rd, const struct node *n, const char *what,
    struct label_expression *ret_expression)
{
	static const char *const known[] = {"key", "operator", "values"};
	struct label_expression e = {0};

	if (node_is_null(n))
		reader_error(rd, n, "an empty expression in %s: remove it", what);
	if (!reader_mapping(rd, n, "an expression"))
		return false;
	only_known(rd, n, what, known, ARRAY_LEN(known));
	if (!read_key(rd, n, reader_get(n, "key"), what, &e) ||
	    !read_operator(rd, n, reader_get(n, "operator"), what, &e))
		return false;
	check_values(rd, n, reader_get(n, "values"), what, &e);
	*ret_expression = e;
	return true;
}

static void
read_expressions(struct reader *rd, const struct node *list, const char *what,
    struct label_selector *selector)
{
	struct label_expression *expressions;
	size_t n = 0;

	if (!reader_sequence(
		rd, list, "matchExpressions", LABEL_SELECTOR_EXPRESSIONS_MAX))
		return;
	expressions = memory_array(rd->memory, list->len, sizeof(*expressions));
	if (expressions == NULL)
		return;
	for (const struct node *c = list->child; c != NULL; c = c->next)
		if (read_expression(rd, c, what, &expressions[n]))
			n++;
	selector->expressions = expressions;
	selector->count = n;
}

void
label_selector_read(struct reader *rd, const struct node *n, const char *what,
    struct label_selector *ret_selector)
{
	static const char *const known[] = {"matchLabels", "matchExpressions"};
	const struct node *labels = reader_get(n, "matchLabels");
	struct label_selector selector = {0};

	*ret_selector = selector;
	if (!reader_mapping(rd, n, what))
		return;
	only_known(rd, n, what, known, ARRAY_LEN(known));
	labels_check(rd, labels, what, LABEL_SELECTOR_LABELS_MAX);
	if (labels != NULL && labels->kind == NODE_MAPPING)
		labels_read(rd, labels, what, &selector.labels);
	read_expressions(rd, reader_get(n, "matchExpressions"), what, &selector);
	*ret_selector = selector;
}

static bool
has_value(const struct label_expression *e, const char *value)
{
	for (size_t i = 0; i < e->value_count; i++)
		if (strcmp(e->values[i], value) == 0)
			return true;
	return false;
}

static bool
holds(const struct label_expression *e, const char *value)
{
	switch (e->op) {
	case LABEL_IN:
		return value != NULL && has_value(e, value);
	case LABEL_NOT_IN:
		return value == NULL || !has_value(e, value);
	case LABEL_EXISTS:
		return value != NULL;
	case LABEL_DOES_NOT_EXIST:
		return value == NULL;
	}
	return false;
}

bool
label_selector_match(const struct label_selector *selector, const struct labels *labels)
{
	if (!labels_match(&selector->labels, labels))
		return false;
	for (size_t i = 0; i < selector->count; i++) {
		const struct label_expression *e = &selector->expressions[i];

		if (!holds(e, labels_get(labels, e->key)))
			return false;
	}
	return true;
}

static bool
expression_equal(const struct label_expression *a, const struct label_expression *b)
{
	if (strcmp(a->key, b->key) != 0 || a->op != b->op ||
	    a->value_count != b->value_count)
		return false;
	for (size_t i = 0; i < a->value_count; i++)
		if (strcmp(a->values[i], b->values[i]) != 0)
			return false;
	return true;
}

bool
label_selector_equal(const struct label_selector *a, const struct label_selector *b)
{
	if (a->labels.count != b->labels.count || !labels_match(&a->labels, &b->labels) ||
	    a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!expression_equal(&a->expressions[i], &b->expressions[i]))
			return false;
	return true;
}
