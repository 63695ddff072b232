/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/registry/documents.h"
#include "policy/registry/shelf.h"
#include "tests/unit/alloc.h"

#define MEMORY_MAX (2 * SHELF_BYTES_MAX)

static const struct hash_key key = {{1, 2}};

struct bed {
	struct memory memory;
	struct shelf shelf;
	struct documents documents;
};

static struct bed bed;

static int
set_up(void **state)
{
	int r;

	(void)state;
	memset(&bed, 0, sizeof(bed));
	shelf_init(&bed.shelf);
	r = memory_init(&bed.memory, MEMORY_MAX);
	return r == 0 ? documents_init(&bed.documents, NULL, &key) : r;
}

static int
tear_down(void **state)
{
	(void)state;
	alloc_reset();
	documents_done(&bed.documents);
	memory_done(&bed.memory);
	return 0;
}

static void
add(const char *text)
{
	assert_int_equal(documents_read(&bed.documents, text, strlen(text)), 0);
	shelf_add(&bed.shelf, &bed.memory, &bed.documents);
}

static const struct shelved *
find(const char *text)
{
	struct shelf_digest digest = shelf_digest(&key, text, strlen(text));

	return shelf_find(&bed.shelf, &digest);
}

static void
a_digest_is_of_the_text_and_the_key(void **state)
{
	static const struct hash_key other = {{1, 3}};
	struct shelf_digest a = shelf_digest(&key, "a: 1\n", 5);
	struct shelf_digest b = shelf_digest(&key, "a: 2\n", 5);
	struct shelf_digest c = shelf_digest(&other, "a: 1\n", 5);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(a.half); i++) {
		assert_int_not_equal(a.half[i], b.half[i]);
		assert_int_not_equal(a.half[i], c.half[i]);
	}
	assert_int_not_equal(a.half[0], a.half[1]);
	b = shelf_digest(&key, "a: 1\nb", 5);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void
what_was_added_is_found_once_it_is_sealed(void **state)
{
	(void)state;
	add("a: 1\n");
	add("a: 2\n---\nb: 3\n");
	assert_null(find("a: 1\n"));
	assert_int_equal(shelf_seal(&bed.shelf, &bed.memory), 0);
	assert_non_null(find("a: 1\n"));
	assert_true(find("a: 2\n---\nb: 3\n")->len > find("a: 1\n")->len);
	assert_null(find("a: 3\n"));
	assert_int_equal(bed.shelf.count, 2);
}

static void
half_a_digest_is_not_enough(void **state)
{
	struct shelf_digest digest = shelf_digest(&key, "a: 1\n", 5);

	(void)state;
	add("a: 1\n");
	assert_int_equal(shelf_seal(&bed.shelf, &bed.memory), 0);
	assert_non_null(shelf_find(&bed.shelf, &digest));
	digest.half[1]++;
	assert_null(shelf_find(&bed.shelf, &digest));
	digest.half[1]--;
	digest.half[0]++;
	assert_null(shelf_find(&bed.shelf, &digest));
}

/* Two files of one text: either is as good. */
static void
a_text_may_come_twice(void **state)
{
	(void)state;
	add("a: 1\n");
	add("a: 1\n");
	assert_int_equal(shelf_seal(&bed.shelf, &bed.memory), 0);
	assert_non_null(find("a: 1\n"));
}

static void
nothing_is_found_in_an_empty_one_or_in_none(void **state)
{
	struct shelf_digest digest = shelf_digest(&key, "", 0);

	(void)state;
	assert_null(shelf_find(NULL, &digest));
	add(""); /* no document, nothing to keep */
	assert_int_equal(bed.shelf.count, 0);
	assert_int_equal(shelf_seal(&bed.shelf, &bed.memory), 0);
	assert_null(find(""));
}

static void
a_shelf_has_a_limit(void **state)
{
	static char text[DOCUMENTS_BYTES_MAX];
	size_t count;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	do {
		count = bed.shelf.count;
		(void)snprintf(text, sizeof(text), "n: '%zu'", count);
		text[strlen(text)] = '\n';
		memcpy(text + 16, "\nt: ", 4);
		memset(text + strcspn(text, "\n"), ' ', 16 - strcspn(text, "\n"));
		add(text);
		assert_true(bed.shelf.bytes <= SHELF_BYTES_MAX);
	} while (bed.shelf.count > count);
	assert_true(bed.shelf.bytes > SHELF_BYTES_MAX - 2 * sizeof(text));
	add("a: 1\n"); /* for which there is room */
	assert_int_equal(shelf_seal(&bed.shelf, &bed.memory), 0);
	assert_null(find(text));
	assert_non_null(find("a: 1\n"));
}

static void
a_lack_of_memory_is_the_memorys(void **state)
{
	(void)state;
	assert_int_equal(documents_read(&bed.documents, "a: 1\n", 5), 0);
	memory_done(&bed.memory);
	assert_int_equal(memory_init(&bed.memory, 16), 0);
	shelf_add(&bed.shelf, &bed.memory, &bed.documents);
	assert_int_equal(bed.memory.lack, -ENOSPC);
	assert_int_equal(bed.shelf.count, 0);
	assert_int_equal(shelf_seal(&bed.shelf, &bed.memory), -ENOSPC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(a_digest_is_of_the_text_and_the_key),
	    TEST(what_was_added_is_found_once_it_is_sealed),
	    TEST(half_a_digest_is_not_enough),
	    TEST(a_text_may_come_twice),
	    TEST(nothing_is_found_in_an_empty_one_or_in_none),
	    TEST(a_shelf_has_a_limit),
	    TEST(a_lack_of_memory_is_the_memorys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
