/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mesh's settings, from each place that may state them (reference 2.4).
 */
#include <errno.h>

#include "policy/object/mesh.h"
#include "tests/unit/built.h"
#include "tests/unit/cases.h"

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
    {"2.4 nobody says anything", NOTHING, "", IS_ANY, NULL},
    {"2.4 the configuration says REGISTRY_ONLY", ONLY, "", IS_ONLY, NULL},
    {"2.4 the configuration says ALLOW_ANY", ANY, "", IS_ANY, NULL},
    {"2.4 operator: REGISTRY_ONLY", NOTHING,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}}\n",
	IS_ONLY, NULL},
    {"2.4 operator overrides the configuration", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}}\n",
	IS_ONLY, NULL},
    {"2.4 operator overrides the other way", ONLY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: ALLOW_ANY}}}\n", IS_ANY,
	NULL},
    {"2.4 an empty policy is REGISTRY_ONLY", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {}}}\n", IS_ONLY, NULL},
    {"2.4 a null mode in a policy is REGISTRY_ONLY", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: null}}}\n", IS_ONLY, NULL},
    {"2.4 an absent policy says nothing", ONLY,
	IOP "spec: {meshConfig: {accessLogFile: /dev/stdout}}\n", IS_ONLY, NULL},
    {"2.4 a null policy says nothing", ONLY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: null}}\n", IS_ONLY, NULL},
    {"2.4 a null meshConfig says nothing", ONLY, IOP "spec: {meshConfig: }\n", IS_ONLY,
	NULL},
    {"2.4 an operator without spec says nothing", ONLY, IOP, IS_ONLY, NULL},
    {"2.4 ALLOW_ANY_DYNAMIC_DNS is ALLOW_ANY", ONLY,
	IOP
	"spec: {meshConfig: {outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}}}\n",
	IS_ANY, NULL},
    {"2.4 an unknown word", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: REGISTER_ONLY}}}\n",
	IS_ERROR, "\"REGISTER_ONLY\" is unknown"},
    {"2.4 the word in lower case", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: registry_only}}}\n",
	IS_ERROR, "is unknown"},
    {"2.4 a number", ANY, IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: 1}}}\n",
	IS_ERROR, "quotes"},
    {"2.4 an empty word", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {mode: ''}}}\n", IS_ERROR,
	"is unknown"},
    {"2.4 a policy that is a word", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: REGISTRY_ONLY}}\n", IS_ERROR,
	"must be a mapping"},
    {"2.4 a meshConfig that is a list", ANY, IOP "spec: {meshConfig: [a]}\n", IS_ERROR,
	"must be a mapping"},
    {"2.4 the mesh ConfigMap", NOTHING,
	CM "data:\n  mesh: |-\n    accessLogFile: /dev/stdout\n    "
	   "outboundTrafficPolicy:\n      mode: REGISTRY_ONLY\n",
	IS_ONLY, NULL},
    {"2.4 the mesh ConfigMap with an empty policy", NOTHING,
	CM "data:\n  mesh: |-\n    outboundTrafficPolicy: {}\n", IS_ONLY, NULL},
    {"2.4 the mesh ConfigMap of a revision", NOTHING,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-canary, namespace: "
	"istio-system}\ndata: {mesh: 'outboundTrafficPolicy: {}'}\n",
	IS_ONLY, NULL},
    {"2.4 the mesh ConfigMap without namespace", NOTHING,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: "
	"'outboundTrafficPolicy: {}'}\n",
	IS_ONLY, NULL},
    {"2.4 a tenant's ConfigMap of that name", ONLY,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: "
	"tenant}\ndata: {mesh: 'outboundTrafficPolicy: {mode: ALLOW_ANY}'}\n",
	IS_ERROR, "is not believed"},
    {"2.4 a mesh ConfigMap whose text is empty", ONLY, CM "data: {mesh: ''}\n", IS_ONLY,
	NULL},
    {"2.4 a mesh ConfigMap whose text is broken", ONLY, CM "data: {mesh: '['}\n",
	IS_ERROR, "not readable"},
    {"2.4 a mesh ConfigMap with two documents", ONLY,
	CM "data: {mesh: \"a: 1\\n---\\nb: 1\\n\"}\n", IS_ERROR, "second document"},
    {"2.4 a mesh ConfigMap with an unknown mode", ONLY,
	CM "data: {mesh: 'outboundTrafficPolicy: {mode: X}'}\n", IS_ERROR, "is unknown"},
    {"2.4 another ConfigMap of Istio", ONLY,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-ca-root-cert, "
	"namespace: "
	"a}\ndata: {root-cert.pem: x}\n",
	IS_ONLY, NULL},
    {"2.4 a ConfigMap of somebody else", ONLY,
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {mesh: '['}\n",
	IS_ONLY, NULL},
    {"2.4 two manifests that agree", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {}}}\n---\n" CM
	    "data: {mesh: 'outboundTrafficPolicy: {mode: REGISTRY_ONLY}'}\n",
	IS_ONLY, NULL},
    {"2.4 two manifests that disagree", ANY,
	IOP "spec: {meshConfig: {outboundTrafficPolicy: {}}}\n---\n" CM
	    "data: {mesh: 'outboundTrafficPolicy: {mode: ALLOW_ANY}'}\n",
	IS_ERROR, "disagrees with that at a.yaml:4:"},
    {"2.4 two manifests, one of which says nothing", ANY,
	IOP "spec: {}\n---\n" CM "data: {mesh: 'outboundTrafficPolicy: {}'}\n", IS_ONLY,
	NULL},
    {"2.4 an unknown version of the operator", ONLY,
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
		bool good;

		built_open(&b);
		b.settings.has_outbound = cases[i].configuration != NOTHING;
		b.settings.outbound = cases[i].configuration == ANY
					  ? OUTBOUND_ALLOW_ANY
					  : OUTBOUND_REGISTRY_ONLY;
		built_add(&b, "a.yaml", cases[i].text);
		(void)built_finish(&b); /* looked at by as_expected */
		good = as_expected(&b, cases[i].outcome, cases[i].words);
		if (!good)
			built_print(&b);
		failed += case_failed("", cases[i].title, good);
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

#define POD(ns, ip)                                                                      \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: " ns             \
	"}\nstatus: {podIPs: [{ip: " ip "}]}\n"
#define PODS POD("a", "10.0.0.1") POD("b", "10.0.0.2")
#define ENTRY(ns, export)                                                                \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " \
	"e, namespace: " ns "}\nspec: {hosts: [x.example], resolution: DNS, ports: "     \
	"[{number: 443, name: https, protocol: HTTPS}]" export "}\n"
#define MESH(fields) "---\n" IOP "spec: {meshConfig: {" fields "}}\n"
#define NS(name, labels)                                                                 \
	"---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " name                   \
	", labels: {" labels "}}\n"
#define DISCOVER(selectors) MESH("discoverySelectors: [" selectors "]")

/* Who sees x.example, which namespace a defines. */
static const struct {
	const char *title;
	const char *text;
	const char
	    *seen_by;      /* of "ab?", the last one being a pod that is not known; NULL:
				refused */
	const char *words; /* of an error, or of a warning when not refused */
} sights[] = {
    {"3.1 nothing stated", ENTRY("a", ""), "ab?", NULL},
    {"3.1 default: own namespace", MESH("defaultServiceExportTo: ['.']") ENTRY("a", ""),
	"a", NULL},
    {"3.1 default behind the entry", ENTRY("a", "") MESH("defaultServiceExportTo: ['.']"),
	"a", NULL},
    {"3.1 default: nobody", MESH("defaultServiceExportTo: ['~']") ENTRY("a", ""), "",
	NULL},
    {"3.1 default: everybody", MESH("defaultServiceExportTo: ['*']") ENTRY("a", ""),
	"ab?", NULL},
    {"3.1 default: a namespace", MESH("defaultServiceExportTo: [b]") ENTRY("a", ""), "b",
	NULL},
    {"3.1 default: own and another",
	MESH("defaultServiceExportTo: ['.', b]") ENTRY("a", ""), "ab", NULL},
    {"3.1 default: own by both words",
	MESH("defaultServiceExportTo: ['.', a]") ENTRY("a", ""), "a", NULL},
    {"3.1 an entry's own exportTo goes before",
	MESH("defaultServiceExportTo: ['~']") ENTRY("a", ", exportTo: ['*']"), "ab?",
	NULL},
    {"3.1 an empty exportTo states nothing",
	MESH("defaultServiceExportTo: ['.']") ENTRY("a", ", exportTo: []"), "a", NULL},
    {"3.1 an empty default states nothing",
	MESH("defaultServiceExportTo: []") ENTRY("a", ""), "ab?", NULL},
    {"3.1 a null default states nothing",
	MESH("defaultServiceExportTo: null") ENTRY("a", ""), "ab?", NULL},
    {"3.1 default: no namespace", MESH("defaultServiceExportTo: [a_b]"), NULL,
	"defaultServiceExportTo \"a_b\" is no namespace"},
    {"3.1 default: twice", MESH("defaultServiceExportTo: [a, a]"), NULL, "stands twice"},
    {"3.1 default: a star with others", MESH("defaultServiceExportTo: ['*', a]"), NULL,
	"cannot stand beside"},
    {"3.1 default: no list", MESH("defaultServiceExportTo: '*'"), NULL, "must be a list"},
    {"2.4 two defaults that agree",
	MESH("defaultServiceExportTo: ['.', b]") "---\n" CM
						 "data: {mesh: 'defaultServiceExportTo: "
						 "[b, .]'}\n" ENTRY("a", ""),
	"ab", NULL},
    {"2.4 two defaults that disagree",
	MESH("defaultServiceExportTo: ['.']") "---\n" CM
					      "data: {mesh: 'defaultServiceExportTo: "
					      "[b]'}\n",
	NULL, "defaultServiceExportTo disagrees with that at a.yaml:5:"},
    {"2.4 two fields in two places",
	MESH("defaultServiceExportTo: ['.']") "---\n" CM "data: {mesh: 'rootNamespace: "
					      "istio-system'}\n" ENTRY("a", ""),
	"a", NULL},
    {"2.4 rootNamespace: no name", MESH("rootNamespace: a.b"), NULL,
	"rootNamespace \"a.b\" is no name of a namespace"},
    {"2.4 rootNamespace: disagreement",
	MESH("rootNamespace: a") "---\n" CM "data: {mesh: 'rootNamespace: b'}\n", NULL,
	"rootNamespace disagrees with that at"},
    {"2.4 no selectors see all", DISCOVER("") ENTRY("a", ""), "ab?", NULL},
    {"2.4 a selected namespace",
	DISCOVER("{matchLabels: {team: x}}") NS("a", "team: x") ENTRY("a", ""), "ab?",
	NULL},
    {"2.4 a namespace that is not selected",
	DISCOVER("{matchLabels: {team: x}}") NS("a", "team: z") ENTRY("a", ""), "",
	"the namespace a is outside the mesh's discoverySelectors"},
    {"2.4 a namespace without manifest",
	DISCOVER("{matchLabels: {team: x}}") ENTRY("a", ""), "",
	"put its Namespace manifest into the registry"},
    {"2.4 by the name's own label",
	DISCOVER("{matchLabels: {kubernetes.io/metadata.name: a}}") NS("a", "")
	    ENTRY("a", ""),
	"ab?", NULL},
    {"2.4 that nobody can set",
	DISCOVER("{matchLabels: {kubernetes.io/metadata.name: b}}")
	    NS("a", "kubernetes.io/metadata.name: b") ENTRY("a", ""),
	"", "label the namespace"},
    {"2.4 one of two selectors is enough",
	DISCOVER("{matchLabels: {team: z}}, {matchLabels: {team: x}}") NS("a", "team: x")
	    ENTRY("a", ""),
	"ab?", NULL},
    {"2.4 an empty selector selects every namespace that is told of",
	DISCOVER("{}") NS("a", "") ENTRY("a", ""), "ab?", NULL},
    {"2.4 a selector that is null", DISCOVER("null"), NULL, "an empty element"},
    {"2.4 selectors: disagreement",
	DISCOVER("{matchLabels: {team: z}}") "---\n" CM
					     "data: {mesh: 'discoverySelectors: "
					     "[{matchLabels: {team: x}}]'}\n",
	NULL, "discoverySelectors disagrees with that at"},
    {"2.4 snake case", MESH("outbound_traffic_policy: {}"), NULL,
	"write outboundTrafficPolicy"},
    {"2.4 a letter missing", MESH("outboundTraficPolicy: {}"), NULL,
	"write outboundTrafficPolicy"},
    {"2.4 a letter too many", MESH("discoverySelectorss: []"), NULL,
	"write discoverySelectors"},
    {"2.4 other fields",
	MESH("rootCAs: [], defaultVirtualServiceExportTo: ['.']") ENTRY("a", ""), "ab?",
	NULL},
    {"3.1 serviceEntryVisibility for sidecars",
	MESH("serviceEntryVisibility: {applyToSidecars: true}") ENTRY("a", ""), "ab?",
	"serviceEntryVisibility is not applied"},
    {"3.1 serviceEntryVisibility for others",
	MESH("serviceEntryVisibility: {defaultVisibility: NONE}") ENTRY("a", ""), "ab?",
	NULL},
};

static bool
seen_as(const struct built *b, const char *by)
{
	static const struct {
		char letter;
		const char *pod;
	} pods[] = {{'a', "10.0.0.1"}, {'b', "10.0.0.2"}, {'?', NULL}};
	bool same = true;

	for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
		struct verdict v = built_judge(b, pods[i].pod, "x.example");
		bool sees = v.kind == VERDICT_HOST;

		same = same && sees == (strchr(by, pods[i].letter) != NULL);
	}
	return same;
}

