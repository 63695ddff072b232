/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/config/option.h"
#include "tests/unit/config_bed.h"

#define MANUAL "daemon/egressd.yaml.5"
#define TEXT_MAX 4096

/* Values at and just beyond the limits of each scalar option. */
static const struct limit_case {
	const char *name, *low, *high, *below, *above;
	const char *with; /* what the high value needs besides */
} limits[] = {
    {"lease.floor", "1s", "1h", "0s", "3601s", "lease: {cap: 24h, floor: %s}\n"},
    {"lease.grace", "1s", "1h", "0s", "3601s", "lease: {cap: 24h, grace: %s}\n"},
    {"lease.cap", "2s", "24h", "1s", "86401s",
	"lease: {floor: 1s, grace: 1s, cap: %s}\n"},
    {"lease.perName", "1", "1000000", "0", "1000001", "lease: {perName: %s}\n"},
    {"lease.perPod", "1", "10000000", "0", "10000001", "lease: {perPod: %s}\n"},
    {"lease.size", "1", "16777216", "0", "16777217", "lease: {size: %s}\n"},
    {"cache.size", "64KiB", "16GiB", "65535", "17179869185", "cache: {size: %s}\n"},
    {"cache.maxTTL", "1s", "168h", "0s", "604801s", "cache: {maxTTL: %s}\n"},
    {"cache.stale", "0s", "72h", "-1s", "259201s", "cache: {stale: %s}\n"},
    {"cache.staleAfter", "0s", "30s", "-1s", "30001ms", "cache: {staleAfter: %s}\n"},
    {"refused.ttl", "0s", "1h", "-1s", "3601s", "refused: {ttl: %s}\n"},
    {"deadline.commit", "10ms", "10s", "9ms", "10001ms",
	"deadline: {query: 30s, commit: %s}\n"},
    {"deadline.query", "100ms", "30s", "99ms", "30001ms",
	"deadline: {commit: 10ms, query: %s}\n"},
};

static char *
fill_in(const char *before, const char *value)
{
	static char text[TEXT_MAX];
	const char *at = strstr(before, "%s");

	assert_non_null(at);
	(void)snprintf(
	    text, sizeof(text), "%.*s%s%s", (int)(at - before), before, value, at + 2);
	return text;
}

static void
each_number_has_the_limits_it_says(void **state)
{
	char quoted[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct limit_case *l = &limits[i];
		unsigned column = (unsigned)(strstr(l->with, "%s") - l->with) + 1;

		accept_text(fill_in(l->with, l->low));
		accept_text(fill_in(l->with, l->high));
		(void)snprintf(quoted, sizeof(quoted), "%s: \"%s\" is not allowed",
		    l->name, l->below);
		refuse_text(fill_in(l->with, l->below), 1, column, quoted);
		(void)snprintf(quoted, sizeof(quoted), "%s: \"%s\" is not allowed",
		    l->name, l->above);
		refuse_text(fill_in(l->with, l->above), 1, column, quoted);
		(void)snprintf(quoted, sizeof(quoted), "%s: ", l->name);
		refuse_text(fill_in(l->with, "x"), 1, column, quoted);
		refuse_text(fill_in(l->with, "99999999999999999999s"), 1, column, quoted);
		refuse_text(fill_in(l->with, "[]"), 1, column, "a list is not allowed");
		refuse_text(fill_in(l->with, "{a: b}"), 1, column, "a mapping is not");
		refuse_text(fill_in(l->with, "\"\""), 1, column, quoted);
	}
}

static void
an_error_says_what_is_allowed(void **state)
{
	(void)state;
	refuse_text("lease: {floor: 500ms}\n", 1, 16,
	    "a duration in whole seconds from 1s to 1h");
	refuse_text("deadline: {commit: 1}\n", 1, 20, "a duration from 10ms to 10s");
	refuse_text("cache: {size: 32MB}\n", 1, 15, "a size from 64KiB to 16GiB");
	refuse_text("lease: {size: 1e3}\n", 1, 15, "a number from 1 to 16777216");
	refuse_text("intercept: yes\n", 1, 12, "true or false");
	refuse_text("intercept: \"true\"\n", 1, 12, "true or false");
	refuse_text("refused: {rcode: nxdomain}\n", 1, 18, "NXDOMAIN or REFUSED");
	refuse_text("httpsRecords: relay\n", 1, 15, "nodata or lease");
	refuse_text("unlisted: DROP\n", 1, 11, "reject or drop");
	refuse_text("registryErrors: ignore\n", 1, 17, "refuse or skip");
	refuse_text("control: run/sock\n", 1, 10, "an absolute path");
	refuse_text("intercept:\n", 1, 11, "true or false");
}

