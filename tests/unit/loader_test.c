/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/loader/loader.h"
#include "tests/unit/alloc.h"
#include "tests/unit/config_map.h"
#include "tests/unit/loader_bed.h"

#define TEXT_MAX 2048
#define STORM_LOADS 12
#define HUGE_FILE ((off_t)LOADER_FILE_MAX + 1)

struct bed {
	struct findings findings;
	size_t threads;
	struct loader_result loaded;
	int result;
	char config[LOADER_BED_PATH_MAX];
};

static struct bed bed;
static const struct hash_key key = {{1, 2}};

static void
forget(void)
{
	findings_done(&bed.findings);
	findings_init(&bed.findings, FINDINGS_MAX);
	if (bed.loaded.registry != NULL)
		registry_unref(bed.loaded.registry);
	config_free(bed.loaded.config);
	bed.loaded = (struct loader_result){0};
}

static void
configure(const char *more)
{
	loader_bed_configure(more, bed.config);
}

static int
set_up(void **state)
{
	(void)state;
	scratch_open();
	(void)scratch_mkdir("r");
	memset(&bed, 0, sizeof(bed));
	findings_init(&bed.findings, FINDINGS_MAX);
	bed.threads = 2;
	configure("");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	alloc_reset();
	forget();
	scratch_close();
	return 0;
}

static void
dump(void)
{
	for (size_t i = 0; i < bed.findings.len; i++) {
		char *text = finding_format(&bed.findings.list[i]);

		print_message("%s\n", text != NULL ? text : "?");
		free(text);
	}
}

static int
call(void)
{
	struct loader_options options = {
	    .path = bed.config, .hash_key = key, .threads = bed.threads};

	return loader_load(&options, &bed.findings, &bed.loaded);
}

static void
load(void)
{
	forget();
	bed.result = call();
	assert_int_equal(bed.result == 0, bed.loaded.registry != NULL);
	assert_int_equal(bed.result == 0, bed.loaded.config != NULL);
}

static void
load_well(void)
{
	load();
	if (bed.result != 0)
		dump();
	assert_int_equal(bed.result, 0);
}

/* One error, about name in the folder, that says part. */
static void
load_badly(const char *name, const char *part)
{
	const char *path = scratch_path(name);

	load();
	assert_int_equal(bed.result, -EINVAL);
	if (bed.findings.errors != 1 || strcmp(bed.findings.list[0].file, path) != 0 ||
	    strstr(bed.findings.list[0].text, part) == NULL)
		dump();
	assert_int_equal(bed.findings.errors, 1);
	assert_string_equal(bed.findings.list[0].file, path);
	assert_non_null(strstr(bed.findings.list[0].text, part));
}

static bool
is_registered(const char *host)
{
	return loader_bed_lists(bed.loaded.registry, host);
}

static size_t
entries(void)
{
	return registry_counts(bed.loaded.registry).entries;
}

static void
manifests_of_every_ending_are_read(void **state)
{
	(void)state;
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	(void)scratch_file("r/b.yml", entry_text("b.example"));
	(void)scratch_file("r/c.json",
	    "{\"apiVersion\": \"networking.istio.io/v1\", \"kind\": \"ServiceEntry\","
	    "\"metadata\": {\"name\": \"c\", \"namespace\": \"default\"}, \"spec\":"
	    "{\"hosts\": [\"c.example\"], \"resolution\": \"DNS\", \"ports\":"
	    "[{\"number\": 443, \"name\": \"tls\", \"protocol\": \"TLS\"}]}}");
	load_well();
	assert_int_equal(entries(), 3);
	assert_true(is_registered("a.example"));
	assert_true(is_registered("b.example"));
	assert_true(is_registered("c.example"));
	assert_int_equal(registry_mode(bed.loaded.registry), OUTBOUND_REGISTRY_ONLY);
}

static void
other_names_are_passed_over(void **state)
{
	(void)state;
	(void)scratch_file("r/README", "[[[");
	(void)scratch_file("r/a.yaml~", "[[[");
	(void)scratch_file("r/.a.yaml", "[[[");
	(void)scratch_file("r/..a.yaml", "[[[");
	(void)scratch_file("r/.yaml", "[[[");
	(void)scratch_file("r/ayaml", "[[[");
	(void)scratch_mkdir("r/folder");
	assert_int_equal(mkfifo(scratch_path("r/pipe"), 0600), 0);
	load_well();
	assert_int_equal(entries(), 0);
	assert_int_equal(bed.findings.len, 0);
}

static void
all_folders_are_read(void **state)
{
	char more[TEXT_MAX];

	(void)state;
	(void)scratch_mkdir("s");
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	(void)scratch_file("s/a.yaml", entry_text("b.example"));
	(void)snprintf(more, sizeof(more),
	    "upstreams: [192.0.2.53]\nregistry: [%s, %s]\n", scratch_path("r"),
	    scratch_path("s"));
	(void)snprintf(
	    bed.config, sizeof(bed.config), "%s", scratch_file("d.yaml", more));
	load_well();
	assert_int_equal(entries(), 2);
}

