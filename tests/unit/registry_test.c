/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts: who sees which names, which entry wins, what may stand in an answer.
 */
#include <errno.h>

#include "tests/unit/built.h"
#include "tests/unit/cases.h"

#define SE(ns, name, more, spec)                                                         \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: " ns more "}\nspec: {resolution: NONE, ports: "     \
	"[{number: 443, name: https, protocol: HTTPS}], " spec "}\n"
#define AGE(time) ", creationTimestamp: '" time "T00:00:00Z'"
#define POD(ns, name, ip)                                                                \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns      \
	"}\nstatus: {podIP: " ip ", phase: Running}\n"
#define PODS                                                                             \
	POD("a", "pa", "10.0.0.1") POD("b", "pb", "10.0.0.2") POD("c", "pc", "10.0.0.3")

#define IN_A "10.0.0.1"
#define IN_B "10.0.0.2"
#define IN_C "10.0.0.3"

enum want { HOST, PARENT, NO, HIDDEN };

struct judge_case {
	const char *pod;
	const char *name;
	enum want want;
	const char *source; /* name of the entry, HOST and HIDDEN */
};

static bool
as_wanted(const struct verdict *v, const struct judge_case *c)
{
	switch (c->want) {
	case HOST:
		return v->kind == VERDICT_HOST && v->host != NULL &&
		       strcmp(v->host->source.name, c->source) == 0;
	case PARENT:
		return v->kind == VERDICT_PARENT && v->host == NULL;
	case NO:
		return v->kind == VERDICT_REFUSED && v->host == NULL &&
		       v->reason == REASON_NOT_REGISTERED;
	case HIDDEN:
		return v->kind == VERDICT_REFUSED && v->reason == REASON_NOT_EXPORTED &&
		       strcmp(v->host->source.name, c->source) == 0;
	}
	return false;
}

static void
judge_all(const char *rule, const char *text, const struct judge_case *cases, size_t n)
{
	struct built b;
	char title[128];
	size_t failed = 0;

	if (built_from(&b, text) < 0)
		built_print(&b);
	assert_int_equal(b.result, 0);
	for (size_t i = 0; i < n; i++) {
		struct verdict v = built_judge(&b, cases[i].pod, cases[i].name);

		(void)snprintf(title, sizeof(title),
		    "%s from %s (kind %d, reason %d, %s)", cases[i].name,
		    cases[i].pod != NULL ? cases[i].pod : "nobody", v.kind, v.reason,
		    v.host != NULL ? v.host->source.name : "no host");
		failed += case_failed(rule, title, as_wanted(&v, &cases[i]));
	}
	built_close(&b);
	assert_int_equal(failed, 0);
}

static void
hosts_and_wildcards(void **state)
{
	static const struct judge_case cases[] = {
	    {NULL, "google.com", HOST, "exact"}, {NULL, "GOOGLE.com.", HOST, "exact"},
	    {NULL, "www.google.com", NO, NULL}, {NULL, "xgoogle.com", NO, NULL},
	    {NULL, "com", PARENT, NULL}, {NULL, ".", PARENT, NULL},
	    {NULL, "org", PARENT, NULL}, {NULL, "net", NO, NULL},
	    {NULL, "wild.org", PARENT, NULL}, /* the apex is excluded */
	    {NULL, "x.wild.org", HOST, "wild"}, {NULL, "x.y.z.wild.org", HOST, "wild"},
	    {NULL, "deep.wild.org", HOST, "wild"},
	    {NULL, "x.deep.wild.org", HOST, "deeper"},
	    {NULL, "one.deep.wild.org", HOST, "one"},
	    {NULL, "a.one.deep.wild.org", HOST, "deeper"}, {NULL, "xwild.org", NO, NULL},
	    {NULL, "*.wild.org", HOST, "wild"},
	    {NULL, "google.com.default.svc.cluster.local", NO, NULL},
	    {NULL, "a.b.c.deep.net.test", HOST, "long"},
	    {NULL, "b.c.deep.net.test", PARENT, NULL},
	    {NULL, "x.b.c.deep.net.test", NO, NULL}, {NULL, "dot.test", HOST, "dot"},
	    {NULL, "google\\.com", NO, NULL}, /* one label with a dot in it */
	};

	(void)state;
	judge_all("7",
	    SE("a", "exact", "", "hosts: [Google.com]")
		SE("a", "wild", "", "hosts: ['*.wild.org']")
		    SE("a", "deeper", "", "hosts: ['*.deep.wild.org']")
			SE("a", "one", "", "hosts: [one.deep.wild.org]")
			    SE("a", "long", "", "hosts: [a.b.c.deep.net.test]")
				SE("a", "dot", "", "hosts: [dot.test.]"),
	    cases, ARRAY_LEN(cases));
}

