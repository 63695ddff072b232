/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a workloadSelector selects, and the WorkloadEntry objects among it (reference 1.1
 * and 5.1).
 */
#include <errno.h>

#include "tests/unit/built.h"
#include "tests/unit/cases.h"

#define POD(name, ns, labels, status)                                                    \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns      \
	", labels: {" labels "}}\n" status "\n"
#define WE(name, labels, spec)                                                           \
	"---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: "       \
	"{name: " name ", namespace: a, labels: {" labels "}}\nspec: {" spec "}\n"
#define ENTRY(resolution, selector)                                                      \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " \
	"e, namespace: a}\nspec: {hosts: [x.example], ports: [{number: 443, name: "      \
	"https, protocol: HTTPS}], resolution: " resolution                              \
	", workloadSelector: {labels: {" selector "}}}\n"

static const char workloads[] = POD(
    "p1", "a", "app: x, tier: t", "status: {podIPs: [{ip: 10.1.0.1}, {ip: 'fd00::1'}]}")
    POD("p2", "a", "app: z", "status: {podIPs: [{ip: 10.1.0.2}]}") POD(
	"p3", "b", "app: x", "status: {podIPs: [{ip: 10.1.0.3}]}") POD("p4", "a",
	"app: x", "spec: {hostNetwork: true}\nstatus: {podIPs: [{ip: 192.0.2.4}]}")
	POD("p5", "a", "app: x", "status: {phase: Succeeded, podIPs: [{ip: 10.1.0.5}]}")
	    WE("w1", "", "address: 192.0.2.1, labels: {app: x}")
		WE("w2", "app: v", "address: 192.0.2.2, labels: {app: x}")
		    WE("w3", "app: m", "address: n.example")
			WE("w4", "app: m", "network: other") WE("w5", "app: m",
			    "address: 192.0.2.5, ports: "
			    "{https: 8443, other: 1}");

static const struct {
	const char *title;
	const char *entry;
	enum registry_resolution resolution; /* of the host */
	const char *addresses;
	size_t targets;
	const char *words; /* of a warning; NULL: none but Istio's own */
} cases[] = {
    {"pods and WorkloadEntries of the namespace", ENTRY("STATIC", "app: x"),
	RESOLUTION_STATIC, "10.1.0.1 192.0.2.1 fd00::1", 0, NULL},
    {"all labels have to match", ENTRY("STATIC", "app: x, tier: t"), RESOLUTION_STATIC,
	"10.1.0.1 fd00::1", 0, NULL},
    {"no member", ENTRY("STATIC", "app: none"), RESOLUTION_STATIC, "", 0, NULL},
    {"an object's labels go before its endpoint's", ENTRY("STATIC", "app: v"),
	RESOLUTION_STATIC, "192.0.2.2", 0, NULL},
    {"resolution NONE is answered too", ENTRY("NONE", "app: x"), RESOLUTION_STATIC,
	"10.1.0.1 192.0.2.1 fd00::1", 0, NULL},
    {"resolution NONE without members is asked", ENTRY("NONE", "app: none"),
	RESOLUTION_NONE, "", 0, NULL},
    {"a name needs DNS", ENTRY("STATIC", "app: m"), RESOLUTION_STATIC, "192.0.2.5", 0,
	"is a name, which ServiceEntry e does not resolve"},
    {"a name is asked", ENTRY("DNS", "app: m"), RESOLUTION_DNS, "192.0.2.5", 1, NULL},
    {"no labels select all", ENTRY("STATIC", ""), RESOLUTION_STATIC,
	"10.1.0.1 10.1.0.2 192.0.2.1 192.0.2.2 192.0.2.5 fd00::1", 0,
	"selects every workload"},
};

static int
text_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* In the order of their texts. */
static void
list_endpoints(const struct registry_host *h, char *text, size_t size)
{
	char list[16][ADDR_TEXT_MAX];

	assert_true(h->endpoint_count <= ARRAY_LEN(list));
	for (size_t i = 0; i < h->endpoint_count; i++)
		(void)addr_format(&h->endpoints[i].addr, list[i]); /* into list */
	qsort(list, h->endpoint_count, sizeof(list[0]), text_compare);
	text[0] = '\0';
	for (size_t i = 0; i < h->endpoint_count; i++) {
		size_t used = strlen(text);

		(void)snprintf(
		    text + used, size - used, "%s%s", i > 0 ? " " : "", list[i]);
	}
}

