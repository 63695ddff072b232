/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What speaks for the whole mesh is not left out.
 */
#include "tests/unit/admission_bed.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(a_broken_mesh_without_a_last_good_form_refuses),
	    TEST(a_broken_mesh_keeps_its_last_good_form),
	    TEST(meshes_that_disagree_refuse),
	    TEST(at_the_start_what_cannot_be_told_must_not_open_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