static void
exports(void **state)
{
	static const struct judge_case cases[] = {
	    {IN_A, "own.t", HOST, "own"},
	    {IN_B, "own.t", HIDDEN, "own"},
	    {NULL, "own.t", HIDDEN, "own"},
	    {IN_A, "named.t", HOST, "named"},
	    {IN_B, "named.t", HIDDEN, "named"},
	    {IN_A, "others.t", HIDDEN, "others"}, /* its own namespace is not listed */
	    {IN_B, "others.t", HOST, "others"},
	    {IN_C, "others.t", HOST, "others"},
	    {NULL, "others.t", HIDDEN, "others"},
	    {IN_A, "none.t", HIDDEN, "none"},
	    {NULL, "none.t", HIDDEN, "none"},
	    {IN_A, "star.t", HOST, "star"},
	    {NULL, "star.t", HOST, "star"},
	    {NULL, "absent.t", HOST, "absent"},
	    /* an entry that is out of sight has no parents either */
	    {IN_A, "below.private", PARENT, NULL},
	    {IN_A, "private", PARENT, NULL},
	    {IN_B, "below.private", NO, NULL},
	    {IN_B, "private", NO, NULL},
	    {NULL, "private", NO, NULL},
	    {IN_B, "x.wild.private2", HIDDEN, "pwild"},
	    {IN_A, "wild.private2", PARENT, NULL},
	    {IN_B, "wild.private2", NO, NULL},
	    {IN_B, "nothing.hidden3", NO, NULL},
	    {IN_B, "hidden3", NO, NULL},
	};

	(void)state;
	judge_all("3.1",
	    PODS SE("a", "own", "", "hosts: [own.t], exportTo: [.]")
		SE("a", "named", "", "hosts: [named.t], exportTo: [a]")
		    SE("a", "others", "", "hosts: [others.t], exportTo: [b, c]")
			SE("a", "none", "", "hosts: [none.t, x.hidden3], exportTo: ['~']")
			    SE("a", "star", "", "hosts: [star.t], exportTo: ['*']") SE(
				"a", "absent", "", "hosts: [absent.t]") SE("a", "private",
				"", "hosts: [x.below.private], exportTo: [.]") SE("a",
				"pwild", "", "hosts: ['*.wild.private2'], exportTo: [.]"),
	    cases, ARRAY_LEN(cases));
}

/* A visible wildcard answers where the exact host or a nearer one is out of sight. */
static void
visible_before_specific(void **state)
{
	static const struct judge_case cases[] = {
	    {IN_A, "x.w.t", HOST, "exact"},
	    {IN_B, "x.w.t", HOST, "wide"},
	    {IN_A, "y.n.w.t", HOST, "narrow"},
	    {IN_B, "y.n.w.t", HOST, "wide"},
	    {NULL, "y.n.w.t", HOST, "wide"},
	};

	(void)state;
	judge_all("3.1",
	    PODS SE("a", "wide", "", "hosts: ['*.w.t']")
		SE("a", "narrow", "", "hosts: ['*.n.w.t'], exportTo: [.]")
		    SE("a", "exact", "", "hosts: [x.w.t], exportTo: [.]"),
	    cases, ARRAY_LEN(cases));
}

