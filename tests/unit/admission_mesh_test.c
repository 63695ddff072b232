/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What speaks for the whole mesh is not left out.
 */
#include "tests/unit/admission_bed.h"

#define SIDECAR(name, namespace, rest)                                                   \
	"---\napiVersion: networking.istio.io/v1\nkind: Sidecar\n"                       \
	"metadata: {name: " name ", namespace: " namespace "}\nspec: {" rest "}\n"
#define POD(name, namespace, address)                                                    \
	"---\napiVersion: v1\nkind: Pod\n"                                               \
	"metadata: {name: " name                                                         \
	", namespace: " namespace ", labels: {app: " name "}}\n"                         \
				  "status: {podIP: " address "}\n"

static void
a_broken_mesh_without_a_last_good_form_refuses(void **state)
{
	(void)state;
	BUILD({"m", MESH("NEVER")}, {"a", GOOD("a", "a.test")});
	assert_refused("NEVER");
	BUILD({"m", CONFIG_MAP("NEVER")});
	assert_refused("NEVER");
	/* nor one that does not say its name */
	BUILD({"m", "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"
		    "metadata: {}\nspec: {}\n"});
	assert_refused("metadata.name");
}

static void
a_broken_mesh_keeps_its_last_good_form(void **state)
{
	static const char *const broken[] = {
	    MESH("NEVER"), "[", NULL, MESH("ALLOW_ANY") "\x01"};

	(void)state;
	bed.now.settings.has_outbound = false;
	BUILD({"a", GOOD("a", "a.test")}, {"m", MESH("REGISTRY_ONLY")});
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		BUILD({"a", GOOD("a", "a.test")}, {"m", broken[i]});
		assert_counts(0, 1);
		assert_int_equal(registry_mode(bed.now.registry), OUTBOUND_REGISTRY_ONLY);
	}
	BUILD({"a", GOOD("a", "a.test")});
	assert_counts(0, 0);
	assert_int_equal(registry_mode(bed.now.registry), OUTBOUND_ALLOW_ANY);
}

static void
meshes_that_disagree_refuse(void **state)
{
	(void)state;
	BUILD({"m", MESH("REGISTRY_ONLY")}, {"n", CONFIG_MAP("ALLOW_ANY")});
	assert_refused("disagrees");
	BUILD({"m", MESH("REGISTRY_ONLY")}, {"n", CONFIG_MAP("REGISTRY_ONLY")});
	assert_counts(0, 0);
	BUILD({"m", MESH("ALLOW_ANY")}, {"n", CONFIG_MAP("REGISTRY_ONLY")});
	assert_refused("disagrees");
	BUILD({"m", MESH("REGISTRY_ONLY")}, {"n", CONFIG_MAP("ALLOW_ANY")});
	assert_refused("disagrees");
	/* a last good form too */
	BUILD({"m", MESH("ALLOW_ANY")}, {"n", CONFIG_MAP("NEVER")});
	assert_refused("disagrees");
	/* and one that stands twice */
	BUILD({"m", MESH("REGISTRY_ONLY")}, {"n", MESH("REGISTRY_ONLY")});
	assert_refused("stands at m:2:1 already");
}

/* It might be the mesh's policy that cannot be read. */
static void
at_the_start_what_cannot_be_told_must_not_open_everything(void **state)
{
	(void)state;
	bed.now.settings.has_outbound = false;
	BUILD({"a", "["});
	assert_refused("might hold the mesh's outboundTrafficPolicy");
	BUILD({"a", NULL});
	assert_refused("might hold the mesh's outboundTrafficPolicy");
	BUILD({"a", "["}, {"m", MESH("REGISTRY_ONLY")});
	assert_counts(1, 0);
	/* later it is known that everything was open before */
	BUILD({"m", MESH("ALLOW_ANY")});
	BUILD({"a", "["}, {"m", MESH("ALLOW_ANY")});
	assert_counts(1, 0);
	/* an object that says which one it is, is no mesh */
	bed.now.settings.before = NULL;
	registry_unref(bed.now.registry);
	registry_unref(bed.before);
	bed.now.registry = NULL;
	bed.before = NULL;
	BUILD({"a", BAD("a", "a.test")});
	assert_counts(1, 0);
}

#define PODS POD("web", "shop", "10.244.0.1") POD("db", "data", "10.244.0.2")

static enum verdict_kind
seen_by(const char *pod, const char *host)
{
	return built_judge(&bed.now, pod, host).kind;
}

