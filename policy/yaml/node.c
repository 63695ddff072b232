/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two kinds of refusal. What is well-formed YAML but not wanted here (an anchor, a tag, a
 * duplicate key) spoils its document and reading goes on. What libyaml itself gives up on
 * ends its run: reading resumes with a new run at the next line "---", so that a broken
 * document does not hide the findings of those behind it.
 */
#include "policy/yaml/node.h"

#include <errno.h>
#include <string.h>

#include <yaml.h>

#include "policy/yaml/key.h"
#include "policy/yaml/place.h"

#define RUN_OVER 1 /* this run of libyaml ends here, perhaps there is a next one */

/* A collection whose end has not come yet. */
struct open {
	struct node *node;
	struct node *last; /* child */
	struct node *key;  /* of a mapping: read, its value still to come */
};

struct parse {
	const char *file;
	const char *text;
	size_t len;
	size_t start;       /* where this run of libyaml began */
	unsigned line_base; /* lines before start */
	struct arena *arena;
	struct findings *findings;
	node_document_fn document;
	void *ctx;
	size_t events;
	bool refused; /* a finding was added */
	bool broken;  /* in this document */
	struct node *root;
	unsigned depth;
	struct open stack[NODE_DEPTH_MAX];
};

static void
complain(struct parse *p, unsigned line, unsigned column, const char *what)
{
	findings_add(p->findings, FINDING_ERROR, p->file, line, column, "%s", what);
	p->refused = true;
	p->broken = true;
}

static void
complain_at(struct parse *p, const yaml_mark_t *mark, const char *what)
{
	complain(
	    p, p->line_base + (unsigned)mark->line + 1, (unsigned)mark->column + 1, what);
}

static void
key_repeated(void *ctx, const struct node *key)
{
	struct parse *p = ctx;
	char quoted[FINDING_QUOTE_MAX];

	findings_add(p->findings, FINDING_ERROR, p->file, key->line, key->column,
	    "the key %s stands twice in this mapping: remove one of them",
	    finding_quote(key->text, key->len, quoted));
	p->refused = true;
	p->broken = true;
}

static void
attach_key(struct parse *p, struct open *top, struct node *key, const yaml_mark_t *mark)
{
	if (key->kind != NODE_SCALAR) {
		complain_at(p, mark, "a key must be a plain word, not a list or mapping");
		key->text = "";
	} else if (key->plain && strcmp(key->text, "<<") == 0) {
		complain_at(p, mark, "merge keys are not accepted: write the keys out");
	}
	top->key = key;
}

/* n becomes the root, a key, or the last child of the innermost open collection. */
static void
attach(struct parse *p, struct node *n, const yaml_mark_t *mark)
{
	struct open *top;

	if (p->depth == 0) {
		p->root = n;
		return;
	}
	top = &p->stack[p->depth - 1];
	if (top->node->kind == NODE_MAPPING && top->key == NULL) {
		attach_key(p, top, n, mark);
		return;
	}
	n->key = top->key;
	top->key = NULL;
	if (top->last == NULL)
		top->node->child = n;
	else
		top->last->next = n;
	top->last = n;
	top->node->len++;
}