static void
zones_and_own_ranges_reach_the_registry(void **state)
{
	struct registry_host external = {.host = "a.example"};
	struct verdict v;
	struct name n;
	struct addr inside, outside;

	(void)state;
	configure("zones: [{name: corp.test, upstreams: [192.0.2.1]}]\n"
		  "pods: {cidrs: [203.0.113.0/25]}\ninternal: [203.0.113.128/25]\n");
	load_well();
	assert_int_equal(name_parse("db.corp.test", 12, &n), 0);
	registry_judge(bed.loaded.registry, NULL, &n, &v);
	assert_int_equal(v.kind, VERDICT_ZONE);
	assert_int_equal(v.zone, 0);
	assert_int_equal(addr_parse("203.0.113.1", 11, &inside), 0);
	assert_int_equal(addr_parse("198.51.100.1", 12, &outside), 0);
	assert_false(registry_permits(bed.loaded.registry, &external, &inside));
	assert_int_equal(addr_parse("203.0.113.200", 13, &inside), 0);
	assert_false(registry_permits(bed.loaded.registry, &external, &inside));
	assert_true(registry_permits(bed.loaded.registry, &external, &outside));
}

static void
a_bad_manifest_is_told_with_file_and_place_and_nothing_is_loaded(void **state)
{
	(void)state;
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	(void)scratch_file("r/b.yaml", "a: b\nc: [\n");
	load();
	assert_int_equal(bed.result, -EINVAL);
	assert_true(bed.findings.errors > 0);
	assert_string_equal(bed.findings.list[0].file, scratch_path("r/b.yaml"));
	assert_true(bed.findings.list[0].line > 0);
}

static void
a_bad_configuration_is_told_and_nothing_is_loaded(void **state)
{
	(void)state;
	configure("bogus: 1\n");
	load();
	assert_int_equal(bed.result, -EINVAL);
	assert_string_equal(bed.findings.list[0].file, bed.config);
	assert_int_equal(bed.findings.list[0].line, 4);
}

/* Counts hold also for what the list has no room for. */
static void
more_findings_than_the_limit_are_counted(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "r/%d.yaml", i);
		scratch_link("nowhere", name);
	}
	findings_done(&bed.findings);
	findings_init(&bed.findings, 2);
	assert_int_equal(call(), -EINVAL);
	assert_int_equal(bed.findings.len, 2);
	assert_int_equal(bed.findings.errors, 5);
	assert_int_equal(bed.findings.dropped, 3);
}

static void
what_is_no_regular_file_is_an_error_and_never_a_wait(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(scratch_path("r/a.yaml"), 0600), 0);
	load_badly("r/a.yaml", "no regular file");
	assert_int_equal(unlink(scratch_path("r/a.yaml")), 0);
	(void)scratch_mkdir("r/b.yaml");
	load_badly("r/b.yaml", "is a folder");
	assert_int_equal(rmdir(scratch_path("r/b.yaml")), 0);
	scratch_link("nowhere", "r/c.yaml");
	load_badly("r/c.yaml", "does not exist");
	assert_int_equal(unlink(scratch_path("r/c.yaml")), 0);
	scratch_link("d.yaml", "r/d.yaml");
	load_badly("r/d.yaml", "leads to itself");
}

static void
links_that_lead_out_of_their_folder_are_errors(void **state)
{
	static const char *const targets[] = {
	    "/dev/zero", "/proc/self/mem", "../outside.yaml", "/etc/hostname"};

	(void)state;
	(void)scratch_file("outside.yaml", entry_text("a.example"));
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		scratch_link(targets[i], "r/a.yaml");
		load_badly("r/a.yaml", "leads out of its folder");
		assert_int_equal(unlink(scratch_path("r/a.yaml")), 0);
	}
	/* What matters is where the file lies, not by which way the link goes there. */
	assert_int_equal(mkdir(scratch_path("r/below"), 0755), 0);
	(void)scratch_file("r/below/real.yaml", entry_text("a.example"));
	scratch_link(scratch_path("r/below/real.yaml"), "r/a.yaml");
	load_well();
}

static void
a_manifest_that_others_may_change_is_an_error(void **state)
{
	const char *path = scratch_file("r/a.yaml", entry_text("a.example"));

	(void)state;
	assert_int_equal(chmod(path, 0666), 0);
	load_badly("r/a.yaml", "could be changed by others");
	assert_int_equal(chmod(path, 0644), 0);
	load_well();
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(path, 65534, 0), 0);
	load_badly("r/a.yaml", "could be changed by others");
	assert_int_equal(chown(path, 0, 65534), 0);
	assert_int_equal(chmod(path, 0664), 0);
	load_well();
	assert_int_equal(bed.findings.warnings, 1);
}

static void
a_file_above_the_limit_is_not_read(void **state)
{
	const char *path = scratch_file("r/a.yaml", "");

	(void)state;
	assert_int_equal(truncate(path, HUGE_FILE), 0);
	load_badly("r/a.yaml", "too large");
}