static bool
as_seen(const struct built *b, const char *by, const char *words)
{
	if (by == NULL)
		return b->result == -EINVAL && built_says(b, FINDING_ERROR, words);
	return b->result == 0 && seen_as(b, by) &&
	       (words != NULL ? built_says(b, FINDING_WARNING, words)
			      : b->findings.warnings == 0);
}

static void
who_sees_an_entry(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sights); i++) {
		struct built b;
		bool good;

		built_open(&b);
		built_add(&b, "a.yaml", PODS);
		built_add(&b, "a.yaml", sights[i].text);
		(void)built_finish(&b); /* looked at by as_seen */
		good = as_seen(&b, sights[i].seen_by, sights[i].words);
		if (!good)
			built_print(&b);
		failed += case_failed("", sights[i].title, good);
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

/* One warning for a namespace, a note for each object. */
static void
a_namespace_is_warned_of_once(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "
		"{name: f, namespace: a}\nspec: {hosts: [y.example]}\n" ENTRY("a", "")
		    ENTRY("b", "") DISCOVER("{matchLabels: {team: x}}")),
	    0);
	assert_int_equal(b.findings.warnings, 2);
	assert_true(built_says(&b, FINDING_WARNING, "here and 1 times more"));
	assert_true(built_says(&b, FINDING_NOTE, "ServiceEntry a/f is outside"));
	assert_int_equal(registry_counts(b.registry).entries, 0);
	built_close(&b);
}

