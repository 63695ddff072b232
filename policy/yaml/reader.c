/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/yaml/reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add(struct reader *rd, enum finding_severity severity, const struct node *at,
    const char *fmt, va_list args) PRINTF_LIKE(4, 0);

static void
add(struct reader *rd, enum finding_severity severity, const struct node *at,
    const char *fmt, va_list args)
{
	unsigned line = at != NULL ? at->line : 0;
	unsigned column = at != NULL ? at->column : 0;

	findings_addv(rd->findings, severity, rd->file, line, column, fmt, args);
}

void
reader_error(struct reader *rd, const struct node *at, const char *fmt, ...)
{
	va_list args;

	rd->errors++;
	va_start(args, fmt);
	add(rd, FINDING_ERROR, at, fmt, args);
	va_end(args);
}

void
reader_warning(struct reader *rd, const struct node *at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(rd, FINDING_WARNING, at, fmt, args);
	va_end(args);
}

void
reader_note(struct reader *rd, const struct node *at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(rd, FINDING_NOTE, at, fmt, args);
	va_end(args);
}

void
reader_refuse(
    struct reader *rd, const struct node *at, const char *what, const char *message)
{
	char quoted[FINDING_QUOTE_MAX];

	reader_error(
	    rd, at, "%s %s %s", what, finding_quote(at->text, at->len, quoted), message);
}

const struct node *
reader_get(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n == NULL || node_is_null(n) ? NULL : n;
}

/* [-+]? then digits, with at most one dot and one exponent: an integer or a float of
 * YAML 1.1, in any base. "1.2.3.4" and "12ab" are none. */
static bool
looks_like_number(const char *t)
{
	char *end;

	t += *t == '-' || *t == '+';
	if (*t == '.' && (strcasecmp(t, ".inf") == 0 || strcasecmp(t, ".nan") == 0))
		return true;
	if (*t == '0' && (t[1] == 'o' || t[1] == 'b'))
		return t[2] != '\0' && t[2 + strspn(t + 2, "01234567_")] == '\0';
	if (*t != '.' && (*t < '0' || *t > '9'))
		return false;
	if (t[strspn(t, "0123456789_")] == '\0')
		return true;
	(void)strtod(t, &end); /* only where it stops matters */
	return *end == '\0' && end != t;
}

static bool
looks_like_bool(const char *t, size_t len)
{
	static const char *const words[] = {
	    "true", "false", "yes", "no", "on", "off", "y", "n"};

	if (len > strlen("false"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if ((*t | 0x20) == words[i][0] && strcasecmp(t, words[i]) == 0)
			return true;
	return false;
}

bool
reader_text(struct reader *rd, const struct node *n, const char *what)
{
	if (n == NULL || node_is_null(n))
		return false;
	if (n->kind != NODE_SCALAR) {
		reader_error(rd, n,
		    "%s must be a text: put it in quotes if it holds a colon or a "
		    "bracket",
		    what);
		return false;
	}
	if (n->plain &&
	    (looks_like_number(n->text) || looks_like_bool(n->text, n->len))) {
		reader_refuse(rd, n, what, "is no text in YAML: put it in quotes");
		return false;
	}
	return true;
}

bool
reader_mapping(struct reader *rd, const struct node *n, const char *what)
{
	if (n == NULL || node_is_null(n))
		return false;
	if (n->kind == NODE_MAPPING)
		return true;
	reader_error(rd, n, "%s must be a mapping", what);
	return false;
}

bool
reader_sequence(struct reader *rd, const struct node *n, const char *what, size_t max)
{
	if (n == NULL || node_is_null(n))
		return false;
	if (n->kind != NODE_SEQUENCE) {
		reader_error(rd, n, "%s must be a list", what);
		return false;
	}
	if (max != 0 && n->len > max) {
		reader_error(
		    rd, n, "%s has %zu elements: the limit is %zu", what, n->len, max);
		return false;
	}
	return true;
}

bool
reader_number(struct reader *rd, const struct node *n, const char *what, uint64_t min,
    uint64_t max, uint64_t *ret_value)
{
	uint64_t value;

	if (n == NULL || node_is_null(n))
		return false;
	if (n->kind == NODE_SCALAR && node_number(n, max, &value) == 0 && value >= min) {
		*ret_value = value;
		return true;
	}
	reader_error(rd, n, "%s must be a decimal number from %llu to %llu", what,
	    (unsigned long long)min, (unsigned long long)max);
	return false;
}

bool
reader_bool(struct reader *rd, const struct node *n, const char *what, bool *ret_value)
{
	if (n == NULL || node_is_null(n))
		return false;
	if (node_bool(n, ret_value) == 0)
		return true;
	reader_error(rd, n, "%s must be true or false", what);
	return false;
}

static bool
among(const char *text, const char *const known[])
{
	for (size_t i = 0; known[i] != NULL; i++)
		if (text[0] == known[i][0] && strcmp(text, known[i]) == 0)
			return true;
	return false;
}

void
reader_known(struct reader *rd, const struct node *map, const char *where,
    const char *const known[])
{
	char quoted[FINDING_QUOTE_MAX];

	for (const struct node *c = map->child; c != NULL; c = c->next)
		if (!among(c->key->text, known))
			reader_warning(rd, c->key,
			    "unknown field %s in %s is ignored: look for a misspelling "
			    "or a wrong indentation",
			    finding_quote(c->key->text, c->key->len, quoted), where);
}

/* By text, then by place. */
static int
item_compare(const void *a, const void *b)
{
	const struct reader_item *x = a;
	const struct reader_item *y = b;
	int order = strcmp(x->text, y->text);

	if (order != 0)
		return order;
	if (x->at->line != y->at->line)
		return x->at->line < y->at->line ? -1 : 1;
	return (x->at->column > y->at->column) - (x->at->column < y->at->column);
}

void
reader_unique(struct reader *rd, struct reader_item *items, size_t n, const char *what)
{
	char quoted[FINDING_QUOTE_MAX];

	if (n < 2)
		return;
	qsort(items, n, sizeof(*items), item_compare);
	for (size_t i = 1; i < n; i++)
		if (strcmp(items[i - 1].text, items[i].text) == 0)
			reader_error(rd, items[i].at, "%s %s stands twice: remove one",
			    what,
			    finding_quote(items[i].text, strlen(items[i].text), quoted));
}

char *
reader_copy(struct reader *rd, const struct node *n)
{
	return memory_text(rd->memory, n->text, n->len);
}