static void
control_bytes_in_a_file_name_are_an_error(void **state)
{
	(void)state;
	(void)scratch_file("r/a\nb.yaml", entry_text("a.example"));
	load_badly("r", "control bytes in the file name \"a\\x0ab.yaml\"");
}

static void
a_folder_that_is_none_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(rmdir(scratch_path("r")), 0);
	load_badly("r", "No such file or directory");
	(void)scratch_file("r", "x");
	load_badly("r", "Not a directory");
}

static void
a_missing_default_folder_is_a_warning(void **state)
{
	(void)state;
	if (access(CONFIG_DEFAULT_REGISTRY, F_OK) == 0)
		skip(); /* this machine has one */
	(void)snprintf(bed.config, sizeof(bed.config), "%s",
	    scratch_file("d.yaml", "upstreams: [192.0.2.53]\n"));
	load_well();
	assert_int_equal(bed.findings.warnings, 1);
	assert_string_equal(bed.findings.list[0].file, CONFIG_DEFAULT_REGISTRY);
}

static void
a_mounted_config_map_is_read_once_and_through_its_links(void **state)
{
	(void)state;
	mount_config_map();
	load_well();
	assert_int_equal(entries(), 2);
	assert_true(is_registered("a0.example"));
	write_generation(1);
	swap_to(1);
	load_well();
	assert_int_equal(entries(), 2);
	assert_true(is_registered("b1.example"));
	assert_false(is_registered("b0.example"));
}

struct storm {
	atomic_bool over;
	unsigned generation;
};

/* Swap without a pause, removing what is old as the kubelet does. Meanwhile the test's
 * own thread makes no scratch paths, which are not for two. */
static void *
blow(void *ctx)
{
	struct storm *s = ctx;

	while (!atomic_load(&s->over)) {
		write_generation(s->generation + 1);
		swap_to(s->generation + 1);
		remove_generation(s->generation);
		s->generation++;
	}
	return NULL;
}

/* Whatever the timing: both hosts of one generation, or an error that says why. */
static void
assert_no_mix(void)
{
	if (bed.result != 0) {
		assert_int_equal(bed.result, -EINVAL);
		assert_int_equal(bed.findings.errors, 1);
		assert_non_null(strstr(bed.findings.list[0].text, "changed each of"));
		return;
	}
	assert_int_equal(entries(), 2);
	assert_int_equal(is_registered("a0.example"), is_registered("b0.example"));
	assert_int_equal(is_registered("a1.example"), is_registered("b1.example"));
	assert_int_not_equal(is_registered("a0.example"), is_registered("a1.example"));
}

static void
a_storm_of_swaps_never_gives_a_mixed_registry(void **state)
{
	struct storm storm = {.generation = 0};
	pthread_t thread;

	(void)state;
	mount_config_map();
	assert_int_equal(pthread_create(&thread, NULL, blow, &storm), 0);
	for (int i = 0; i < STORM_LOADS; i++) {
		load();
		assert_no_mix();
	}
	atomic_store(&storm.over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	load_well();
	assert_no_mix();
}

static void
a_load_that_runs_out_of_memory_fails_cleanly_wherever_it_does(void **state)
{
	size_t n = 0;
	int r;

	(void)state;
	bed.threads = 0; /* the n-th allocation is the same one each time */
	(void)scratch_file("r/a.yaml", entry_text("a.example"));
	for (;; n++) {
		forget();
		alloc_fail_at(n);
		r = call();
		if (alloc_count() <= n)
			break; /* it needed no more than that */
		/* Only a finding's own text may be lost without a failure. */
		assert_true(r == -ENOMEM || r == -EINVAL || r == 0);
		alloc_reset();
	}
	alloc_reset();
	assert_int_equal(r, 0);
	assert_true(n > 20);
	assert_true(is_registered("a.example"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(manifests_of_every_ending_are_read),
	    TEST(other_names_are_passed_over),
	    TEST(all_folders_are_read),
	    TEST(zones_and_own_ranges_reach_the_registry),
	    TEST(a_bad_manifest_is_told_with_file_and_place_and_nothing_is_loaded),
	    TEST(a_bad_configuration_is_told_and_nothing_is_loaded),
	    TEST(more_findings_than_the_limit_are_counted),
	    TEST(what_is_no_regular_file_is_an_error_and_never_a_wait),
	    TEST(links_that_lead_out_of_their_folder_are_errors),
	    TEST(a_manifest_that_others_may_change_is_an_error),
	    TEST(a_file_above_the_limit_is_not_read),
	    TEST(control_bytes_in_a_file_name_are_an_error),
	    TEST(a_folder_that_is_none_is_an_error),
	    TEST(a_missing_default_folder_is_a_warning),
	    TEST(a_mounted_config_map_is_read_once_and_through_its_links),
	    TEST(a_storm_of_swaps_never_gives_a_mixed_registry),
	    TEST(a_load_that_runs_out_of_memory_fails_cleanly_wherever_it_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