static void
a_socket_path_has_the_kernels_limit(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	(void)snprintf(text, sizeof(text), "control: /%0106d\n", 0);
	accept_text(text);
	assert_int_equal(strlen(bed.config->control), 107);
	(void)snprintf(text, sizeof(text), "control: /%0107d\n", 0);
	refuse_text(text, 1, 10, "from 1 to 107");
}

/* "KEY: [E, E, ...]" with count elements; printf-like with one number for each. */
static const char *
list_text(const char *key, const char *element, size_t count)
{
	static char text[65536];
	struct buf b;

	buf_init(&b, sizeof(text) - 1);
	buf_printf(&b, "%s: [", key);
	for (size_t i = 0; i < count; i++) {
		char number[24];

		(void)snprintf(number, sizeof(number), "%zu", i + 1);
		buf_text(&b, i > 0 ? ", " : "");
		buf_text(&b, fill_in(element, number));
	}
	buf_text(&b, strchr(key, '{') != NULL ? "]}\n" : "]\n");
	assert_false(b.failed);
	memcpy(text, b.bytes, b.len + 1);
	buf_done(&b);
	return text;
}

static void
each_list_has_the_limits_it_says(void **state)
{
	static const struct {
		const char *key, *element;
		size_t min, max;
		unsigned column;
	} cases[] = {
	    {"listen", "192.0.2.%s", 1, CONFIG_LISTEN_MAX, 9},
	    {"upstreams", "192.0.2.%s", 1, CONFIG_UPSTREAMS_MAX, 12},
	    {"zones", "{name: z%s, upstreams: [192.0.2.1]}", 0, CONFIG_ZONES_MAX, 8},
	    {"registry", "/folder%s", 1, CONFIG_REGISTRY_MAX, 11},
	    {"pods: {cidrs", "10.%s.0.0/16", 1, CONFIG_RANGES_MAX, 15},
	    {"pods: {interfaces", "eth%s", 1, CONFIG_INTERFACES_MAX, 20},
	    {"internal", "10.%s.0.0/16", 0, CONFIG_RANGES_MAX, 11},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		accept_text(list_text(cases[i].key, cases[i].element, cases[i].min));
		accept_text(list_text(cases[i].key, cases[i].element, cases[i].max));
		refuse_text(list_text(cases[i].key, cases[i].element, cases[i].max + 1),
		    1, cases[i].column, "a list is not allowed: a list of");
		if (cases[i].min > 0)
			refuse_text(list_text(cases[i].key, cases[i].element, 0), 1,
			    cases[i].column, "a list is not allowed: a list of");
	}
}

static void
list_elements_are_told_at_their_own_place(void **state)
{
	(void)state;
	refuse_text("listen: 192.0.2.1\n", 1, 9, "a list of 1 to 8");
	refuse_text("listen:\n- 192.0.2.1\n- [a]\n", 3, 3, "a list is not allowed");
	refuse_text("listen: [192.0.2.1, \"192.0.2.1:53\"]\n", 1, 21, "already");
	refuse_text("upstreams: [\"192.0.2.1:0\"]\n", 1, 13, "\"192.0.2.1:0\"");
	refuse_text("upstreams: [\"192.0.2.1:65536\"]\n", 1, 13, "ADDRESS:PORT");
	refuse_text("upstreams: [dns.example]\n", 1, 13, "\"dns.example\"");
	refuse_text("upstreams: [0.0.0.0]\n", 1, 13, "one address");
	refuse_text("listen: [\"[::]:53\"]\n", 1, 10, "one address");
	refuse_text("listen: [224.0.0.1]\n", 1, 10, "multicast");
	refuse_text("listen: [255.255.255.255]\n", 1, 10, "broadcast");
	refuse_text("listen: [\"ff02::1\"]\n", 1, 10, "multicast");
	refuse_text("listen: [\"fe80::1\"]\n", 1, 10, "link-local");
	refuse_text("internal: [10.0.0.0/33]\n", 1, 12, "ADDRESS/LENGTH");
	refuse_text("internal: [0.0.0.0/0]\n", 1, 12, "every address");
	refuse_text("pods: {cidrs: [\"::/0\"]}\n", 1, 16, "every address");
	refuse_text("internal: [10.1.2.3/8, 10.0.0.0/8]\n", 1, 24, "already");
	refuse_text("registry: [registry.d]\n", 1, 12, "absolute paths");
	refuse_text("registry: [/a, /a]\n", 1, 16, "already");
}

