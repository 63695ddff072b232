/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads one after another: what did not change, and under registryErrors: skip files that
 * break, vanish and come back.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/loader/loader.h"
#include "policy/registry/shelf.h"
#include "tests/unit/config_map.h"
#include "tests/unit/loader_bed.h"

#define TEXT_MAX 4096
#define HUGE_FILE ((off_t)LOADER_FILE_MAX + 1)

struct bed {
	struct findings findings;
	struct loader_result loaded; /* the last one that went well */
	struct loader_options options;
	int result;
	char config[LOADER_BED_PATH_MAX];
};

static struct bed bed;

static void
configure(const char *more)
{
	loader_bed_configure(more, bed.config);
	bed.options.path = bed.config;
}

static int
set_up(void **state)
{
	(void)state;
	scratch_open();
	(void)scratch_mkdir("r");
	memset(&bed, 0, sizeof(bed));
	findings_init(&bed.findings, FINDINGS_MAX);
	bed.options.shelve = true;
	configure("registryErrors: skip\n");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	findings_done(&bed.findings);
	registry_unref(bed.loaded.registry);
	config_free(bed.loaded.config);
	scratch_close();
	return 0;
}

static void
load(void)
{
	struct loader_result loaded = {0};

	findings_done(&bed.findings);
	bed.options.before = bed.loaded.registry;
	bed.result = loader_load(&bed.options, &bed.findings, &loaded);
	if (bed.result != 0)
		return;
	registry_unref(bed.loaded.registry);
	config_free(bed.loaded.config);
	bed.loaded = loaded;
}

static bool
is_registered(const char *host)
{
	return loader_bed_lists(bed.loaded.registry, host);
}

static void
assert_loaded(size_t left_out, size_t last_good)
{
	struct registry_counts c;

	assert_int_equal(bed.result, 0);
	c = registry_counts(bed.loaded.registry);
	assert_int_equal(c.left_out, left_out);
	assert_int_equal(c.last_good, last_good);
}

static bool
is_said(const char *name, const char *part)
{
	const char *path = scratch_path(name);

	for (size_t i = 0; i < bed.findings.len; i++)
		if (strcmp(bed.findings.list[i].file, path) == 0 &&
		    strstr(bed.findings.list[i].text, part) != NULL)
			return true;
	return false;
}

static void
a_broken_file_leaves_out_itself(void **state)
{
	(void)state;
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	(void)scratch_file("r/b.yaml", "kind: [\n");
	load();
	assert_loaded(1, 0);
	assert_true(is_registered("a.example"));
	assert_true(is_said("r/b.yaml", "not readable as YAML"));
}

static size_t
shelved(void)
{
	return registry_shelf(bed.loaded.registry)->count;
}

static void
what_did_not_change_is_taken_as_it_was(void **state)
{
	(void)state;
	configure("");
	for (unsigned i = 0; i < 3; i++) {
		char text[TEXT_MAX];

		(void)snprintf(
		    text, sizeof(text), "# %u\n%s", i, entry_text("b.example"));
		(void)scratch_file("r/a.yaml", entry_text("a.example"));
		(void)scratch_file("r/b.yaml", text);
		bed.options.threads = i;
		load();
		assert_loaded(0, 0);
		assert_int_equal(shelved(), 2);
		assert_true(is_registered("a.example"));
		assert_true(is_registered("b.example"));
	}
	(void)scratch_file("r/a.yaml", entry_text("c.example"));
	assert_int_equal(unlink(scratch_path("r/b.yaml")), 0);
	load();
	assert_loaded(0, 0);
	assert_int_equal(shelved(), 1);
	assert_true(is_registered("c.example"));
	assert_false(is_registered("a.example"));
	assert_false(is_registered("b.example"));
}

static void
what_there_was_to_say_is_said_again_wherever_the_text_is_now(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	(void)snprintf(text, sizeof(text), "%s  bogus: 1\n", entry_text("a.example"));
	(void)scratch_file("r/a.yaml", text);
	load();
	assert_true(is_said("r/a.yaml", "bogus"));
	load();
	assert_true(is_said("r/a.yaml", "bogus"));
	assert_int_equal(unlink(scratch_path("r/a.yaml")), 0);
	(void)scratch_file("r/b.yaml", text);
	load();
	assert_loaded(0, 0);
	assert_int_equal(bed.findings.warnings, 1);
	assert_true(is_said("r/b.yaml", "bogus"));
	assert_true(is_registered("a.example"));
}

static void
a_text_that_does_not_parse_is_not_kept(void **state)
{
	(void)state;
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	(void)scratch_file("r/b.yaml", "kind: [\n");
	for (int i = 0; i < 2; i++) {
		load();
		assert_loaded(1, 0);
		assert_int_equal(shelved(), 1);
		assert_true(is_said("r/b.yaml", "not readable as YAML"));
	}
}

static void
without_another_load_to_come_nothing_is_kept(void **state)
{
	(void)state;
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	bed.options.shelve = false;
	load();
	assert_loaded(0, 0);
	assert_null(registry_shelf(bed.loaded.registry));
	load();
	assert_true(is_registered("a.example"));
}

struct damage {
	void (*cause)(const char *path);
	const char *says;
};