static void
same_host_in_namespaces(void **state)
{
	static const struct judge_case cases[] = {
	    {IN_A, "h.t", HOST, "in-a"}, /* the own namespace first, though younger */
	    {IN_B, "h.t", HOST, "in-b"},
	    {IN_C, "h.t", HOST, "in-b"}, /* else the oldest */
	    {NULL, "h.t", HOST, "in-b"}, {IN_A, "tie.t", HOST, "tie-a"},
	    {IN_C, "tie.t", HOST, "tie-a"}, /* same age: by namespace, not by name */
	    {IN_B, "tie.t", HOST, "zie-b"},
	    {IN_A, "p.t", HOST, "p-a"}, /* what is private hides what is public */
	    {IN_C, "p.t", HOST, "p-b"},
	    {IN_C, "to.t", HOST, "to-b"}, /* exported by name before public */
	    {IN_A, "to.t", HOST, "to-a"}, {NULL, "to.t", HOST, "to-a"},
	    {IN_B, "o.t", HOST, "o-b"}, /* own and public before exported to it by name */
	    {IN_A, "o.t", HOST, "o-b"},
	    {IN_A, "x.out.t", HOST,
		"out-b"}, /* an own one it cannot see itself is none */
	};

	(void)state;
	judge_all("3.2a",
	    PODS SE("a", "in-a", AGE("2022-01-01"), "hosts: [h.t]") SE("b", "in-b",
		AGE("2021-01-01"), "hosts: [h.t]") SE("b", "zie-b", AGE("2021-01-01"),
		"hosts: [tie.t]") SE("a", "tie-a", AGE("2021-01-01"), "hosts: [tie.t]")
		SE("a", "p-a", AGE("2022-01-01"), "hosts: [p.t], exportTo: [.]") SE("b",
		    "p-b", AGE("2021-01-01"),
		    "hosts: [p.t]") SE("a", "to-a", AGE("2020-01-01"), "hosts: [to.t]")
		    SE("b", "to-b", AGE("2022-01-01"), "hosts: [to.t], exportTo: [c]")
			SE("b", "o-b", AGE("2020-01-01"), "hosts: [o.t]") SE(
			    "a", "o-a", AGE("2020-01-02"), "hosts: [o.t], exportTo: [b]")
			    SE("a", "out-a", AGE("2020-01-01"),
				"hosts: [x.out.t], "
				"exportTo: [c]")
				SE("b", "out-b", AGE("2021-01-01"), "hosts: [x.out.t]"),
	    cases, ARRAY_LEN(cases));
}

#define SE_PORT(name, more, number, spec)                                                \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: a" more                                             \
	"}\nspec: {hosts: [m.t], ports: [{number: " number ", name: p" number            \
	", protocol: TLS}], " spec "}\n"

static void
merged_in_a_namespace(void **state)
{
	struct built b;
	struct verdict v;

	(void)state;
	assert_int_equal(
	    built_from(&b, SE_PORT("young", AGE("2022-01-01"), "443", "exportTo: [., b]")
			       SE_PORT("old", AGE("2021-01-01"), "80", "exportTo: [b, a]")
				   SE_PORT("same", AGE("2023-01-01"), "443",
				       "exportTo: [b, .]") POD("a", "pa", IN_A)),
	    0);
	assert_int_equal(b.findings.warnings, 0);
	v = built_judge(&b, IN_A, "m.t");
	assert_string_equal(v.host->source.name, "old");
	assert_int_equal(v.host->port_count, 2);
	assert_int_equal(v.host->ports[0].number, 80);
	assert_int_equal(v.host->ports[1].number, 443);
	assert_int_equal(registry_counts(b.registry).entries, 3);
	assert_int_equal(registry_counts(b.registry).hosts, 1);
	built_close(&b);
}

/* Each difference leaves the younger one in the shadow, and says so. */
static void
shadowed_in_a_namespace(void **state)
{
	static const struct {
		const char *metadata, *spec;
	} differences[] = {
	    {"", "resolution: DNS"},
	    {", labels: {x: z}", "resolution: NONE"},
	    {"", "exportTo: [.]"},
	    {"", "workloadSelector: {labels: {a: b}}"},
	};
	char text[2048];
	struct built b;
	struct verdict v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
		(void)snprintf(text, sizeof(text),
		    SE_PORT("old", AGE("2021-01-01"), "80",
			"resolution: NONE") "---\n"
					    "apiVersion: networking.istio.io/v1\nkind: "
					    "ServiceEntry\n"
					    "metadata: {name: young, namespace: a, "
					    "creationTimestamp: "
					    "'2022-01-01T00:00:00Z'%s}\n"
					    "spec: {hosts: [m.t], ports: [{number: 443, "
					    "name: a, protocol: "
					    "TLS}], %s}\n",
		    differences[i].metadata, differences[i].spec);
		assert_int_equal(built_from(&b, text), 0);
		assert_true(built_says(&b, FINDING_WARNING,
		    "host \"m.t\" of ServiceEntry a/young is shadowed by ServiceEntry "
		    "a/old"));
		v = built_judge(&b, NULL, "m.t");
		assert_int_equal(v.kind, VERDICT_HOST);
		assert_int_equal(v.host->port_count, 1);
		(void)snprintf(text, sizeof(text), "shadowed: %s %s",
		    differences[i].metadata, differences[i].spec);
		assert_int_equal(
		    case_failed("3.2b", text, v.host->ports[0].number == 80), 0);
		built_close(&b);
	}
}