static void
interface_patterns_are_what_the_kernel_can_have(void **state)
{
	(void)state;
	accept_text("pods: {interfaces: [abcdefghijklmno, \"abcdefghijklmn*\"]}\n");
	refuse_text("pods: {interfaces: [abcdefghijklmnop]}\n", 1, 21, "1 to 15 bytes");
	refuse_text("pods: {interfaces: [\"\"]}\n", 1, 21, "1 to 15 bytes");
	refuse_text("pods: {interfaces: [\"*\"]}\n", 1, 21, "node's own");
	refuse_text("pods: {interfaces: [\"a*b\"]}\n", 1, 21, "at the end");
	refuse_text("pods: {interfaces: [a/b]}\n", 1, 21, "no interface");
	refuse_text("pods: {interfaces: [\"a b\"]}\n", 1, 21, "no interface");
	refuse_text("pods: {interfaces: [\"a:b\"]}\n", 1, 21, "no interface");
	refuse_text("pods: {interfaces: [\"..\"]}\n", 1, 21, "no interface");
	refuse_text("pods: {interfaces: [a, a]}\n", 1, 24, "already");
}

static void
zones_need_a_name_and_upstreams(void **state)
{
	(void)state;
	refuse_text("zones: [a]\n", 1, 9, "is not allowed");
	refuse_text("zones: [{name: a}]\n", 1, 9, "both");
	refuse_text("zones: [{upstreams: [192.0.2.1]}]\n", 1, 9, "both");
	refuse_text("zones: [{name: \".\", upstreams: [192.0.2.1]}]\n", 1, 16, "root");
	refuse_text("zones: [{name: a..b, upstreams: [192.0.2.1]}]\n", 1, 16, "domain");
	refuse_text("zones: [{name: a, upstreams: []}]\n", 1, 30, "1 to 8");
	refuse_text("zones: [{name: a, upstreams: 192.0.2.1}]\n", 1, 30, "1 to 8");
	refuse_text("zones: [{name: a, upstreams: [x]}]\n", 1, 31, "\"x\"");
	refuse_text("zones:\n- {name: a, upstreams: [192.0.2.1]}\n"
		    "- {name: A., upstreams: [192.0.2.1]}\n",
	    3, 10, "already");
}

/* The manual describes each row of the table with its default. */
static void
the_manual_knows_every_option(void **state)
{
	static char manual[65536];
	FILE *f = fopen(MANUAL, "re");
	char line[128];

	(void)state;
	assert_non_null(f); /* run from the top of the tree */
	assert_true(fread(manual, 1, sizeof(manual) - 1, f) > 0);
	assert_int_equal(fclose(f), 0);
	for (size_t i = 0; option_at(i) != NULL; i++) {
		(void)snprintf(line, sizeof(line), ".It Cm %s", option_at(i)->name);
		if (strstr(manual, line) == NULL)
			print_message("%s: not in %s\n", option_at(i)->name, MANUAL);
		assert_non_null(strstr(manual, line));
	}
}

static void
every_row_of_the_table_is_whole(void **state)
{
	char range[OPTION_RANGE_MAX], names[OPTION_NAMES_MAX];
	size_t count = 0;

	(void)state;
	for (; option_at(count) != NULL; count++) {
		const struct option *o = option_at(count);

		assert_true(strlen(o->help) > 0);
		assert_true(strlen(option_range(o, range)) > 0);
		assert_true(strlen(range) < OPTION_RANGE_MAX - 1);
		assert_true(o->min <= o->max);
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(o->name, option_at(i)->name);
	}
	assert_true(count < 64); /* OPTIONS_MAX of config.c */
	assert_true(strlen(option_names("", names)) < OPTION_NAMES_MAX - 1);
	assert_string_equal(option_names("nothing", names), "");
	assert_string_equal(option_names("deadline", names), "commit, query");
}

static void
the_options_can_be_printed(void **state)
{
	char *text = NULL;
	size_t size, lines = 0;
	FILE *saved = stdout, *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	stdout = out;
	config_print_options();
	stdout = saved;
	assert_int_equal(fclose(out), 0);
	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_true(lines > 0);
	assert_non_null(option_at(lines - 1));
	assert_null(option_at(lines)); /* one line each */
	assert_non_null(strstr(text, "lease.floor "));
	assert_non_null(strstr(text, "from 1s to 1h; default 30s; "));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(each_number_has_the_limits_it_says),
	    TEST(an_error_says_what_is_allowed),
	    TEST(a_socket_path_has_the_kernels_limit),
	    TEST(each_list_has_the_limits_it_says),
	    TEST(list_elements_are_told_at_their_own_place),
	    TEST(interface_patterns_are_what_the_kernel_can_have),
	    TEST(zones_need_a_name_and_upstreams),
	    TEST(the_manual_knows_every_option),
	    TEST(every_row_of_the_table_is_whole),
	    TEST(the_options_can_be_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