static void
become_link(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("nowhere", path), 0);
}

static void
become_pipe(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void
become_device(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
}

static void
become_memory(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/proc/self/mem", path), 0);
}

static void
become_huge(const char *path)
{
	assert_int_equal(truncate(path, HUGE_FILE), 0);
}

static void
become_everybodys(const char *path)
{
	assert_int_equal(chmod(path, 0666), 0);
}

static void
become_secret(const char *path)
{
	assert_int_equal(chmod(path, 0), 0);
}

static void
a_file_that_cannot_be_read_keeps_its_objects(void **state)
{
	static const struct damage damages[] = {
	    {become_link, "does not exist"},
	    {become_pipe, "no regular file"},
	    {become_device, "leads out of its folder"},
	    {become_memory, "leads out of its folder"},
	    {become_huge, "too large"},
	    {become_everybodys, "could be changed by others"},
	    {become_secret, "may not be read by this user"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		(void)unlink(scratch_path("r/a.yaml"));
		(void)unlink(scratch_path("r/c.yaml"));
		(void)scratch_file("r/a.yaml", entry_text("a.example"));
		load();
		assert_loaded(0, 0);
		damages[i].cause(scratch_path("r/a.yaml"));
		if (damages[i].cause == become_secret &&
		    access(scratch_path("r/a.yaml"), R_OK) == 0)
			continue; /* to root nothing is secret */
		(void)scratch_file("r/c.yaml", entry_text("c.example"));
		load();
		assert_loaded(0, 1);
		assert_true(is_registered("a.example"));
		assert_true(is_registered("c.example"));
		assert_true(is_said("r/a.yaml", damages[i].says));
		assert_true(is_said("r/a.yaml", "keep their last good form"));
	}
}

static void
a_name_that_breaks_a_line_is_left_out(void **state)
{
	(void)state;
	(void)scratch_file("r/a\nb.yaml", entry_text("a.example"));
	(void)scratch_file("r/c.yaml", entry_text("c.example"));
	load();
	assert_loaded(1, 0);
	assert_true(is_registered("c.example"));
	assert_false(is_registered("a.example"));
}

static void
what_is_no_manifest_refuses_as_ever(void **state)
{
	(void)state;
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	load();
	assert_loaded(0, 0);
	configure("registryErrors: skip\nbogus: 1\n");
	load();
	assert_int_equal(bed.result, -EINVAL);
	configure("registryErrors: skip\n");
	assert_int_equal(unlink(scratch_path("r/a.yaml")), 0);
	assert_int_equal(rmdir(scratch_path("r")), 0);
	load();
	assert_int_equal(bed.result, -EINVAL);
	assert_true(is_registered("a.example"));
}

static void
a_check_is_strict(void **state)
{
	(void)state;
	(void)scratch_file("r/b.yaml", "kind: [\n");
	bed.options.strict = true;
	load();
	assert_int_equal(bed.result, -EINVAL);
	bed.options.strict = false;
	load();
	assert_loaded(1, 0);
}

static void
from_refuse_to_skip_there_are_no_last_good_forms(void **state)
{
	(void)state;
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	configure("");
	load();
	assert_loaded(0, 0);
	assert_null(registry_kept(bed.loaded.registry));
	configure("registryErrors: skip\n");
	(void)scratch_file("r/a.yaml", "kind: [\n");
	load();
	assert_loaded(1, 0);
	assert_false(is_registered("a.example"));
}

static void
ten_thousand_files(void **state)
{
	char name[32], host[32];

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "r/%05u.yaml", i);
		(void)snprintf(host, sizeof(host), "h%05u.example", i);
		(void)scratch_file(name, i == 5000 ? "kind: [\n" : entry_text(host));
	}
	load();
	assert_loaded(1, 0);
	assert_int_equal(registry_counts(bed.loaded.registry).entries, 9999);
	assert_true(is_registered("h09999.example"));
	assert_false(is_registered("h05000.example"));
}

static void
a_swapped_config_map_is_of_one_version(void **state)
{
	(void)state;
	mount_config_map();
	load();
	assert_loaded(0, 0);
	write_generation(1);
	(void)scratch_file("r/..1/b.yaml", "kind: [\n");
	swap_to(1);
	load();
	assert_loaded(0, 1);
	assert_true(is_registered("a1.example"));
	assert_true(is_registered("b0.example"));
	assert_false(is_registered("a0.example"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(what_did_not_change_is_taken_as_it_was),
	    TEST(what_there_was_to_say_is_said_again_wherever_the_text_is_now),
	    TEST(a_text_that_does_not_parse_is_not_kept),
	    TEST(without_another_load_to_come_nothing_is_kept),
	    TEST(a_broken_file_leaves_out_itself),
	    TEST(a_file_that_cannot_be_read_keeps_its_objects),
	    TEST(a_name_that_breaks_a_line_is_left_out),
	    TEST(what_is_no_manifest_refuses_as_ever),
	    TEST(a_check_is_strict),
	    TEST(from_refuse_to_skip_there_are_no_last_good_forms),
	    TEST(ten_thousand_files),
	    TEST(a_swapped_config_map_is_of_one_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
