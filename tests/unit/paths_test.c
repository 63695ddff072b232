/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/loader/paths.h"
#include "tests/unit/alloc.h"
#include "tests/unit/config_map.h"

#define PATH_SIZE 256
#define PATHS_MAX 4

struct bed {
	struct findings findings;
	struct loader_result loaded;
	char text[PATHS_MAX][PATH_SIZE];
	char *paths[PATHS_MAX];
	size_t count;
	int stdin_fd; /* the real one */
};

static struct bed bed;
static const struct hash_key key = {{1, 2}};

static int
set_up(void **state)
{
	(void)state;
	scratch_open();
	memset(&bed, 0, sizeof(bed));
	findings_init(&bed.findings, FINDINGS_MAX);
	bed.stdin_fd = dup(STDIN_FILENO);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	alloc_reset();
	findings_done(&bed.findings);
	registry_unref(bed.loaded.registry);
	config_free(bed.loaded.config);
	if (bed.stdin_fd >= 0) {
		assert_int_equal(dup2(bed.stdin_fd, STDIN_FILENO), STDIN_FILENO);
		(void)close(bed.stdin_fd); /* nothing is buffered in it */
	}
	scratch_close();
	return 0;
}

static void
name_path(const char *path)
{
	char *text = bed.text[bed.count];

	(void)snprintf(text, PATH_SIZE, "%s", path);
	bed.paths[bed.count++] = text;
}

static int
load(const char *config)
{
	findings_done(&bed.findings);
	registry_unref(bed.loaded.registry);
	config_free(bed.loaded.config);
	bed.loaded = (struct loader_result){0};
	return paths_load(config, bed.paths, bed.count, &key, &bed.findings, &bed.loaded);
}

static size_t
entries(void)
{
	return registry_counts(bed.loaded.registry).entries;
}

static bool
says(const char *file, const char *part)
{
	for (size_t i = 0; i < bed.findings.len; i++)
		if (strcmp(bed.findings.list[i].file, file) == 0 &&
		    strstr(bed.findings.list[i].text, part) != NULL)
			return true;
	return false;
}

static void
files_folders_and_standard_input_are_read(void **state)
{
	int fd;

	(void)state;
	(void)scratch_mkdir("r");
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	(void)scratch_file("r/b.json", entry_text("b.example"));
	(void)scratch_file("r/readme.txt", "not a manifest");
	name_path(scratch_path("r/"));
	name_path(scratch_file("named.txt", entry_text("c.example")));
	name_path(PATHS_STDIN);
	fd = open(scratch_file("in", entry_text("d.example")), O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	(void)close(fd); /* only read */
	assert_int_equal(load(NULL), 0);
	assert_int_equal(entries(), 4);
	assert_int_equal(bed.findings.len, 0);
	assert_int_equal(bed.loaded.config->upstream_count, 0);
	assert_true(bed.loaded.config->internal_count > 0);
}

static void
what_cannot_be_read_is_an_error_with_its_path(void **state)
{
	const char *open_to_all;

	(void)state;
	name_path(scratch_path("absent.yaml"));
	open_to_all = scratch_file("all.yaml", entry_text("a.example"));
	assert_int_equal(chmod(open_to_all, 0666), 0);
	name_path(open_to_all);
	name_path("/dev/null");
	name_path("a\nb");
	assert_int_equal(load(NULL), -EINVAL);
	assert_int_equal(bed.findings.errors, 4);
	assert_true(says(bed.paths[0], "does not exist"));
	assert_true(says(bed.paths[1], ""));
	assert_true(says(bed.paths[2], "no regular file"));
	assert_true(says("PATH", "control bytes"));
	assert_null(bed.loaded.registry);
}

static void
standard_input_is_read_once_and_up_to_the_limit_of_a_file(void **state)
{
	const char *large = scratch_file("large", "");
	int fd;

	(void)state;
	assert_int_equal(truncate(large, (off_t)LOADER_FILE_MAX + 1), 0);
	fd = open(large, O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	(void)close(fd); /* only read */
	name_path(PATHS_STDIN);
	name_path(PATHS_STDIN);
	assert_int_equal(load(NULL), -EINVAL);
	assert_int_equal(bed.findings.errors, 2);
	assert_true(says(PATHS_STDIN_NAME, "named twice"));
}

static void
a_folder_without_manifests_is_a_warning(void **state)
{
	(void)state;
	name_path(scratch_mkdir("empty"));
	assert_int_equal(load(NULL), 0);
	assert_int_equal(entries(), 0);
	assert_int_equal(bed.findings.warnings, 1);
}

static void
a_configuration_says_what_is_ours_but_not_which_manifests(void **state)
{
	const char *config = scratch_file("c.yaml",
	    "upstreams: [192.0.2.53]\nregistry: [/nonexistent]\n"
	    "zones: [{name: inside.example, upstreams: [192.0.2.54]}]\n");

	(void)state;
	name_path(scratch_file("a.yaml", entry_text("a.inside.example")));
	assert_int_equal(load(config), 0);
	assert_true(says(bed.paths[0], "lies in an internal zone"));
	config = scratch_file("c.yaml", "unknown: 1\n");
	(void)scratch_file("a.yaml", "kind: {\n");
	assert_int_equal(load(config), -EINVAL);
	assert_true(says(config, "unknown key"));
	assert_true(says(bed.paths[0], ""));
}

static void
a_load_without_memory_fails_cleanly_wherever_it_does(void **state)
{
	size_t count;

	(void)state;
	(void)scratch_mkdir("r");
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	name_path(scratch_path("r"));
	alloc_reset();
	assert_int_equal(load(NULL), 0);
	count = alloc_count();
	for (size_t i = 0; i < count; i++) {
		alloc_fail_at(i);
		assert_int_equal(load(NULL), -ENOMEM);
	}
	alloc_reset();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		files_folders_and_standard_input_are_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_cannot_be_read_is_an_error_with_its_path, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		standard_input_is_read_once_and_up_to_the_limit_of_a_file, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_folder_without_manifests_is_a_warning, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_configuration_says_what_is_ours_but_not_which_manifests, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		a_load_without_memory_fails_cleanly_wherever_it_does, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