static struct node *
make_node(struct parse *p, enum node_kind kind, const yaml_mark_t *mark)
{
	struct node *n = arena_alloc(p->arena, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->kind = kind;
	n->line = p->line_base + (unsigned)mark->line + 1;
	n->column = (unsigned)mark->column + 1;
	return n;
}

static void
check_properties(struct parse *p, const yaml_char_t *anchor, const yaml_char_t *tag,
    const yaml_mark_t *mark)
{
	if (anchor != NULL)
		complain_at(p, mark, "anchors are not accepted: write the value out");
	if (tag != NULL)
		complain_at(p, mark, "tags are not accepted: remove it");
}

static int
take_scalar(struct parse *p, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct node *n = make_node(p, NODE_SCALAR, &event->start_mark);

	if (n == NULL)
		return -ENOMEM;
	n->text = arena_text(p->arena, value, len);
	if (n->text == NULL)
		return -ENOMEM;
	n->len = len;
	n->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	check_properties(
	    p, event->data.scalar.anchor, event->data.scalar.tag, &event->start_mark);
	if (memchr(value, '\0', len) != NULL)
		complain_at(p, &event->start_mark, "a NUL byte in a text: remove it");
	attach(p, n, &event->start_mark);
	return 0;
}

/* In an alias' place, so that keys and values keep alternating. */
static int
take_nothing(struct parse *p, const yaml_mark_t *mark)
{
	struct node *n = make_node(p, NODE_SCALAR, mark);

	if (n == NULL)
		return -ENOMEM;
	n->text = "";
	attach(p, n, mark);
	return 0;
}

static int
take_start(struct parse *p, enum node_kind kind, const yaml_mark_t *mark)
{
	struct node *n;

	if (p->depth == NODE_DEPTH_MAX) {
		complain_at(p, mark, "more than 32 levels deep: no manifest is");
		return RUN_OVER;
	}
	n = make_node(p, kind, mark);
	if (n == NULL)
		return -ENOMEM;
	attach(p, n, mark);
	p->stack[p->depth++] = (struct open){.node = n};
	return 0;
}

static int
take_end(struct parse *p)
{
	const struct node *n = p->stack[--p->depth].node;

	return n->kind == NODE_MAPPING ? key_repeats(n, p->arena, key_repeated, p) : 0;
}

static void
start_document(struct parse *p)
{
	p->root = NULL;
	p->depth = 0;
	p->broken = false;
}

static int
end_document(struct parse *p)
{
	const struct node *root = p->root;
	int r;

	p->root = NULL;
	if (p->broken || root == NULL || node_is_null(root))
		return 0;
	r = p->document(p->ctx, root);
	return r < 0 ? r : 0;
}

static int
take_event(struct parse *p, const yaml_event_t *event)
{
	const yaml_mark_t *mark = &event->start_mark;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		start_document(p);
		return 0;
	case YAML_DOCUMENT_END_EVENT:
		return end_document(p);
	case YAML_SCALAR_EVENT:
		return take_scalar(p, event);
	case YAML_SEQUENCE_START_EVENT:
		check_properties(p, event->data.sequence_start.anchor,
		    event->data.sequence_start.tag, mark);
		return take_start(p, NODE_SEQUENCE, mark);
	case YAML_MAPPING_START_EVENT:
		check_properties(p, event->data.mapping_start.anchor,
		    event->data.mapping_start.tag, mark);
		return take_start(p, NODE_MAPPING, mark);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return take_end(p);
	case YAML_ALIAS_EVENT:
		complain_at(p, mark,
		    "aliases are not accepted: write the value out, or put a text that "
		    "begins with * in quotes");
		return take_nothing(p, mark);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
		return 0;
	}
	return 0;
}

/* What people meant who wrote that. */
static const char *
remedy(const char *context, const char *problem)
{
	if (strstr(context, "alias") != NULL)
		return ": put a text that begins with * in quotes";
	if (strstr(problem, "unexpected ':'") != NULL)
		return ": put a text with a colon in quotes";
	return "";
}

/* Says why libyaml gave up; returns how many bytes behind start. */
static size_t
syntax_error(struct parse *p, const yaml_parser_t *parser)
{
	const char *context = parser->context != NULL ? parser->context : "";
	const char *problem = parser->problem != NULL ? parser->problem : "unreadable";
	unsigned line = (unsigned)parser->problem_mark.line;
	unsigned column = (unsigned)parser->problem_mark.column;
	const char *text = p->text + p->start;
	size_t len = p->len - p->start;
	size_t pos;

	if (parser->error == YAML_READER_ERROR) {
		pos = MIN_OF(len, parser->problem_offset);
		line = place_lines(text, pos);
		column = 0;
	} else {
		pos = place_offset(text, len, parser->problem_mark.index);
	}
	findings_add(p->findings, FINDING_ERROR, p->file, p->line_base + line + 1,
	    column + 1, "not readable as YAML: %s%s%s%s", context,
	    context[0] != '\0' ? ", " : "", problem, remedy(context, problem));
	p->refused = true;
	return pos;
}

/* Move start to the next document at or behind start + pos; false when there is none. */
static bool
next_document(struct parse *p, size_t pos)
{
	const char *text = p->text + p->start;

	if (!place_document(text, p->len - p->start, pos, &pos))
		return false;
	p->line_base += place_lines(text, pos);
	p->start += pos;
	return true;
}

