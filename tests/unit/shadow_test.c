/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host defined more than once: whose pods see whose, and what is said of it (the
 * reference's section 3.2).
 */
#include "policy/registry/definition.h"
#include "tests/unit/built.h"
#include "tests/unit/cases.h"
#include "tests/unit/mesh_text.h"

#define OLD AGE("2021-01-01")
#define NEW AGE("2022-01-01")
#define H "[h.com]"

struct shadow_case {
	const char *title;
	const char *text;
	size_t warnings;
	const char *words; /* of one of them */
};

static const struct shadow_case cases[] = {
    {"3.2 alone", SE("a", "e", "", H, P443), 0, NULL},
    {"3.2 exact and wildcard",
	SE("a", "e", "", H, P443) SE("b", "f", "", "['*.com']", P443), 0, NULL},
    {"3.2 a younger public one", SE("a", "e1", OLD, H, P443) SE("b", "e2", NEW, H, P443),
	2,
	"host \"h.com\" of ServiceEntry b/e2 is shadowed by ServiceEntry a/e1 (a.yaml:2) "
	"for all other namespaces: the older goes first"},
    {"3.2 the older public one too, where the younger stands",
	SE("a", "e1", OLD, H, P443) SE("b", "e2", NEW, H, P443), 2,
	"host \"h.com\" of ServiceEntry a/e1 is shadowed by ServiceEntry b/e2 (a.yaml:7) "
	"for pods of namespace b: what a namespace defines itself goes first there"},
    {"3.2 in several namespaces",
	SE("a", "e1", OLD, H, P443) SE("b", "e2", "", H, P443 ", exportTo: [.]")
	    SE("c", "e3", "", H, P443 ", exportTo: [.]")
		SE("d", "e4", "", H, P443 ", exportTo: [.]"),
	1, "and of 2 more: what a namespace defines itself goes first there"},
    {"3.2 by one exported by name",
	SE("a", "e1", OLD, H, P443) SE("b", "e2", NEW, H, P443 ", exportTo: [x]"), 1,
	"a/e1 is shadowed by ServiceEntry b/e2 (a.yaml:7) for pods of namespace x: what "
	"is exported by name goes before what is public"},
    {"3.2 the younger of two exported by name",
	SE("a", "e1", OLD, H, P443 ", exportTo: [x]")
	    SE("b", "e2", NEW, H, P443 ", exportTo: [x, z]"),
	1,
	"b/e2 is shadowed by ServiceEntry a/e1 (a.yaml:2) for pods of namespace x: the "
	"older goes first"},
    {"3.2 exported by name to who has one itself",
	SE("a", "e1", OLD, H, P443 ", exportTo: [x]")
	    SE("x", "e2", NEW, H, P443 ", exportTo: [.]"),
	1, "a/e1 is shadowed by ServiceEntry x/e2 (a.yaml:7) for pods of namespace x"},
    {"3.2 each to its own namespace",
	SE("a", "e1", OLD, H, P443 ", exportTo: [.]")
	    SE("b", "e2", NEW, H, P443 ", exportTo: [.]"),
	0, NULL},
    {"3.2 in one namespace",
	SE("a", "e1", OLD, H, P443) SE("a", "e2", NEW, H, P443 ", exportTo: [.]"), 1,
	"a/e2 is shadowed by ServiceEntry a/e1 (a.yaml:2) in its own namespace, and "
	"opens "
	"nothing: the older goes first"},
    {"3.2 merged ones are each told",
	SE("a", "e1", OLD, H, P443) SE("b", "e2", NEW, H, P443)
	    SE("b", "e3", NEW, H, P80),
	3, "ServiceEntry b/e3 is shadowed by ServiceEntry a/e1"},
};

static void
shadows_are_told(void **state)
{
	size_t failed = 0;
	struct built b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct shadow_case *c = &cases[i];

		bool good;

		good = built_from(&b, c->text) == 0 &&
		       b.findings.warnings == c->warnings &&
		       (c->words == NULL || built_says(&b, FINDING_WARNING, c->words));
		if (!good)
			built_print(&b);
		failed += case_failed("", c->title, good);
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

/* Definitions of one host by different namespaces, the first to go first, for a workload
 * of the namespace that the first one is of. */
static void
precedence(void **state)
{
	static const struct {
		const char *kind;
		bool public;
		uint32_t order;
	} rows[] = {
	    {"ServiceEntry", true, 9},
	    {"Service", false, 2},
	    {"Service", false, 3},
	    {"Service", true, 0},
	    {"Service", true, 1},
	    {"ServiceEntry", false, 6},
	    {"ServiceEntry", false, 7},
	    {"ServiceEntry", true, 4},
	    {"ServiceEntry", true, 5},
	};
	struct interned namespaces[ARRAY_LEN(rows)];
	struct service_entry entries[ARRAY_LEN(rows)];
	struct definition_part parts[ARRAY_LEN(rows)];
	struct definition defs[ARRAY_LEN(rows)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		entries[i] = (struct service_entry){
		    .source.kind = rows[i].kind, .export.public = rows[i].public};
		parts[i] = (struct definition_part){.entry = &entries[i]};
		defs[i] = (struct definition){.namespace = &namespaces[i],
		    .parts = &parts[i],
		    .order = rows[i].order};
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			assert_int_equal(
			    definition_goes_before(&defs[i], &defs[k], &namespaces[0]),
			    i < k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shadows_are_told),
	    cmocka_unit_test(precedence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
