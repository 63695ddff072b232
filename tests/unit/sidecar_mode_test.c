/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outboundTrafficPolicy of mesh and Sidecars, what is open without a lookup by scope, and
 * allocations that fail. The numbers are the reference's sections.
 */
#include <errno.h>

#include "tests/unit/alloc.h"
#include "tests/unit/built.h"
#include "tests/unit/cases.h"
#include "tests/unit/mesh_text.h"

#define RO OUTBOUND_REGISTRY_ONLY
#define AA OUTBOUND_ALLOW_ANY
#define ALLOW "outboundTrafficPolicy: {mode: ALLOW_ANY}"
#define EGRESS(hosts) "egress: [{hosts: [" hosts "]}]"
#define PODS POD_A POD_B

struct mode_case {
	const char *title;
	enum outbound_mode mesh;
	const char *text;
	enum outbound_mode all, a, b; /* of the registry and of the pods */
	size_t open;                  /* addresses of registry_open */
};

static const struct mode_case modes[] = {
    {"2.3 the mesh's", RO, PODS, RO, RO, RO, 0},
    {"2.3 the mesh's, ALLOW_ANY", AA, PODS, AA, AA, AA, 0},
    {"2.3 {} is REGISTRY_ONLY", AA, PODS SIDECAR("a", "s", "", POLICY), RO, RO, AA, 1},
    {"2.3 mode null is REGISTRY_ONLY", AA,
	PODS SIDECAR("a", "s", "", "outboundTrafficPolicy: {mode: null}"), RO, RO, AA, 1},
    {"2.3 REGISTRY_ONLY", AA,
	PODS SIDECAR("a", "s", "", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"), RO,
	RO, AA, 1},
    {"2.3 ALLOW_ANY under REGISTRY_ONLY", RO, PODS SIDECAR("a", "s", "", ALLOW), RO, AA,
	RO, 1},
    {"2.3 absent: the mesh's", RO, PODS SIDECAR("a", "s", "", EGRESS("'./*'")), RO, RO,
	RO, 0},
    {"2.3 null: the mesh's", RO,
	PODS SIDECAR("a", "s", "", EGRESS("'./*'") ", outboundTrafficPolicy: null"), RO,
	RO, RO, 0},
    {"2.3 the root's", AA, PODS SIDECAR("istio-system", "s", "", POLICY), RO, RO, RO, 0},
    {"2.3 one with egress alone drops the root's", AA,
	PODS SIDECAR("istio-system", "s", "", POLICY)
	    SIDECAR("a", "s", "", EGRESS("'./*'")),
	RO, AA, RO, 1},
    {"2.3 by selector", AA,
	PODS SIDECAR("a", "s", "", "workloadSelector: {labels: {app: web}}, " POLICY), RO,
	RO, AA, 1},
    {"2.3 by a selector that matches nobody: the strictest all the same", AA,
	PODS SIDECAR("a", "s", "", "workloadSelector: {labels: {app: db}}, " POLICY), RO,
	AA, AA, 2},
    {"2.3 of a namespace without pods: the strictest all the same", AA,
	PODS SIDECAR("z", "s", "", POLICY), RO, AA, AA, 2},
    {"2.3 all under ALLOW_ANY while the mesh is not", RO,
	PODS SIDECAR("istio-system", "s", "", ALLOW), RO, AA, AA, 2},
};

static const struct workload *
workload(const struct built *b, const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return registry_workload(b->registry, &a);
}

static size_t
count_open(const struct built *b)
{
	struct addr a;
	size_t n = 0;

	while (registry_open(b->registry, n, &a)) {
		char text[ADDR_TEXT_MAX];

		assert_int_equal(workload(b, addr_format(&a, text))->mode, AA);
		n++;
	}
	return n;
}

static bool
has_modes(const struct mode_case *c)
{
	struct built b;
	bool good;

	built_open(&b);
	b.settings.outbound = c->mesh;
	built_add(&b, "a.yaml", c->text);
	good = built_finish(&b) == 0 && registry_mode(b.registry) == c->all &&
	       workload(&b, IN_A)->mode == c->a && workload(&b, IN_B)->mode == c->b &&
	       count_open(&b) == c->open &&
	       (built_judge(&b, IN_A, "x.y").kind == VERDICT_OPEN) == (c->a == AA) &&
	       (built_judge(&b, NULL, "x.y").kind == VERDICT_OPEN) == (c->all == AA);
	built_close(&b);
	return good;
}

static void
which_mode(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		failed += case_failed("", modes[i].title, has_modes(&modes[i]));
	assert_int_equal(failed, 0);
}

/* Whose pods, what is open: sorted by nothing but the order of their coming. */
struct fixed_case {
	const char *title;
	const char *text;
	const char *want; /* "PODS DESTINATION PORT" each; "*" for every pod */
};

#define ADDRESSED(ns, name, more, ports)                                                 \
	SE(ns, name, "", "[" name ".com]", "addresses: [192.0.2.1], " ports more)

static const struct fixed_case fixed[] = {
    {"3.1 public: every pod", PODS ADDRESSED("b", "e", "", P443), "* 443;"},
    {"3.1 private", PODS ADDRESSED("b", "e", ", exportTo: [.]", P443), "10.0.0.2 443;"},
    {"3.1 nobody", PODS ADDRESSED("b", "e", ", exportTo: ['~']", P443), ""},
    {"2.2 not imported: who is known and sees it",
	PODS ADDRESSED("b", "e", "", P443) SIDECAR("a", "s", "", EGRESS("'./*'")),
	"10.0.0.2 443;"},
    {"2.2 imported by all",
	PODS ADDRESSED("b", "e", "", P443) SIDECAR("a", "s", "", EGRESS("'b/*'")),
	"* 443;"},
    {"2.2.3 imported under the root's by all",
	PODS ADDRESSED("b", "e", "", P443)
	    SIDECAR("istio-system", "s", "", EGRESS("'b/*'")),
	"* 443;"},
    {"2.2.3 of the own namespace under the root's",
	PODS ADDRESSED("b", "e", "", P443)
	    SIDECAR("istio-system", "s", "", EGRESS("'./*'")),
	"10.0.0.2 443;"},
    {"2.2.3 under the root's, but for one namespace",
	PODS ADDRESSED("b", "e", "", P443) SIDECAR("istio-system", "s", "",
	    EGRESS("'b/*'")) SIDECAR("a", "s", "", EGRESS("'./*'")),
	"10.0.0.2 443;"},
    {"2.1 on a trimmed port only",
	PODS ADDRESSED("b", "e", "", P80_443)
	    SIDECAR("a", "s", "", "egress: [{port: {number: 80}, hosts: ['*/*']}]"),
	"10.0.0.2 80;10.0.0.2 443;10.0.0.1 80;"},
    {"2.1 nothing is left of its ports",
	PODS ADDRESSED("b", "e", ", exportTo: [a]", P443) SIDECAR("a", "s", "",
	    "egress: [{port: {number: 443}, hosts: ['./*']}, {hosts: ['*/*']}]"),
	""},
    {"2.1 the same for two selectors",
	PODS ADDRESSED("b", "e", "", P443) SIDECAR("a", "s", "",
	    "workloadSelector: {labels: {app: web}}, " EGRESS("'./*'")) SIDECAR("a", "t",
	    "", "workloadSelector: {labels: {tier: front}}, " EGRESS("'b/*'")),
	"10.0.0.2 443;"},
    {"2.1 who sees one of an entry's hosts may reach its addresses",
	PODS SE("b", "e", "", "[x.com, y.com]", "addresses: [192.0.2.1], " P443) SIDECAR(
	    "a", "s", "", EGRESS("'b/x.com'")) SIDECAR("b", "s", "", EGRESS("'b/y.com'"))
	    SIDECAR("istio-system", "s", "", EGRESS("'~/*'")),
	"10.0.0.1 443;10.0.0.2 443;"},
};

static void
list_fixed(const struct built *b, char *buf, size_t size)
{
	struct registry_fixed f;

	buf[0] = '\0';
	for (size_t i = 0; registry_fixed(b->registry, i, &f); i++) {
		char text[ADDR_TEXT_MAX];
		size_t len = strlen(buf);

		(void)snprintf(buf + len, size - len, "%s %u;",
		    f.pods.len == 0 ? "*" : addr_format(&f.pods.addr, text), f.port);
	}
}

static void
open_without_a_lookup(void **state)
{
	size_t failed = 0;
	char text[256];
	struct built b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		assert_int_equal(built_from(&b, fixed[i].text), 0);
		list_fixed(&b, text, sizeof(text));
		if (strcmp(text, fixed[i].want) != 0)
			print_error("%s\n", text);
		failed +=
		    case_failed("", fixed[i].title, strcmp(text, fixed[i].want) == 0);
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

/* Two that say the same share a scope's views, and the pod knows its own. */
static void
pods_know_their_sidecar(void **state)
{
	const struct workload *w;
	struct built b;

	(void)state;
	assert_int_equal(built_from(&b, PODS ADDRESSED("b", "e", "", P443) SIDECAR(
					    "a", "one", "", EGRESS("'./*'") ", " ALLOW)
					    SIDECAR("b", "two", "", EGRESS("'./*'"))),
	    0);
	w = workload(&b, IN_A);
	assert_string_equal(w->sidecar->source.name, "one");
	assert_string_equal(w->sidecar->imports, "./* only");
	assert_true(w->sidecar->states_mode);
	w = workload(&b, IN_B);
	assert_string_equal(w->sidecar->source.name, "two");
	assert_false(w->sidecar->states_mode);
	built_close(&b);
}

static void
warnings(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, SIDECAR("a", "s1", AGE("2021-01-01"), EGRESS("'./*'"))
			       SIDECAR("a", "s2", AGE("2022-01-01"), EGRESS("'./*'"))),
	    0);
	assert_true(built_says(
	    &b, FINDING_WARNING, "Sidecar a/s2 applies to no pod: one without"));
	assert_int_equal(b.findings.warnings, 1);
	built_close(&b);
	assert_int_equal(
	    built_from(&b,
		PODS SE("b", "e1", "", "[e.com]", P80) SE("c", "e2", "", "[e.com]", P443)
		    SIDECAR("istio-system", "s", "",
			"egress: [{port: {number: 80}, hosts: ['*/*', '~./*']}, {hosts: "
			"['c/*']}]")),
	    0);
	assert_true(built_says(&b, FINDING_WARNING,
	    "Sidecar istio-system/s: host \"e.com\" of ServiceEntry c/e2 (a.yaml:"));
	built_close(&b);
}

