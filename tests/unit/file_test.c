/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/file.h"
#include "tests/unit/scratch.h"

static int
set_up(void **state)
{
	(void)state;
	scratch_open();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scratch_close();
	return 0;
}

static void
file_read_gives_bytes_and_identity(void **state)
{
	const char *path = scratch_file("f", "hello");
	struct file_identity id, again;
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, path, 0, 5, &id, &text, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal(text, "hello");
	free(text);
	again = file_identify(AT_FDCWD, path);
	assert_true(file_same(&id, &again));
	assert_int_equal(truncate(path, 4), 0);
	again = file_identify(AT_FDCWD, path);
	assert_false(file_same(&id, &again));
	assert_int_equal(unlink(path), 0);
	again = file_identify(AT_FDCWD, path);
	assert_int_equal(again.ino, 0);
	assert_int_equal(
	    file_read(AT_FDCWD, scratch_file("g", "hello"), 0, 4, &id, &text, &len),
	    -EFBIG);
}

/* Its size says 0, and reading gives more: it is not the file that its size tells of. */
static void
a_file_of_another_size_than_it_says_is_not_believed(void **state)
{
	struct file_identity id;
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", FILE_ANY_OWNER, 100000,
			     &id, &text, &len),
	    -ESTALE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(file_read_gives_bytes_and_identity),
	    TEST(a_file_of_another_size_than_it_says_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
