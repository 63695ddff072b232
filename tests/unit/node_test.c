/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "policy/yaml/node.h"
#include "tests/unit/alloc.h"
#include "tests/unit/cases.h"
#include "tests/unit/node_bed.h"
#include "tests/unit/unit.h"

static void
tree_of_a_document(void **state)
{
	struct seen s;
	const struct node *n;

	(void)state;
	assert_int_equal(read_text(&s, "a: 1\nb:\n  - x\n  - \"y\"\nc: {d: null}\n"), 0);
	assert_int_equal(s.documents, 1);
	assert_int_equal(s.last->kind, NODE_MAPPING);
	assert_int_equal(s.last->len, 3);
	n = node_get(s.last, "a");
	assert_true(node_is_text(n, "1"));
	assert_true(n->plain);
	assert_int_equal(n->line, 1);
	assert_int_equal(n->column, 4);
	n = node_get(s.last, "b");
	assert_int_equal(n->kind, NODE_SEQUENCE);
	assert_int_equal(n->len, 2);
	assert_true(node_is_text(n->child, "x"));
	assert_false(n->child->next->plain);
	assert_int_equal(n->child->next->line, 4);
	assert_int_equal(n->child->next->column, 5);
	assert_null(n->child->next->next);
	n = node_get(node_get(s.last, "c"), "d");
	assert_true(node_is_null(n));
	assert_string_equal(n->key->text, "d");
	assert_null(node_get(s.last, "x"));
	assert_null(node_get(NULL, "x"));
	assert_null(node_get(n, "x"));
	done(&s);
}

static void
json_is_read(void **state)
{
	struct seen s;

	(void)state;
	assert_int_equal(
	    read_text(&s, "{\"a\":{\"b\":[1,\"x\\/\\u00e4\"]},\"c\":null}"), 0);
	assert_true(node_is_null(node_get(s.last, "c")));
	assert_true(node_is_text(
	    node_get(node_get(s.last, "a"), "b")->child->next, "x/\xc3\xa4"));
	done(&s);
}

