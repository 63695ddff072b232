/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/loader/folder.h"
#include "tests/unit/config_map.h"

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
	scratch_close();
	return 0;
}

/* Lists the folder and reads all of it. */
static void
open_and_read(struct folder *f)
{
	char *text;
	size_t len;

	assert_int_equal(folder_open(scratch_path("r"), 10, f), 0);
	for (size_t i = 0; i < f->count; i++) {
		assert_int_equal(folder_read(f, i, ENTRY_TEXT_MAX, &text, &len), 0);
		free(text);
	}
}

static void
a_swap_between_two_files_is_noticed(void **state)
{
	struct folder f;
	char *text;
	size_t len;

	(void)state;
	mount_config_map();
	write_generation(1);
	open_and_read(&f);
	assert_int_equal(f.count, 2);
	assert_string_equal(f.data, "..0");
	assert_true(folder_is_unchanged(&f));
	folder_done(&f);
	assert_int_equal(folder_open(scratch_path("r"), 10, &f), 0);
	assert_int_equal(folder_read(&f, 0, ENTRY_TEXT_MAX, &text, &len), 0);
	free(text);
	swap_to(1);
	assert_int_equal(folder_read(&f, 1, ENTRY_TEXT_MAX, &text, &len), 0);
	free(text);
	assert_false(folder_is_unchanged(&f));
	folder_done(&f);
}

/* Each way to change a folder of plain files. */
static void
every_change_of_a_folder_is_noticed(void **state)
{
	struct folder f;

	(void)state;
	(void)scratch_file("r/a.yaml", "one");
	(void)scratch_file("new", "two");
	open_and_read(&f);
	(void)scratch_file("r/other", "not ours");
	assert_true(folder_is_unchanged(&f));
	(void)scratch_file("r/b.yaml", "");
	assert_false(folder_is_unchanged(&f));
	assert_int_equal(unlink(scratch_path("r/b.yaml")), 0);
	assert_true(folder_is_unchanged(&f));
	(void)scratch_file("r/a.yaml", "longer");
	assert_false(folder_is_unchanged(&f));
	folder_done(&f);
	open_and_read(&f);
	assert_int_equal(rename(scratch_path("new"), scratch_path("r/a.yaml")), 0);
	assert_false(folder_is_unchanged(&f));
	folder_done(&f);
	open_and_read(&f);
	assert_int_equal(rename(scratch_path("r/a.yaml"), scratch_path("r/c.yaml")), 0);
	assert_false(folder_is_unchanged(&f));
	folder_done(&f);
}

/* What could not be read is unchanged as long as it still cannot, for the same reason. */
static void
a_file_that_could_not_be_read_is_watched_too(void **state)
{
	struct folder f;
	char *text;
	size_t len;

	(void)state;
	scratch_link("nowhere", "r/a.yaml");
	assert_int_equal(folder_open(scratch_path("r"), 10, &f), 0);
	assert_int_equal(folder_read(&f, 0, ENTRY_TEXT_MAX, &text, &len), -ENOENT);
	assert_true(folder_is_unchanged(&f));
	(void)scratch_file("r/nowhere", "one");
	assert_false(folder_is_unchanged(&f));
	assert_int_equal(folder_read(&f, 0, 2, &text, &len), -EFBIG);
	assert_true(folder_is_unchanged(&f));
	(void)scratch_file("r/nowhere", "other");
	assert_false(folder_is_unchanged(&f));
	folder_done(&f);
}

static void
a_folder_put_in_the_place_of_another_is_noticed(void **state)
{
	struct folder f;

	(void)state;
	(void)scratch_mkdir("s");
	assert_int_equal(folder_open(scratch_path("r"), 10, &f), 0);
	assert_int_equal(rmdir(scratch_path("r")), 0);
	assert_false(folder_is_unchanged(&f));
	assert_int_equal(rename(scratch_path("s"), scratch_path("r")), 0);
	assert_false(folder_is_unchanged(&f));
	folder_done(&f);
}

static void
a_listing_is_sorted_and_has_a_limit(void **state)
{
	struct folder f;

	(void)state;
	(void)scratch_file("r/b.yaml", "");
	(void)scratch_file("r/a.json", "");
	(void)scratch_file("r/c.yml", "");
	assert_int_equal(folder_open(scratch_path("r"), 3, &f), 0);
	assert_int_equal(f.count, 3);
	assert_string_equal(f.files[0].name, "a.json");
	assert_string_equal(f.files[1].name, "b.yaml");
	assert_string_equal(f.files[2].name, "c.yml");
	folder_done(&f);
	folder_done(&f); /* twice does no harm */
	assert_int_equal(folder_open(scratch_path("r"), 2, &f), -E2BIG);
	assert_int_equal(folder_open(scratch_path("none"), 2, &f), -ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(a_swap_between_two_files_is_noticed),
	    TEST(every_change_of_a_folder_is_noticed),
	    TEST(a_file_that_could_not_be_read_is_watched_too),
	    TEST(a_folder_put_in_the_place_of_another_is_noticed),
	    TEST(a_listing_is_sorted_and_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
