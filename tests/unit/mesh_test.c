/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mode, from each place that may state it.
 */
#include <errno.h>

#include "tests/unit/built.h"

#define CM                                                                               \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: "           \
	"istio-system}\n"
#define IOP                                                                              \
	"apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"                   \
	"metadata: {name: iop, namespace: istio-system}\n"

enum stated { NOTHING, ONLY, ANY };
enum outcome { IS_ONLY, IS_ANY, IS_ERROR };

static const struct {
	const char *title;
	enum stated configuration;
	const char *text;
	enum outcome outcome;
	const char *words;
} cases[] = {
    {"nobody says anything", NOTHING, "", IS_ANY, NULL},
    {"the configuration says REGISTRY_ONLY", ONLY, "", IS_ONLY, NULL},
    {"the configuration says ALLOW_ANY", ANY, "", IS_ANY, NULL},
    {"operator: REGISTRY_ONLY", NOTHING,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}}\n",
	IS_ONLY, NULL},
    {"operator overrides the configuration", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}}\n",
	IS_ONLY, NULL},
    {"operator overrides the other way", ONLY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: ALLOW_ANY}}}\n", IS_ANY,
	NULL},
    {"an empty policy is REGISTRY_ONLY", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {}}}\n", IS_ONLY, NULL},
    {"a null mode in a policy is REGISTRY_ONLY", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: null}}}\n", IS_ONLY, NULL},
    {"an absent policy says nothing", ONLY,
	IOP "spec: {meshConfig: {accessLogFile: /dev/stdout}}\n", IS_ONLY, NULL},
    {"a null policy says nothing", ONLY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: null}}\n", IS_ONLY, NULL},
    {"a null meshConfig says nothing", ONLY, IOP "spec: {meshConfig: }\n", IS_ONLY, NULL},
    {"an operator without spec says nothing", ONLY, IOP, IS_ONLY, NULL},
    {"ALLOW_ANY_DYNAMIC_DNS is ALLOW_ANY", ONLY,
	IOP
	"spec: {meshConfig: {outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}}}\n",
	IS_ANY, NULL},
    {"an unknown word", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: REGISTER_ONLY}}}\n",
	IS_ERROR, "\"REGISTER_ONLY\" is unknown"},
    {"the word in lower case", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: registry_only}}}\n",
	IS_ERROR, "is unknown"},
    {"a number", ANY, IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: 1}}}\n",
	IS_ERROR, "quotes"},
    {"an empty word", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: ''}}}\n", IS_ERROR,
	"is unknown"},
    {"a policy that is a word", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: REGISTRY_ONLY}}\n", IS_ERROR,
	"must be a mapping"},
    {"a meshConfig that is a list", ANY, IOP "spec: {meshConfig: [a]}\n", IS_ERROR,
	"must be a mapping"},
    {"the mesh ConfigMap", NOTHING,
	CM "data:\n  mesh: |-\n    accessLogFile: /dev/stdout\n    "
	   "outboundTrafficPolicy:\n      mode: REGISTRY_ONLY\n",
	IS_ONLY, NULL},
    {"the mesh ConfigMap with an empty policy", NOTHING,
	CM "data:\n  mesh: |-\n    outboundTrafficPolicy: {}\n", IS_ONLY, NULL},
    {"the mesh ConfigMap of a revision", NOTHING,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-canary, namespace: "
	"istio-system}\ndata: {mesh: 'outboundTrafficPolicy: {}'}\n",
	IS_ONLY, NULL},
    {"the mesh ConfigMap without namespace", NOTHING,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: "
	"'outboundTrafficPolicy: {}'}\n",
	IS_ONLY, NULL},
    {"a tenant's ConfigMap of that name", ONLY,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: "
	"tenant}\ndata: {mesh: 'outboundTrafficPolicy: {mode: ALLOW_ANY}'}\n",
	IS_ERROR, "is not believed"},
    {"a mesh ConfigMap whose text is empty", ONLY, CM "data: {mesh: ''}\n", IS_ONLY,
	NULL},
    {"a mesh ConfigMap whose text is broken", ONLY, CM "data: {mesh: '['}\n", IS_ERROR,
	"not readable"},
    {"a mesh ConfigMap with two documents", ONLY,
	CM "data: {mesh: \"a: 1\\n---\\nb: 1\\n\"}\n", IS_ERROR, "second document"},
    {"a mesh ConfigMap with an unknown mode", ONLY,
	CM "data: {mesh: 'outboundTrafficPolicy: {mode: X}'}\n", IS_ERROR, "is unknown"},
    {"another ConfigMap of Istio", ONLY,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-ca-root-cert, "
	"namespace: "
	"a}\ndata: {root-cert.pem: x}\n",
	IS_ONLY, NULL},
    {"a ConfigMap of somebody else", ONLY,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {mesh: '['}\n",
	IS_ONLY, NULL},
    {"two manifests that agree", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {}}}\n---\n" CM
	    "data: {mesh: 'outboundTrafficPolicy: {mode: REGISTRY_ONLY}'}\n",
	IS_ONLY, NULL},
    {"two manifests that disagree", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {}}}\n---\n" CM
	    "data: {mesh: 'outboundTrafficPolicy: {mode: ALLOW_ANY}'}\n",
	IS_ERROR, "disagrees with that at a.yaml:4:"},
    {"two manifests, one of which says nothing", ANY,
	IOP "spec: {}\n---\n" CM "data: {mesh: 'outboundTrafficPolicy: {}'}\n", IS_ONLY,
	NULL},
    {"an unknown version of the operator", ONLY,
	"apiVersion: install.istio.io/v9\nkind: IstioOperator\nmetadata: {name: x}\n",
	IS_ERROR, "apiVersion"},
};

static bool
as_expected(const struct built *b, enum outcome outcome, const char *words)
{
	if (outcome == IS_ERROR)
		return b->result == -EINVAL && built_says(b, FINDING_ERROR, words);
	return b->result == 0 &&
	       registry_mode(b->registry) ==
		   (outcome == IS_ONLY ? OUTBOUND_REGISTRY_ONLY : OUTBOUND_ALLOW_ANY);
}

static void
modes(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct built b;

		built_open(&b);
		b.settings.has_outbound = cases[i].configuration != NOTHING;
		b.settings.outbound = cases[i].configuration == ANY
					  ? OUTBOUND_ALLOW_ANY
					  : OUTBOUND_REGISTRY_ONLY;
		built_add(&b, "a.yaml", cases[i].text);
		(void)built_finish(&b); /* looked at by as_expected */
		if (!as_expected(&b, cases[i].outcome, cases[i].words)) {
			print_error("%s: result %d\n", cases[i].title, b.result);
			built_print(&b);
			failed++;
		}
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

/* Old Helm values are not read, and that is said. */
static void
old_values(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, IOP "spec: {values: {global: "
			       "{outboundTrafficPolicy: {mode: ALLOW_ANY}}}}\n"),
	    0);
	assert_int_equal(registry_mode(b.registry), OUTBOUND_REGISTRY_ONLY);
	assert_true(built_says(&b, FINDING_WARNING, "move it to"));
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(modes),
	    cmocka_unit_test(old_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
