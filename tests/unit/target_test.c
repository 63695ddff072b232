/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints' names that are asked in a host's stead: from entries, alone and merged.
 */
#include <stdio.h>

#include "tests/unit/built.h"

#define DNS(name, age, host, endpoints)                                                  \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: ns, creationTimestamp: '" age "T00:00:00Z'}\n"      \
	"spec: {hosts: [" host "], resolution: DNS, ports: [{number: 443, name: "        \
	"https, protocol: HTTPS}]" endpoints "}\n"
#define ENDPOINTS(list) ", endpoints: [" list "]"
#define AT(address) "{address: " address "}"

static bool
is_named(const struct registry_target *t, const char *text)
{
	char formatted[NAME_TEXT_MAX];
	struct name name;

	name_from_wire(t->name, t->len, &name);
	return strcmp(name_format(&name, formatted), text) == 0;
}

/* Exactly these, in this order; up to a NULL. */
static void
expect_targets(const struct registry_host *h, const char *const *names)
{
	size_t n = 0;

	for (; names[n] != NULL; n++) {
		assert_true(n < h->target_count);
		if (!is_named(&h->targets[n], names[n]))
			fail_msg("target %zu is not %s", n, names[n]);
	}
	assert_int_equal(h->target_count, n);
}

static const struct registry_host *
host_of(const struct built *b, const char *name)
{
	struct verdict v = built_judge(b, NULL, name);

	assert_int_equal(v.kind, VERDICT_HOST);
	return v.host;
}

static void
in_any_case_once_each_as_written(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, DNS("a", "2024-01-01", "a.t, '*.w.t'",
			       ENDPOINTS(AT("Two.Example") ", " AT("192.0.2.1") ", " AT(
				   "one.example.") ", " AT("two.EXAMPLE")))
			       DNS("p", "2024-01-01", "p.t", "")),
	    0);
	expect_targets(
	    host_of(&b, "a.t"), (const char *[]){"two.example", "one.example", NULL});
	assert_int_equal(host_of(&b, "a.t")->endpoint_count, 1);
	expect_targets(
	    host_of(&b, "x.w.t"), (const char *[]){"two.example", "one.example", NULL});
	expect_targets(host_of(&b, "p.t"), (const char *[]){NULL});
	built_close(&b);
}

static void
each_with_the_innermost_zone_it_lies_in(void **state)
{
	struct name zones[2];
	struct built b;
	const struct registry_host *h;

	(void)state;
	assert_int_equal(name_parse("corp", 4, &zones[0]), 0);
	assert_int_equal(name_parse("lab.corp", 8, &zones[1]), 0);
	built_open(&b);
	b.settings.zones = zones;
	b.settings.zone_count = 2;
	built_add(&b, "a.yaml",
	    DNS("a", "2024-01-01", "a.t",
		ENDPOINTS(AT("x.y.LAB.corp") ", " AT("x.corp") ", " AT("corp") ", " AT(
		    "lab.corp") ", " AT("corp.t"))));
	assert_int_equal(built_finish(&b), 0);
	h = host_of(&b, "a.t");
	assert_int_equal(h->target_count, 5);
	assert_int_equal(h->targets[0].zone, 1);
	assert_int_equal(h->targets[1].zone, 0);
	assert_int_equal(h->targets[2].zone, 0);
	assert_int_equal(h->targets[3].zone, 1);
	assert_int_equal(h->targets[4].zone, REGISTRY_NO_ZONE);
	built_close(&b);
}

static void
merged_entries_have_them_all(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, DNS("young", "2024-03-01", "a.t",
			       ENDPOINTS(AT("three.example") ", " AT("one.example")))
			       DNS("old", "2024-01-01", "a.t",
				   ENDPOINTS(AT("two.example") ", " AT("One.example")))),
	    0);
	expect_targets(host_of(&b, "a.t"),
	    (const char *[]){"two.example", "one.example", "three.example", NULL});
	built_close(&b);
}

static void
merged_with_one_without_endpoints_the_host_itself_is_one(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(
		&b, DNS("old", "2024-01-01", "A.t", "") DNS("young", "2024-03-01",
			"a.t, b.t", ENDPOINTS(AT("one.example") ", " AT("192.0.2.1")))),
	    0);
	expect_targets(host_of(&b, "a.t"), (const char *[]){"a.t", "one.example", NULL});
	expect_targets(host_of(&b, "b.t"), (const char *[]){"one.example", NULL});
	built_close(&b);
}