/* text, documents delivered, errors, words of the first of them */
static const struct {
	const char *title, *text;
	size_t documents, errors;
	unsigned line, column;
	const char *words;
} cases[] = {
    {"nothing", "", 0, 0, 0, 0, NULL},
    {"a comment", "# a\n", 0, 0, 0, 0, NULL},
    {"empty documents", "---\n---\n# a\n---\nnull\n...\n", 0, 0, 0, 0, NULL},
    {"three documents", "a: 1\n---\nb: 1\n---\nc: 1\n", 3, 0, 0, 0, NULL},
    {"byte order mark of UTF-8",
	"\xef\xbb\xbf"
	"a: 1\n",
	1, 0, 0, 0, NULL},
    {"anchor", "a: &x 1\n", 0, 1, 1, 4, "anchors"},
    {"anchor on a mapping", "a: &x {b: 1}\n", 0, 1, 1, 4, "anchors"},
    {"anchor on a list", "a: &x [b]\n", 0, 1, 1, 4, "anchors"},
    {"anchor and alias", "a: &x 1\nb: *x\n", 0, 2, 1, 4, "anchors"},
    {"alias of nothing", "a: *x\n", 0, 1, 1, 4, "aliases"},
    {"alias as a key", "*x : 1\n", 0, 1, 1, 1, "aliases"},
    {"unquoted wildcard", "- *.foo\n", 0, 1, 1, 4, "in quotes"},
    {"unquoted star", "- *\n", 0, 1, 1, 4, "in quotes"},
    {"tag", "a: !!str 1\n", 0, 1, 1, 4, "tags"},
    {"local tag", "a: !x {b: c}\n", 0, 1, 1, 4, "tags"},
    {"tag on a list", "a: !x [b]\n", 0, 1, 1, 4, "tags"},
    {"merge key", "a: {<<: {b: 1}}\n", 0, 1, 1, 5, "merge keys"},
    {"quoted << is a key like others", "a: {'<<': {b: 1}}\n", 1, 0, 0, 0, NULL},
    {"duplicate key", "a: 1\nb: 1\na: 2\n", 0, 1, 3, 1, "\"a\" stands twice"},
    {"duplicate key, quoted", "a: 1\n\"a\": 2\n", 0, 1, 2, 1, "\"a\" stands twice"},
    {"lists as keys, twice", "{[a, b]: 1, [a, b]: 2}\n", 0, 2, 1, 2, "a plain word"},
    {"duplicate key deep inside", "x:\n- y: {a: 1, b: 1, a: 1}\n", 0, 1, 2, 19,
	"stands twice"},
    {"duplicate among many keys",
	"a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\nj: 1\nc: 1\na: 1\n", 0, 2,
	12, 1, "\"a\" stands twice"},
    {"mapping as a key", "{a: 1}: b\n", 0, 1, 1, 1, "key"},
    {"list as a key", "? [a]\n: b\n", 0, 1, 1, 3, "key"},
    {"NUL as an escape", "a: \"x\\0y\"\n", 0, 1, 1, 4, "NUL"},
    {"control byte", "a: \x01\n", 0, 1, 1, 1, "control"},
    {"bad UTF-8", "a: 1\nb: \xff\n", 0, 1, 2, 1, "UTF-8"},
    {"overlong UTF-8", "a: \xc0\xaf\n", 0, 1, 1, 1, "UTF-8"},
    {"surrogate", "a: \xed\xa0\x80\n", 0, 1, 1, 1, "Unicode"},
    {"tab as indentation", "a:\n\tb: 1\n", 0, 1, 2, 1, "cannot start any token"},
    {"no end", "a: [1, 2\n", 0, 1, 2, 1, "not readable"},
    {"broken one between good ones", "a: 1\n---\nb: [\n---\nc: 1\n", 2, 1, 4, 1,
	"not readable"},
    {"refused one between good ones", "a: 1\n---\nb: &x 1\n---\nc: 1\n", 2, 1, 3, 4,
	"anchors"},
    {"each broken one is told of", "a: [\n---\nb: 1\n---\nc: *\n---\nd: 1\n", 2, 2, 2, 1,
	"not readable"},
    {"places behind a broken one", "a: [\n---\nb: &x 1\n", 0, 2, 2, 1, "not readable"},
};

static void
texts(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen s;
		int r = read_text(&s, cases[i].text);
		const struct finding *f = s.findings.list;
		bool good = r == (cases[i].errors > 0 ? -EINVAL : 0) &&
			    s.documents == cases[i].documents &&
			    s.findings.errors == cases[i].errors;

		if (good && cases[i].errors > 0)
			good = f->line == cases[i].line && f->column == cases[i].column &&
			       strstr(f->text, cases[i].words) != NULL;
		if (!good) {
			print_error("result %d, %zu documents, %zu errors\n", r,
			    s.documents, s.findings.errors);
			for (size_t k = 0; k < s.findings.len; k++)
				print_error(
				    "  %u:%u %s\n", f[k].line, f[k].column, f[k].text);
		}
		failed += case_failed("1.6", cases[i].title, good);
		done(&s);
	}
	assert_int_equal(failed, 0);
}

/* What follows a broken document is told with its own lines. */
static void
lines_behind_a_broken_document(void **state)
{
	struct seen s;

	(void)state;
	assert_int_equal(read_text(&s, "a: [\n---\nb: 1\nc: &x 1\n"), -EINVAL);
	assert_int_equal(s.findings.len, 2);
	assert_int_equal(s.findings.list[1].line, 4);
	assert_int_equal(s.findings.list[1].column, 4);
	done(&s);
}

static void
not_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} texts_[] = {{"\xff\xfe"
		       "a\0:\0",
			  6},
	    {"\xfe\xff\0a\0:", 6}, {"a\0:\0", 4}, {"\0a\0:", 4}, {"a: 1\0", 5},
	    {"\0\0\0\0", 4}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts_); i++) {
		struct seen s;

		assert_int_equal(read_bytes(&s, texts_[i].bytes, texts_[i].len), -EINVAL);
		assert_int_equal(s.documents, 0);
		assert_true(s.findings.errors >= 1);
		done(&s);
	}
}

