/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loader/read_ahead.h"
#include "tests/unit/alloc.h"
#include "tests/unit/scratch.h"

#define FILES (READ_AHEAD_FILES * 3)
#define BYTES_MAX (DOCUMENTS_BYTES_MAX * 4)

static struct read_ahead reader;
static struct folder folder;

/* What is the matter with file i. */
enum matter {
	GOOD,
	BROKEN,
	LONG,
	TOO_LONG,
	NO_FILE,
};

static enum matter
matter_of(size_t i)
{
	switch (i % 17) {
	case 3:
		return BROKEN;
	case 5:
		return LONG;
	case 11:
		return TOO_LONG;
	case 13:
		return NO_FILE;
	default:
		return GOOD;
	}
}

static void
write_file(size_t i)
{
	char *text = calloc(1, BYTES_MAX + 32);
	char name[32];
	size_t len = 0;

	assert_non_null(text);
	(void)snprintf(name, sizeof(name), "r/%06zu.yaml", i);
	if (matter_of(i) == NO_FILE) {
		scratch_link("nowhere", name);
		free(text);
		return;
	}
	if (matter_of(i) == LONG)
		len = DOCUMENTS_BYTES_MAX + 1;
	if (matter_of(i) == TOO_LONG)
		len = BYTES_MAX + 1;
	memset(text, '\n', len);
	(void)snprintf(text + len, BYTES_MAX + 32 - len,
	    matter_of(i) == BROKEN ? "[%zu" : "n%zu", i);
	if (len > 0)
		text[len - 1] = '\n';
	(void)scratch_file(name, text);
	free(text);
}

static int
set_up(void **state)
{
	(void)state;
	scratch_open();
	(void)scratch_mkdir("r");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	alloc_reset();
	folder_done(&folder);
	scratch_close();
	return 0;
}

static void
assert_file(const struct manifest_file *f, size_t i)
{
	enum matter matter = matter_of(i);
	char word[32];

	(void)snprintf(word, sizeof(word), "n%zu", i);
	if (matter == NO_FILE || matter == TOO_LONG) {
		assert_int_equal(f->result, matter == NO_FILE ? -ENOENT : -EFBIG);
		assert_false(f->has_documents);
		return;
	}
	assert_int_equal(f->result, 0);
	assert_int_equal(f->has_documents, matter == GOOD);
	if (matter == GOOD)
		assert_true(node_is_text(f->documents.first->root, word));
	if (matter == BROKEN)
		word[0] = '[';
	assert_string_equal(f->text + strspn(f->text, "\n"), word);
}

static int
start(size_t threads)
{
	const struct read_ahead_options options = {.max = BYTES_MAX, .threads = threads};

	return read_ahead_start(&reader, &folder, &options);
}

static void
files_come_in_order_however_many_threads_read_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < FILES; i++)
		write_file(i);
	assert_int_equal(folder_open(scratch_path("r"), FILES, &folder), 0);
	assert_int_equal(folder.count, FILES);
	for (size_t threads = 0; threads <= READ_AHEAD_THREADS + 1; threads++) {
		assert_int_equal(start(threads), 0);
		assert_int_equal(
		    reader.thread_count, MIN_OF(threads, READ_AHEAD_THREADS));
		for (size_t i = 0; i < FILES; i++)
			assert_file(read_ahead_file(&reader, i), i);
		read_ahead_stop(&reader);
		assert_true(folder_is_unchanged(&folder));
	}
}

static void
reading_may_stop_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < FILES; i++)
		write_file(i);
	assert_int_equal(folder_open(scratch_path("r"), FILES, &folder), 0);
	for (size_t last = 0; last < 20; last++) {
		assert_int_equal(start(3), 0);
		for (size_t i = 0; i < last; i++)
			assert_file(read_ahead_file(&reader, i), i);
		read_ahead_stop(&reader);
	}
}

static void
an_empty_folder_starts_and_stops(void **state)
{
	(void)state;
	assert_int_equal(folder_open(scratch_path("r"), FILES, &folder), 0);
	assert_int_equal(start(2), 0);
	assert_int_equal(reader.thread_count, 0);
	read_ahead_stop(&reader);
}

static void
a_lack_of_memory_is_told(void **state)
{
	int r = -ENOMEM;

	(void)state;
	(void)scratch_file("r/a.yaml", "n0");
	assert_int_equal(folder_open(scratch_path("r"), FILES, &folder), 0);
	for (size_t n = 0; r != 0; n++) {
		alloc_fail_at(n);
		r = start(0);
		if (r == 0) {
			const struct manifest_file *f = read_ahead_file(&reader, 0);

			/* without documents there still is the text */
			r = f->result;
			if (r == 0 && f->has_documents)
				assert_file(f, 0);
			if (r == 0 && !f->has_documents)
				r = -ENOMEM;
			read_ahead_stop(&reader);
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
	    TEST(files_come_in_order_however_many_threads_read_them),
	    TEST(reading_may_stop_anywhere),
	    TEST(an_empty_folder_starts_and_stops),
	    TEST(a_lack_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
