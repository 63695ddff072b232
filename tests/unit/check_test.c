/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loader/check.h"
#include "tests/unit/alloc.h"
#include "tests/unit/scratch.h"

#define ENTRY(name, spec)                                                                \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"                  \
	"metadata: {name: " name "}\nspec: {" spec "}\n"
#define HTTPS "ports: [{number: 443, name: https, protocol: HTTPS}]"
#define GOOD ENTRY("good", "hosts: [good.example], resolution: DNS, " HTTPS)
#define OTHER "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"

static char *output;
static size_t output_len;

static int
set_up(void **state)
{
	(void)state;
	output = NULL;
	scratch_open();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	alloc_reset();
	free(output);
	scratch_close();
	return 0;
}

static int
check(const struct check_options *o)
{
	FILE *out;
	int r;

	free(output);
	out = open_memstream(&output, &output_len);
	assert_non_null(out);
	r = check_run(o, out);
	assert_int_equal(fclose(out), 0);
	return r;
}

static size_t
lines(void)
{
	size_t n = 0;

	for (const char *c = output; *c != '\0'; c++)
		n += *c == '\n';
	return n;
}

/* What a text gives, as text and as JSON; expected has the place behind the path. */
static void
findings_of_a_text(void **state)
{
	static const struct {
		const char *text;
		bool notes;
		int result;
		size_t lines;
		const char *expected, *json;
	} cases[] = {
	    {GOOD, false, 0, 0, "", "[]"},
	    {"", false, 0, 0, "", "[]"},
	    {GOOD OTHER, false, 0, 0, "", "[]"},
	    {GOOD OTHER, true, 0, 1, ":7:1: note: kind \"Deployment\"",
		"\"line\":7,\"column\":1,\"severity\":\"note\""},
	    {GOOD GOOD, false, -EINVAL, 1,
		":7:1: error: ", "\"line\":7,\"column\":1,\"severity\":\"error\""},
	    {"kind: [\n", false, -EINVAL, 1, ": error: ", "\"severity\":\"error\""},
	    {ENTRY("w", "hosts: [a.b], resolution: STATIC, workloadSelector: {}, ports: "
			"[{number: 443, name: x, protocol: TLS}]"),
		false, 0, 1, ": warning: ", "\"severity\":\"warning\""},
	    {ENTRY("a", "hosts: [\"*\"], " HTTPS) ENTRY("b", "hosts: [\"*\"], " HTTPS),
		false, -EINVAL, 2, ":10:", "}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[200];
		char *const paths[] = {path};
		struct check_options o = {
		    .paths = paths, .path_count = 1, .notes = cases[i].notes};

		(void)snprintf(
		    path, sizeof(path), "%s", scratch_file("c.yaml", cases[i].text));
		assert_int_equal(check(&o), cases[i].result);
		if (lines() != cases[i].lines ||
		    strstr(output, cases[i].expected) == NULL)
			fail_msg("case %zu: %s", i, output);
		o.json = true;
		assert_int_equal(check(&o), cases[i].result);
		if (strstr(output, cases[i].json) == NULL || output[0] != '[' ||
		    strcmp(output + output_len - 2, "]\n") != 0)
			fail_msg("case %zu: %s", i, output);
	}
}

static void
the_configuration_and_its_folders_without_paths(void **state)
{
	char text[400], path[200];
	struct check_options o = {.config_path = path};

	(void)state;
	(void)scratch_mkdir("r");
	(void)scratch_file("r/a.yaml", ENTRY("a", "hosts: []"));
	(void)snprintf(text, sizeof(text), "upstreams: [192.0.2.53]\nregistry: [%s]\n",
	    scratch_path("r"));
	(void)snprintf(path, sizeof(path), "%s", scratch_file("c.yaml", text));
	assert_int_equal(check(&o), -EINVAL);
	assert_non_null(strstr(output, "r/a.yaml:5:"));
	(void)scratch_file("r/a.yaml", GOOD);
	assert_int_equal(check(&o), 0);
	assert_string_equal(output, "");
	(void)scratch_file("c.yaml", "nonsense: 1\n");
	assert_int_equal(check(&o), -EINVAL);
	assert_non_null(strstr(output, "c.yaml:1:1: error: unknown key"));
}

static void
a_full_disk_is_an_error(void **state)
{
	char path[200];
	char *const paths[] = {path};
	struct check_options o = {.paths = paths, .path_count = 1};
	FILE *full = fopen("/dev/full", "we");

	(void)state;
	(void)snprintf(path, sizeof(path), "%s", scratch_path("absent.yaml"));
	if (full == NULL)
		skip();
	assert_int_equal(check_run(&o, full), -EIO);
	(void)fclose(full); /* fails too */
}

static void
findings_behind_the_limit_are_not_lost_silently(void **state)
{
	struct findings findings;
	FILE *out;

	(void)state;
	findings_init(&findings, 1);
	findings_add(&findings, FINDING_ERROR, "f", 0, 0, "one");
	findings_add(&findings, FINDING_ERROR, "f", 0, 0, "two");
	out = open_memstream(&output, &output_len);
	assert_non_null(out);
	check_print(&findings, false, out);
	check_print_json(&findings, false, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(output, "f: error: one\n"
				    "[{\"file\":\"f\",\"line\":0,\"column\":0,"
				    "\"severity\":\"error\",\"text\":\"one\"}]\n");
	findings_done(&findings);
}

static void
a_check_that_runs_out_of_memory_does_not_accept_what_is_wrong(void **state)
{
	char path[200];
	char *const paths[] = {path};
	struct check_options o = {.paths = paths, .path_count = 1};
	size_t count;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s",
	    scratch_file("c.yaml", ENTRY("a", "hosts: [\"*\"], " HTTPS)));
	alloc_reset();
	assert_int_equal(check(&o), -EINVAL);
	count = alloc_count();
	for (size_t i = 0; i < count; i++) {
		alloc_fail_at(i);
		assert_true(check(&o) < 0);
	}
	alloc_reset();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(findings_of_a_text, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		the_configuration_and_its_folders_without_paths, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_full_disk_is_an_error, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		findings_behind_the_limit_are_not_lost_silently, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_check_that_runs_out_of_memory_does_not_accept_what_is_wrong, set_up,
		tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