static void
depth(void **state)
{
	struct buf text;
	struct seen s;

	(void)state;
	buf_init(&text, 4096);
	for (int levels = 32; levels <= 33; levels++) {
		buf_clear(&text);
		for (int i = 0; i < levels; i++)
			buf_text(&text, "[");
		for (int i = 0; i < levels; i++)
			buf_text(&text, "]");
		buf_text(&text, "\n---\na: 1\n");
		assert_int_equal(read_text(&s, text.bytes), levels == 32 ? 0 : -EINVAL);
		assert_int_equal(s.documents, levels == 32 ? 2 : 1);
		done(&s);
	}
	buf_done(&text);
}

static void
callback_ends_the_reading(void **state)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct seen s = {.answer = -ENOSPC};
	const char *text = "a: 1\n---\nb: 1\n";

	(void)state;
	findings_init(&s.findings, 1);
	assert_int_equal(
	    node_read("f", text, strlen(text), arena, &s.findings, see, &s), -ENOSPC);
	assert_int_equal(s.documents, 1);
	arena_free(arena);
	findings_done(&s.findings);
}

static void
numbers_and_words(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} numbers[] = {{"0", 0, 0}, {"7", 0, 7}, {"'65535'", 0, 65535},
	    {"65536", -EINVAL, 0}, {"-1", -EINVAL, 0}, {"+1", -EINVAL, 0},
	    {"01", -EINVAL, 0}, {"0x1", -EINVAL, 0}, {"1e1", -EINVAL, 0},
	    {"1.0", -EINVAL, 0}, {"1_0", -EINVAL, 0}, {"''", -EINVAL, 0},
	    {"18446744073709551616", -EINVAL, 0}, {"99999999999999999999999", -EINVAL, 0},
	    {"' 1'", -EINVAL, 0}, {"[1]", -EINVAL, 0}};
	struct seen s;
	char text[64];
	uint64_t value;
	bool word;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		(void)snprintf(text, sizeof(text), "a: %s\n", numbers[i].text);
		assert_int_equal(read_text(&s, text), 0);
		value = 0;
		assert_int_equal(
		    node_number(node_get(s.last, "a"), 65535, &value), numbers[i].result);
		assert_int_equal(value, numbers[i].value);
		done(&s);
	}
	assert_int_equal(node_number(NULL, 1, &value), -EINVAL);
	assert_int_equal(
	    read_text(&s, "{a: true, b: false, c: 'true', d: yes, e: ~}"), 0);
	assert_int_equal(node_bool(node_get(s.last, "a"), &word), 0);
	assert_true(word);
	assert_int_equal(node_bool(node_get(s.last, "b"), &word), 0);
	assert_false(word);
	assert_int_equal(node_bool(node_get(s.last, "c"), &word), -EINVAL);
	assert_int_equal(node_bool(node_get(s.last, "d"), &word), -EINVAL);
	assert_int_equal(node_bool(NULL, &word), -EINVAL);
	assert_false(node_is_null(node_get(s.last, "c")));
	assert_true(node_is_null(node_get(s.last, "e")));
	done(&s);
}

static void
without_memory(void **state)
{
	const char *text = "a: 1\nb: [1, 2]\n";
	struct seen s = {0};

	(void)state;
	findings_init(&s.findings, 10);
	for (size_t limit = 1; limit < 1000; limit += 16) {
		int r;

		s.arena = arena_new(limit);
		r = node_read("f", text, strlen(text), s.arena, &s.findings, see, &s);
		assert_true(r == 0 || r == -ENOMEM);
		arena_free(s.arena);
	}
	assert_true(s.documents > 0);
	assert_int_equal(s.findings.errors, 0);
	findings_done(&s.findings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tree_of_a_document),
	    cmocka_unit_test(json_is_read),
	    cmocka_unit_test(texts),
	    cmocka_unit_test(lines_behind_a_broken_document),
	    cmocka_unit_test(not_utf8),
	    cmocka_unit_test(depth),
	    cmocka_unit_test(callback_ends_the_reading),
	    cmocka_unit_test(numbers_and_words),
	    cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