static bool
as_expected(const struct built *b, size_t i)
{
	const struct registry_host *h;
	char text[512];

	if (b->result != 0)
		return false;
	h = built_judge(b, "10.1.0.3", "x.example").host;
	assert_non_null(h);
	list_endpoints(h, text, sizeof(text));
	if (strcmp(text, cases[i].addresses) != 0)
		print_error("  %s\n", text);
	return h->resolution == cases[i].resolution &&
	       h->target_count == cases[i].targets &&
	       strcmp(text, cases[i].addresses) == 0 &&
	       (cases[i].words == NULL || built_says(b, FINDING_WARNING, cases[i].words));
}

static void
what_is_selected(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct built b;
		bool good;

		built_open(&b);
		/* whichever comes first */
		built_add(&b, "a.yaml", i % 2 == 0 ? workloads : cases[i].entry);
		built_add(&b, "b.yaml", i % 2 == 0 ? cases[i].entry : workloads);
		(void)built_finish(&b); /* looked at by as_expected */
		good = as_expected(&b, i);
		if (!good)
			built_print(&b);
		failed += case_failed("5.1", cases[i].title, good);
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

/* An external entry, but what it selects is inside. */
static void
members_may_be_answered(void **state)
{
	const struct registry_host *h;
	struct built b;

	(void)state;
	built_open(&b);
	built_add(&b, "a.yaml", workloads);
	built_add(&b, "b.yaml", ENTRY("STATIC", "app: x"));
	assert_int_equal(built_finish(&b), 0);
	h = built_judge(&b, NULL, "x.example").host;
	assert_true(built_permits(&b, h, "10.1.0.1"));
	assert_false(built_permits(&b, h, "10.1.0.2"));
	built_close(&b);
}

static void
too_many_are_cut(void **state)
{
	struct built b;
	char text[256];

	(void)state;
	built_open(&b);
	for (unsigned i = 0; i < 4097; i++) {
		(void)snprintf(text, sizeof(text),
		    "apiVersion: v1\nkind: Pod\nmetadata: {name: p%u, namespace: "
		    "a}\nstatus: {podIP: 10.1.%u.%u}\n",
		    i, i / 256, i % 256);
		built_add(&b, "a.yaml", text);
	}
	built_add(&b, "b.yaml", ENTRY("STATIC", ""));
	assert_int_equal(built_finish(&b), 0);
	assert_true(built_says(&b, FINDING_WARNING, "only the first 4096 are answered"));
	assert_int_equal(built_judge(&b, NULL, "x.example").host->endpoint_count, 4096);
	built_close(&b);
}

static const struct {
	const char *text;
	const char *words; /* of an error; NULL: accepted */
} rules[] = {
    {WE("w", "", "address: 10.0.0.1"), NULL},
    {WE("w", "",
	 "address: x.example, ports: {any: 1}, weight: 1, locality: r, "
	 "serviceAccount: s"),
	NULL},
    {WE("w", "", "address: ''"), "without address"},
    {WE("w", "", "address: 'a b'"), "is neither an IP address nor a host name"},
    {WE("w", "", "address: 'unix:///x'"), "is a unix socket"},
    {WE("w", "", "address: 10.0.0.1, ports: {any: 0}"), "from 1 to 65535"},
    {WE("w", "", "address: 10.0.0.1, ports: {'a b': 1}"), "is no name of a port"},
    {WE("w", "", "address: 10.0.0.1, labels: {a: '*'}"), "is no value of a label"},
    {"apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: w}\n",
	"spec is missing"},
};

static void
what_is_refused_of_an_object(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct built b;
		int r = built_from(&b, rules[i].text);

		if (rules[i].words == NULL
			? r != 0 || b.findings.warnings > 0
			: r != -EINVAL ||
			      !built_says(&b, FINDING_ERROR, rules[i].words)) {
			built_print(&b);
			fail_msg("%s", rules[i].text);
		}
		built_close(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_selected),
	    cmocka_unit_test(members_may_be_answered),
	    cmocka_unit_test(too_many_are_cut),
	    cmocka_unit_test(what_is_refused_of_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
