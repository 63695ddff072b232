/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/registry/documents.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

static const struct hash_key key = {{1, 2}};
static struct documents documents;

static int
set_up(void **state)
{
	(void)state;
	return documents_init(&documents, NULL, &key);
}

static int
tear_down(void **state)
{
	(void)state;
	alloc_reset();
	documents_done(&documents);
	documents_done(&documents); /* twice does no harm */
	return 0;
}

/* The text is gone afterwards. */
static int
read_copy(const char *text)
{
	char *copy = strdup(text);
	int r;

	assert_non_null(copy);
	r = documents_read(&documents, copy, strlen(copy));
	free(copy);
	return r;
}

static void
documents_come_out_in_order(void **state)
{
	const struct document *d;

	(void)state;
	assert_int_equal(read_copy("a: 1\n---\n---\nb: 2\n--- {c: 3}\n"), 0);
	d = documents.first;
	assert_true(node_is_text(node_get(d->root, "a"), "1"));
	d = d->next; /* an empty one is passed over */
	assert_true(node_is_text(node_get(d->root, "b"), "2"));
	d = d->next;
	assert_true(node_is_text(node_get(d->root, "c"), "3"));
	assert_null(d->next);
	assert_int_equal(read_copy("d: 4\n"), 0);
	assert_true(node_is_text(node_get(documents.first->root, "d"), "4"));
	assert_null(documents.first->next);
	assert_int_equal(read_copy(""), 0);
	assert_null(documents.first);
}

static void
what_there_is_something_to_say_about_is_left_to_others(void **state)
{
	static const char *const texts[] = {
	    "a: 1\n---\nb: [\n",
	    "a: 1\n---\nb: &x 2\n",
	    "a: 1\na: 2\n",
	    "a: 1\n---\n\xff\n",
	    "\xff\xfe\x61\x00",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(read_copy(texts[i]), -EINVAL);
		assert_null(documents.first);
	}
}

static void
a_text_has_a_limit(void **state)
{
	char *text = malloc(DOCUMENTS_BYTES_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', DOCUMENTS_BYTES_MAX + 1);
	memcpy(text, "a: 1", 4);
	assert_int_equal(documents_read(&documents, text, DOCUMENTS_BYTES_MAX), 0);
	assert_int_equal(
	    documents_read(&documents, text, DOCUMENTS_BYTES_MAX + 1), -EFBIG);
	assert_null(documents.first);
	/* as many nodes as bytes can make */
	memset(text, ',', DOCUMENTS_BYTES_MAX);
	for (size_t i = 0; i < DOCUMENTS_BYTES_MAX; i += 2)
		text[i] = '1';
	text[0] = '[';
	text[1] = ' ';
	text[DOCUMENTS_BYTES_MAX - 1] = ']';
	assert_int_equal(documents_read(&documents, text, DOCUMENTS_BYTES_MAX), 0);
	assert_true(documents.first->root->len > DOCUMENTS_BYTES_MAX / 2 - 3);
	free(text);
}

/* Read again from what was kept of two texts. */
static void
documents_come_out_of_a_shelf_as_they_were(void **state)
{
	static const char *const texts[] = {
	    "a: 1\n---\n---\nb: {c: [2, 'x']}\n", "kind: Service\n"};
	const struct document *d;
	struct memory memory;
	struct shelf shelf;

	(void)state;
	shelf_init(&shelf);
	assert_int_equal(memory_init(&memory, 4096), 0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(read_copy(texts[i]), 0);
		assert_null(documents.shelved);
		shelf_add(&shelf, &memory, &documents);
	}
	assert_int_equal(shelf_seal(&shelf, &memory), 0);
	documents_done(&documents);

	assert_int_equal(documents_init(&documents, &shelf, &key), 0);
	assert_int_equal(read_copy(texts[0]), 0);
	assert_non_null(documents.shelved);
	d = documents.first;
	assert_true(node_is_text(node_get(d->root, "a"), "1"));
	d = d->next;
	assert_true(node_is_text(node_get(node_get(d->root, "b"), "c")->child, "2"));
	assert_int_equal(node_get(d->root, "b")->line, 4);
	assert_null(d->next);
	/* and kept again from there */
	shelf_init(&shelf);
	shelf_add(&shelf, &memory, &documents);
	assert_int_equal(shelf_seal(&shelf, &memory), 0);
	assert_int_equal(read_copy("a: 2\n"), 0);
	assert_null(documents.shelved);
	assert_int_equal(read_copy(texts[1]), 0);
	assert_null(documents.shelved);
	assert_int_equal(read_copy(texts[0]), 0);
	assert_non_null(documents.shelved);
	assert_true(node_is_text(node_get(documents.first->root, "a"), "1"));
	assert_non_null(documents.first->next);
	documents_done(&documents);
	memory_done(&memory);
}

static void
a_lack_of_memory_leaves_nothing(void **state)
{
	int r = -ENOMEM;

	(void)state;
	for (size_t n = 0; r != 0; n++) {
		documents_done(&documents);
		alloc_fail_at(n);
		r = documents_init(&documents, NULL, &key);
		if (r == 0) {
			r = read_copy("a: [1, 2, 3]\n---\nb: 2\n");
			assert_true(r == 0 || documents.first == NULL);
		}
		assert_true(r == 0 || r == -ENOMEM);
		alloc_reset();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(documents_come_out_in_order),
	    TEST(what_there_is_something_to_say_about_is_left_to_others),
	    TEST(a_text_has_a_limit),
	    TEST(documents_come_out_of_a_shelf_as_they_were),
	    TEST(a_lack_of_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