/* Not even what another Sidecar of the namespace would show to the pod. */
static void
a_broken_sidecar_closes_its_namespace(void **state)
{
	(void)state;
	BUILD({"a", GOOD("a", "a.test") PODS},
	    {"s",
		SIDECAR("s", "shop", "egress: [{hosts: [nothing]}]") SIDECAR("t", "shop",
		    "workloadSelector: {labels: {app: web}}, egress: [{hosts: "
		    "['*/*']}]")});
	assert_counts(1, 0);
	assert_true(built_says(
	    &bed.now, FINDING_WARNING, "meanwhile the pods of its namespace import"));
	assert_int_equal(seen_by("10.244.0.1", "a.test"), VERDICT_REFUSED);
	assert_int_equal(seen_by("10.244.0.2", "a.test"), VERDICT_HOST);
	/* mended, then broken again: what was good holds */
	BUILD({"a", GOOD("a", "a.test") PODS},
	    {"s", SIDECAR("s", "shop", "egress: [{hosts: ['./*']}]")});
	assert_counts(0, 0);
	assert_int_equal(seen_by("10.244.0.1", "a.test"), VERDICT_HOST);
	BUILD({"a", GOOD("a", "a.test") GOOD("b", "b.test") PODS},
	    {"s", SIDECAR("s", "shop", "egress: [{hosts: [nothing]}]")});
	assert_counts(0, 1);
	assert_int_equal(seen_by("10.244.0.1", "b.test"), VERDICT_HOST);
}

static void
it_closes_also_where_all_is_open(void **state)
{
	(void)state;
	bed.now.settings.has_outbound = false;
	BUILD({"a", PODS}, {"s", SIDECAR("s", "shop", "outboundTrafficPolicy: 1")
				     SIDECAR("t", "shop", "egress: 1")});
	assert_counts(2, 0);
	assert_int_equal(seen_by("10.244.0.1", "a.test"), VERDICT_REFUSED);
	assert_int_equal(seen_by("10.244.0.2", "a.test"), VERDICT_OPEN);
}

static void
a_broken_sidecar_of_the_root_namespace_refuses(void **state)
{
	(void)state;
	BUILD({"s", SIDECAR("s", "istio-system", "egress: 1")});
	assert_refused("egress");
	BUILD({"m", "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"
		    "metadata: {name: mesh}\n"
		    "spec: {meshConfig: {rootNamespace: shop}}\n"},
	    {"s", SIDECAR("s", "shop", "egress: 1")});
	assert_refused("egress");
	BUILD({"s", "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {}\n"});
	assert_refused("metadata.name");
}

#define SELECTING                                                                        \
	"apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"                   \
	"metadata: {name: mesh}\n"                                                       \
	"spec: {meshConfig: {discoverySelectors: [{matchLabels: {in: 'yes'}}]}}\n"
#define NAMESPACE(name, labels)                                                          \
	"---\napiVersion: v1\nkind: Namespace\n"                                         \
	"metadata: {name: " name ", labels: " labels "}\n"

/* Without its labels nobody can tell whether its Sidecars count. */
static void
a_broken_namespace_does_not_take_its_sidecars_away(void **state)
{
	static const char sidecar[] = SIDECAR("s", "data", "egress: [{hosts: ['./*']}]");

	(void)state;
	BUILD({"a", GOOD("a", "a.test") PODS}, {"s", sidecar}, {"m", SELECTING},
	    {"n", NAMESPACE("shop", "{in: 'yes'}") NAMESPACE("data", "{in: 1}")});
	assert_counts(1, 0);
	assert_true(built_says(&bed.now, FINDING_WARNING, "cannot be told"));
	assert_int_equal(seen_by("10.244.0.1", "a.test"), VERDICT_HOST);
	assert_int_equal(seen_by("10.244.0.2", "a.test"), VERDICT_REFUSED);
	/* in a namespace that is outside it says nothing */
	BUILD({"a", GOOD("a", "a.test") PODS}, {"s", sidecar}, {"m", SELECTING},
	    {"n", NAMESPACE("shop", "{in: 'yes'}") NAMESPACE("data", "{}")});
	assert_counts(0, 0);
	assert_int_equal(seen_by("10.244.0.2", "a.test"), VERDICT_HOST);
	/* nor while the last good form of the namespace holds */
	BUILD({"a", GOOD("a", "a.test") PODS}, {"s", sidecar}, {"m", SELECTING},
	    {"n", NAMESPACE("shop", "{in: 'yes'}") NAMESPACE("data", "{in: 1}")});
	assert_counts(0, 1);
	assert_int_equal(seen_by("10.244.0.2", "a.test"), VERDICT_HOST);
}

static void
a_broken_root_namespace_with_a_sidecar_refuses(void **state)
{
	(void)state;
	BUILD({"n", NAMESPACE("istio-system", "{in: 1}")},
	    {"s", SIDECAR("s", "istio-system", "egress: [{hosts: ['./*']}]")},
	    {"m", SELECTING});
	assert_refused("cannot be told");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(a_broken_mesh_without_a_last_good_form_refuses),
	    TEST(a_broken_mesh_keeps_its_last_good_form),
	    TEST(meshes_that_disagree_refuse),
	    TEST(at_the_start_what_cannot_be_told_must_not_open_everything),
	    TEST(a_broken_sidecar_closes_its_namespace),
	    TEST(it_closes_also_where_all_is_open),
	    TEST(a_broken_sidecar_of_the_root_namespace_refuses),
	    TEST(a_broken_namespace_does_not_take_its_sidecars_away),
	    TEST(a_broken_root_namespace_with_a_sidecar_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