/* Its pods then have the mesh's mode. */
static void
a_hidden_sidecar_says_nothing(void **state)
{
	static const char sidecar[] =
	    "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s, "
	    "namespace: a}\nspec: {outboundTrafficPolicy: {mode: ALLOW_ANY}}\n";
	struct built b;

	(void)state;
	built_open(&b);
	built_add(&b, "a.yaml", PODS);
	built_add(&b, "a.yaml", sidecar);
	assert_int_equal(built_finish(&b), 0);
	assert_int_equal(built_judge(&b, "10.0.0.1", "x.example").kind, VERDICT_OPEN);
	built_close(&b);
	built_open(&b);
	built_add(&b, "a.yaml", PODS);
	built_add(&b, "a.yaml", sidecar);
	built_add(&b, "a.yaml", DISCOVER("{matchLabels: {team: x}}"));
	assert_int_equal(built_finish(&b), 0);
	assert_true(built_says(&b, FINDING_NOTE, "Sidecar a/s is outside"));
	assert_int_equal(built_judge(&b, "10.0.0.1", "x.example").kind, VERDICT_REFUSED);
	built_close(&b);
}

/* Field by field, a manifest goes before the configuration. */
static void
the_configuration_states_what_manifests_do_not(void **state)
{
	static const char *const own[] = {"."};
	struct export_words words = {.count = 1, .list = own};
	struct mesh mesh = {
	    .export_to = &words,
	    .root_namespace = "mesh",
	    .places = {[MESH_EXPORT] = {.file = "c"}, [MESH_ROOT] = {.file = "c"}},
	};
	struct built b;

	(void)state;
	built_open(&b);
	b.settings.mesh = &mesh;
	built_add(&b, "a.yaml", PODS ENTRY("a", "") MESH("outboundTrafficPolicy: {}"));
	assert_int_equal(built_finish(&b), 0);
	assert_true(seen_as(&b, "a"));
	built_close(&b);
	built_open(&b);
	b.settings.mesh = &mesh;
	built_add(&b, "a.yaml", PODS ENTRY("a", "") MESH("defaultServiceExportTo: [b]"));
	/* believed in the root namespace that the configuration names */
	built_add(&b, "b.yaml",
	    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: "
	    "mesh}\ndata: {mesh: 'outboundTrafficPolicy: {}'}\n");
	assert_int_equal(built_finish(&b), 0);
	assert_true(seen_as(&b, "b"));
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(modes),
	    cmocka_unit_test(old_values),
	    cmocka_unit_test(who_sees_an_entry),
	    cmocka_unit_test(a_namespace_is_warned_of_once),
	    cmocka_unit_test(a_hidden_sidecar_says_nothing),
	    cmocka_unit_test(the_configuration_states_what_manifests_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