static void
allow_any(void **state)
{
	struct name zone;
	struct built b;

	(void)state;
	assert_int_equal(name_parse("cluster.local", 13, &zone), 0);
	built_open(&b);
	b.settings.outbound = OUTBOUND_ALLOW_ANY;
	b.settings.zones = &zone;
	b.settings.zone_count = 1;
	built_add(&b, "a", SE("a", "e", "", "hosts: [a.com], addresses: [1.2.3.4]"));
	assert_int_equal(built_finish(&b), 0);
	assert_int_equal(built_judge(&b, NULL, "a.com").kind, VERDICT_OPEN);
	assert_int_equal(built_judge(&b, NULL, "x.y").kind, VERDICT_OPEN);
	assert_int_equal(built_judge(&b, NULL, ".").kind, VERDICT_OPEN);
	assert_int_equal(built_judge(&b, NULL, "local").kind, VERDICT_OPEN);
	assert_int_equal(built_judge(&b, NULL, "x.cluster.local").kind, VERDICT_ZONE);
	assert_false(registry_fixed(b.registry, 0, &(struct registry_fixed){0}));
	built_close(&b);
}

static void
zones(void **state)
{
	struct name zone[2];
	struct built b;
	struct verdict v;

	(void)state;
	assert_int_equal(name_parse("cluster.local", 13, &zone[0]), 0);
	assert_int_equal(name_parse("svc.cluster.local", 17, &zone[1]), 0);
	built_open(&b);
	b.settings.zones = zone;
	b.settings.zone_count = 2;
	built_add(&b, "a", SE("a", "e", "", "hosts: [x.svc.cluster.local]"));
	assert_int_equal(built_finish(&b), 0);
	assert_true(built_says(&b, FINDING_WARNING, "lies in an internal zone"));
	v = built_judge(&b, NULL, "cluster.local");
	assert_int_equal(v.kind, VERDICT_ZONE);
	assert_int_equal(v.zone, 0);
	v = built_judge(&b, NULL, "a.b.cluster.local");
	assert_int_equal(v.zone, 0);
	v = built_judge(&b, NULL, "a.svc.cluster.local");
	assert_int_equal(v.kind, VERDICT_ZONE);
	assert_int_equal(v.zone, 1);
	assert_int_equal(built_judge(&b, NULL, "x.svc.cluster.local").kind, VERDICT_ZONE);
	assert_int_equal(built_judge(&b, NULL, "local").kind, VERDICT_PARENT);
	assert_int_equal(built_judge(&b, NULL, "x.local").kind, VERDICT_REFUSED);
	built_close(&b);
}

/* Names as long and as deep as names can be. */
static void
extreme_names(void **state)
{
	struct name n = {.len = 255, .labels = 127};
	struct built b;
	struct verdict v;

	(void)state;
	assert_int_equal(built_from(&b, SE("a", "e", "", "hosts: ['*.a', a.b]")), 0);
	for (int i = 0; i < 254; i += 2)
		memcpy(n.bytes + i, "\1a", 2);
	n.bytes[254] = 0;
	registry_judge(b.registry, NULL, &n, &v);
	assert_int_equal(v.kind, VERDICT_HOST);
	n.bytes[253] = 'z';
	registry_judge(b.registry, NULL, &n, &v);
	assert_int_equal(v.kind, VERDICT_REFUSED);
	built_close(&b);
}

static void
references(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(built_from(&b, SE("a", "e", "", "hosts: [a.b]")), 0);
	assert_ptr_equal(registry_ref(b.registry), b.registry);
	registry_unref(b.registry);
	assert_int_equal(built_judge(&b, NULL, "a.b").kind, VERDICT_HOST);
	registry_unref(NULL);
	built_close(&b);
}

static void
empty(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(built_from(&b, ""), 0);
	assert_int_equal(built_judge(&b, NULL, "a.b").kind, VERDICT_REFUSED);
	assert_int_equal(built_judge(&b, NULL, ".").kind, VERDICT_REFUSED);
	assert_int_equal(registry_counts(b.registry).entries, 0);
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hosts_and_wildcards),
	    cmocka_unit_test(exports),
	    cmocka_unit_test(visible_before_specific),
	    cmocka_unit_test(same_host_in_namespaces),
	    cmocka_unit_test(merged_in_a_namespace),
	    cmocka_unit_test(shadowed_in_a_namespace),
	    cmocka_unit_test(allow_any),
	    cmocka_unit_test(zones),
	    cmocka_unit_test(extreme_names),
	    cmocka_unit_test(references),
	    cmocka_unit_test(empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