static int
run_events(struct parse *p, yaml_parser_t *parser, size_t *ret_pos)
{
	yaml_event_t event;
	yaml_event_type_t type;
	size_t index;
	int r;

	do {
		if (!yaml_parser_parse(parser, &event)) {
			if (parser->error == YAML_MEMORY_ERROR)
				return -ENOMEM;
			*ret_pos = syntax_error(p, parser);
			return RUN_OVER;
		}
		type = event.type;
		index = event.start_mark.index;
		r = take_event(p, &event);
		yaml_event_delete(&event);
		if (r == RUN_OVER)
			*ret_pos =
			    place_offset(p->text + p->start, p->len - p->start, index);
		if (r != 0)
			return r;
		if (++p->events > NODE_EVENTS_MAX) {
			complain(p, 0, 0, "too many values: split the file");
			return -EINVAL;
		}
	} while (type != YAML_STREAM_END_EVENT);
	return 0;
}

/* One run of libyaml, from start on; ret_pos is where a run that is RUN_OVER ended. */
static int
run(struct parse *p, size_t *ret_pos)
{
	yaml_parser_t parser;
	int r;

	start_document(p);
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)p->text + p->start, p->len - p->start);
	r = run_events(p, &parser, ret_pos);
	yaml_parser_delete(&parser);
	return r;
}

/* What cannot be read at all is said in plain words. */
static bool
readable(struct parse *p)
{
	const unsigned char *t = (const unsigned char *)p->text;

	if (p->len > NODE_BYTES_MAX) {
		complain(p, 0, 0, "larger than 32 MiB: split the file");
		return false;
	}
	if (p->len >= 2 &&
	    ((t[0] == 0xff && t[1] == 0xfe) || (t[0] == 0xfe && t[1] == 0xff) ||
		t[0] == 0 || t[1] == 0)) {
		complain(p, 0, 0, "not UTF-8, perhaps UTF-16: save the file as UTF-8");
		return false;
	}
	return true;
}

int
node_read(const char *file, const char *text, size_t len, struct arena *arena,
    struct findings *findings, node_document_fn document, void *ctx)
{
	struct parse p = {
	    .file = file,
	    .text = text,
	    .len = len,
	    .arena = arena,
	    .findings = findings,
	    .document = document,
	    .ctx = ctx,
	};
	size_t pos = 0;
	int r;

	if (!readable(&p))
		return -EINVAL;
	/* libyaml would count the mark as a column, and the first line as indented */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		p.start = 3;
	do {
		r = run(&p, &pos);
	} while (r == RUN_OVER && next_document(&p, pos));
	if (r < 0)
		return r;
	return p.refused ? -EINVAL : 0;
}

const struct node *
node_get(const struct node *map, const char *key)
{
	if (map == NULL || map->kind != NODE_MAPPING)
		return NULL;
	for (const struct node *c = map->child; c != NULL; c = c->next)
		if (c->key->text[0] == key[0] && strcmp(c->key->text, key) == 0)
			return c;
	return NULL;
}

bool
node_is_null(const struct node *n)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (n->kind != NODE_SCALAR || !n->plain || n->len > strlen("null"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(n->text, words[i]) == 0)
			return true;
	return false;
}

bool
node_is_text(const struct node *n, const char *text)
{
	return n != NULL && n->kind == NODE_SCALAR && strcmp(n->text, text) == 0;
}

int
node_number(const struct node *n, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (n == NULL || n->kind != NODE_SCALAR || n->len == 0)
		return -EINVAL;
	/* a leading zero would mean octal to other readers */
	if (n->len > 1 && n->text[0] == '0')
		return -EINVAL;
	for (size_t i = 0; i < n->len; i++) {
		if (n->text[i] < '0' || n->text[i] > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(n->text[i] - '0'), &value))
			return -EINVAL;
	}
	if (value > max)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int
node_bool(const struct node *n, bool *ret_value)
{
	if (n == NULL || n->kind != NODE_SCALAR || !n->plain)
		return -EINVAL;
	if (strcmp(n->text, "true") == 0)
		*ret_value = true;
	else if (strcmp(n->text, "false") == 0)
		*ret_value = false;
	else
		return -EINVAL;
	return 0;
}