/* from, from + 1, ...: n endpoints. */
static void
entry_with_names(struct built *b, const char *name, const char *age, int from, int n)
{
	char text[4096];
	int len;

	len = snprintf(text, sizeof(text),
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: "
	    "%s, namespace: ns, creationTimestamp: '%sT00:00:00Z'}\nspec: {hosts: [a.t], "
	    "resolution: DNS, ports: [{number: 443, name: h, protocol: HTTPS}], "
	    "endpoints:\n[",
	    name, age);
	for (int i = from; i < from + n; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len,
		    "{address: n%d.example},\n", i);
	(void)snprintf(text + len, sizeof(text) - (size_t)len, "]}\n");
	built_add(b, name, text);
}

static void
a_host_has_no_more_than_the_limit(void **state)
{
	struct built b;

	(void)state;
	built_open(&b);
	entry_with_names(&b, "full", "2024-01-01", 0, REGISTRY_TARGETS_MAX);
	assert_int_equal(built_finish(&b), 0);
	assert_int_equal(host_of(&b, "a.t")->target_count, REGISTRY_TARGETS_MAX);
	assert_false(built_says(&b, FINDING_WARNING, "left out"));
	built_close(&b);

	built_open(&b);
	entry_with_names(&b, "more", "2024-01-01", 0, REGISTRY_TARGETS_MAX + 2);
	assert_int_equal(built_finish(&b), 0);
	assert_int_equal(host_of(&b, "a.t")->target_count, REGISTRY_TARGETS_MAX);
	assert_true(built_says(&b, FINDING_WARNING, "\"n16.example\" and all new ones"));
	for (size_t i = 0; i < b.findings.len; i++)
		if (strstr(b.findings.list[i].text, "left out") != NULL)
			assert_int_equal(b.findings.list[i].line, 5 + 16);
	built_close(&b);
}

static void
nor_have_several_entries_together(void **state)
{
	struct built b;

	(void)state;
	built_open(&b);
	entry_with_names(&b, "old", "2024-01-01", 0, 10);
	entry_with_names(&b, "young", "2024-02-01", 5, 11);
	assert_int_equal(built_finish(&b), 0);
	assert_int_equal(host_of(&b, "a.t")->target_count, REGISTRY_TARGETS_MAX);
	assert_false(built_says(&b, FINDING_WARNING, "left out"));
	built_close(&b);

	built_open(&b);
	entry_with_names(&b, "old", "2024-01-01", 0, 10);
	entry_with_names(&b, "young", "2024-02-01", 5, 12);
	assert_int_equal(built_finish(&b), 0);
	assert_int_equal(host_of(&b, "a.t")->target_count, REGISTRY_TARGETS_MAX);
	assert_true(built_says(
	    &b, FINDING_WARNING, "ServiceEntry ns/young and younger ones add"));
	built_close(&b);
}

static void
a_name_too_long_for_dns_is_refused(void **state)
{
	char text[1024], name[300];
	struct built b;

	(void)state;
	for (size_t i = 0; i < 254; i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	name[253] = 'a';
	name[254] = '\0';
	(void)snprintf(text, sizeof(text),
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: "
	    "a}\nspec: {hosts: [a.t], resolution: DNS, ports: [{number: 443, name: h, "
	    "protocol: HTTPS}], endpoints: [{address: a%s}]}\n",
	    name);
	assert_true(built_from(&b, text) < 0);
	assert_true(built_says(&b, FINDING_ERROR, "neither an IP address nor"));
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_any_case_once_each_as_written),
	    cmocka_unit_test(each_with_the_innermost_zone_it_lies_in),
	    cmocka_unit_test(merged_entries_have_them_all),
	    cmocka_unit_test(merged_with_one_without_endpoints_the_host_itself_is_one),
	    cmocka_unit_test(a_host_has_no_more_than_the_limit),
	    cmocka_unit_test(nor_have_several_entries_together),
	    cmocka_unit_test(a_name_too_long_for_dns_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