static void
every_allocation_may_fail(void **state)
{
	static const char text[] = PODS ADDRESSED("b", "e", "", P80_443)
	    ADDRESSED("a", "f", ", exportTo: [b]", P443)
		SIDECAR("istio-system", "s", "", EGRESS("'./*', 'b/*'") ", " ALLOW)
		    SIDECAR("a", "s", "",
			"workloadSelector: {labels: {app: web}}, egress: [{port: "
			"{number: 80}, hosts: ['*/*', '~./x.com']}]");
	int r = -ENOMEM;
	struct built b;

	(void)state;
	for (size_t n = 0; r < 0; n++) {
		struct registry_builder *builder;

		built_open(&b);
		alloc_fail_at(n);
		builder = registry_builder_new(&b.settings, &b.findings);
		r = -ENOMEM;
		if (builder != NULL)
			r = registry_builder_add(builder, "a", text, strlen(text));
		if (r == 0)
			r = registry_builder_finish(builder, &b.registry);
		else
			registry_builder_free(builder);
		alloc_reset();
		if (r < 0)
			assert_int_equal(r, -ENOMEM);
		built_close(&b);
		assert_true(n < 2000);
	}
}

/* Each limit of memory ends in its own error, never in a half-built registry. */
static void
too_little_room(void **state)
{
	static const char text[] = PODS ADDRESSED("b", "e", "", P80_443)
	    SIDECAR("istio-system", "s", "", EGRESS("'./*', 'b/*'"));
	int r = -ENOSPC;
	struct built b;

	(void)state;
	for (size_t bytes = 1024; r < 0; bytes += 256) {
		built_open(&b);
		b.settings.bytes_max = bytes;
		built_add(&b, "a", text);
		r = b.result;
		if (r == 0)
			r = built_finish(&b);
		if (r < 0)
			assert_int_equal(r, -ENOSPC);
		built_close(&b);
		assert_true(bytes < 1 << 20);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(which_mode),
	    cmocka_unit_test(open_without_a_lookup),
	    cmocka_unit_test(pods_know_their_sidecar),
	    cmocka_unit_test(warnings),
	    cmocka_unit_test(every_allocation_may_fail),
	    cmocka_unit_test(too_little_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
