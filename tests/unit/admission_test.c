/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is broken is left out alone.
 */
#include "tests/unit/admission_bed.h"

static void
by_default_one_error_refuses_all(void **state)
{
	(void)state;
	bed.now.settings.skip = false;
	BUILD({"a", GOOD("a", "a.test") BAD("b", "b.test")});
	assert_refused("SOMEHOW");
	BUILD({"a", GOOD("a", "a.test")});
	assert_counts(0, 0);
	assert_null(registry_kept(bed.now.registry));
}

static void
without_a_last_good_form_it_is_left_out(void **state)
{
	(void)state;
	BUILD({"a", GOOD("a", "a.test") BAD("b", "b.test") GOOD("c", "c.test")});
	assert_counts(1, 0);
	assert_true(knows("a.test"));
	assert_false(knows("b.test"));
	assert_true(knows("c.test"));
	assert_true(built_says(&bed.now, FINDING_ERROR, "SOMEHOW"));
	assert_true(built_says(
	    &bed.now, FINDING_WARNING, "ServiceEntry shop/b is left out until"));
	BUILD({"a", GOOD("a", "a.test") GOOD("b", "b.test")});
	assert_counts(0, 0);
	assert_true(knows("b.test"));
}

static void
with_one_it_keeps_it_however_often(void **state)
{
	(void)state;
	BUILD({"a", GOOD("a", "a.test") GOOD("b", "b.test")});
	assert_counts(0, 0);
	for (int i = 0; i < 3; i++) {
		BUILD({"a", GOOD("a", "a2.test") BAD("b", "b2.test")});
		assert_counts(0, 1);
		assert_true(knows("a2.test"));
		assert_false(knows("a.test"));
		assert_true(knows("b.test"));
		assert_false(knows("b2.test"));
		assert_true(built_says(&bed.now, FINDING_WARNING,
		    "ServiceEntry shop/b keeps its last good form, of a:"));
	}
	BUILD({"a", GOOD("a", "a2.test") GOOD("b", "b2.test")});
	assert_counts(0, 0);
	assert_true(knows("b2.test"));
	assert_false(knows("b.test"));
}

static void
what_is_gone_is_gone(void **state)
{
	(void)state;
	BUILD({"a", GOOD("a", "a.test")}, {"b", GOOD("b", "b.test") GOOD("c", "c.test")});
	BUILD({"b", GOOD("c", "c.test")});
	assert_counts(0, 0);
	assert_false(knows("a.test"));
	assert_false(knows("b.test"));
	/* also beside a broken one that says which it is */
	BUILD({"b", GOOD("c", "c.test") GOOD("d", "d.test")});
	BUILD({"b", BAD("c", "c.test")});
	assert_counts(0, 1);
	assert_true(knows("c.test"));
	assert_false(knows("d.test"));
}

static void
a_kind_of_each_sort_can_be_broken(void **state)
{
	static const char *const broken[] = {
	    "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
	    "status: {podIP: 1.2.3}\n",
	    "---\napiVersion: networking.istio.io/v9\nkind: ServiceEntry\n"
	    "metadata: {name: x}\n",
	    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: x, creationTimestamp: today}\nspec: {hosts: [a.b]}\n",
	    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: x}\n",
	    "---\napiVersion: v1\nkind: Service\nmetadata: {name: x}\n",
	    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a.b}\n",
	    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
	    "metadata: {name: x}\nendpoints: []\n",
	    "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\n"
	    "metadata: {name: x}\nspec: {address: 'a b'}\n",
	    "---\nno: object\n",
	    "---\njust words\n",
	    "---\napiVersion: v1\nkind: List\nitems: 1\n",
	    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: x, namespace: [1]}\n",
	    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: x}\nspec: {hosts: &a [a.b]}\n",
	    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: x}\nspec: {hosts: [a.b\n",
	};
	char text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		(void)snprintf(text, sizeof(text), "%s%s%s", GOOD("a", "a.test"),
		    broken[i], GOOD("c", "c.test"));
		BUILD({"a", text});
		assert_counts(1, 0);
		assert_true(knows("a.test"));
		assert_true(knows("c.test"));
		bed.now.settings.before = NULL;
		registry_unref(bed.now.registry);
		bed.now.registry = NULL;
	}
}

static void
an_element_of_a_list_counts_alone(void **state)
{
	static const char list[] =
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntryList\nitems:\n"
	    "- metadata: {name: a}\n  spec: {hosts: [a%s.test]}\n"
	    "- metadata: {name: b}\n  spec: {hosts: [b%s.test], resolution: %s}\n"
	    "- metadata: {name: c}\n  spec: {hosts: [c%s.test]}\n";
	char text[TEXT_MAX];

	(void)state;
	(void)snprintf(text, sizeof(text), list, "1", "1", "NONE", "1");
	BUILD({"a", text});
	assert_counts(0, 0);
	(void)snprintf(text, sizeof(text), list, "2", "2", "SOMEHOW", "2");
	BUILD({"a", text});
	assert_counts(0, 1);
	assert_true(knows("a2.test") && knows("b1.test") && knows("c2.test"));
	assert_false(knows("a1.test") || knows("b2.test") || knows("c1.test"));
}

/* What cannot be told apart: all that the file held and that is not met. */
static void
where_it_cannot_be_told_which_the_rest_of_the_file_stays(void **state)
{
	(void)state;
	BUILD({"a", GOOD("a", "a.test") GOOD("b", "b.test") GOOD("c", "c.test")},
	    {"d", GOOD("d", "d.test")});
	BUILD({"a", GOOD("a", "a2.test") "---\nkind: [\n"}, {"e", GOOD("e", "e.test")});
	assert_counts(0, 2);
	assert_true(knows("a2.test") && knows("b.test") && knows("c.test"));
	assert_false(knows("a.test"));
	assert_false(knows("d.test")); /* of another file, and gone */
	assert_true(knows("e.test"));
	assert_true(built_says(
	    &bed.now, FINDING_WARNING, "2 objects that were in this file keep their"));
	BUILD({"a", GOOD("a", "a3.test") "---\nkind: [\n---\n" GOOD("c", "c3.test")});
	assert_counts(0, 1);
	assert_true(knows("a3.test") && knows("b.test") && knows("c3.test"));
	BUILD({"a", GOOD("a", "a.test")});
	assert_counts(0, 0);
	assert_false(knows("b.test"));
}

static void
a_file_that_cannot_be_read_stays_whole(void **state)
{
	static const char *const damaged[] = {
	    NULL,
	    GOOD("a", "a2.test") "# caf\xe9\n",
	    GOOD("a", "a2.test") "# \x01\n",
	    "\xff\xfe"
	    "a\0",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		BUILD({"a", GOOD("a", "a.test") GOOD("b", "b.test")});
		assert_counts(0, 0);
		BUILD({"a", damaged[i]}, {"c", GOOD("c", "c.test")});
		assert_counts(0, 2);
		assert_true(knows("a.test") && knows("b.test") && knows("c.test"));
		assert_false(knows("a2.test"));
	}
	BUILD({"z", NULL});
	assert_counts(1, 0);
}

static void
a_mark_within_a_file_does_not_damage_it(void **state)
{
	(void)state;
	BUILD({"a", GOOD("a", "a.test") "# \xef\xbb\xbf joined\n" GOOD("b", "b.test")});
	assert_counts(0, 0);
	assert_true(knows("a.test") && knows("b.test"));
}

static void
of_two_the_one_that_was_there_counts(void **state)
{
	(void)state;
	/* nobody was there: the first */
	BUILD({"a", GOOD("x", "one.test")}, {"b", GOOD("x", "two.test")});
	assert_counts(1, 0);
	assert_true(knows("one.test"));
	assert_false(knows("two.test"));
	assert_true(built_says(
	    &bed.now, FINDING_ERROR, "ServiceEntry shop/x stands at a:2:1 already"));
	/* it goes to b, and then there is one in a again */
	BUILD({"b", GOOD("x", "two.test")});
	assert_counts(0, 0);
	BUILD({"a", GOOD("x", "one.test")}, {"b", GOOD("x", "two.test")});
	assert_counts(1, 0);
	assert_true(knows("two.test"));
	assert_false(knows("one.test"));
	assert_true(built_says(
	    &bed.now, FINDING_ERROR, "ServiceEntry shop/x stands at b:2:1 already"));
	/* the one that was there is broken: its last good form counts */
	BUILD({"a", GOOD("x", "one.test")}, {"b", BAD("x", "two.test")});
	assert_counts(1, 1);
	assert_true(knows("two.test"));
	/* or cannot be told from what cannot be read */
	BUILD({"a", GOOD("x", "one.test")}, {"b", "["});
	assert_counts(1, 1);
	assert_true(knows("two.test"));
	/* both in one file: the first */
	BUILD({"b", GOOD("x", "three.test") GOOD("x", "two.test")});
	assert_counts(1, 0);
	assert_true(knows("three.test"));
}

static void
what_has_moved_is_taken_from_where_it_is(void **state)
{
	(void)state;
	BUILD({"a", GOOD("x", "one.test")});
	BUILD({"b", GOOD("x", "two.test")});
	assert_counts(0, 0);
	assert_true(knows("two.test"));
	assert_false(knows("one.test"));
	/* moved and broken at once */
	BUILD({"c", BAD("x", "three.test")});
	assert_counts(0, 1);
	assert_true(knows("two.test"));
	/* a broken one holds no place against a good one */
	BUILD({"c", BAD("why", "y.test")}, {"d", GOOD("why", "y.test")});
	assert_counts(1, 0);
	assert_true(knows("y.test"));
}

static void
an_earlier_error_of_others_refuses(void **state)
{
	(void)state;
	findings_add(&bed.now.findings, FINDING_ERROR, "egressd.yaml", 1, 1, "earlier");
	assert_int_equal(try_build(&(struct file){"a", BAD("a", "a.test")}, 1), -EINVAL);
}

/* However the memory lacks: it is told, or what is broken is left out. */
static void
every_allocation_fails_once(void **state)
{
	static const struct file files[] = {
	    {"a", BAD("a", "a.test") GOOD("b", "b.test") "---\n[\n"},
	    {"b", GOOD("c", "c2.test")},
	    {"m", NULL},
	};
	size_t n = 0;
	int r;

	(void)state;
	BUILD(
	    {"a", GOOD("a", "a.test") GOOD("c", "c.test")}, {"m", MESH("REGISTRY_ONLY")});
	build(files, ARRAY_LEN(files));
	assert_counts(1, 3);
	for (;; n++) {
		registry_unref(bed.now.registry);
		bed.now.registry = NULL;
		findings_done(&bed.now.findings);
		alloc_fail_at(n);
		r = try_build(files, ARRAY_LEN(files));
		if (alloc_count() <= n)
			break;
		alloc_reset();
		assert_true(r == -ENOMEM || r == 0 || r == -EINVAL);
		registry_builder_free(bed.now.builder);
		bed.now.builder = NULL;
	}
	alloc_reset();
	assert_int_equal(r, 0);
	assert_true(n > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(by_default_one_error_refuses_all),
	    TEST(without_a_last_good_form_it_is_left_out),
	    TEST(with_one_it_keeps_it_however_often),
	    TEST(what_is_gone_is_gone),
	    TEST(a_kind_of_each_sort_can_be_broken),
	    TEST(an_element_of_a_list_counts_alone),
	    TEST(where_it_cannot_be_told_which_the_rest_of_the_file_stays),
	    TEST(a_file_that_cannot_be_read_stays_whole),
	    TEST(a_mark_within_a_file_does_not_damage_it),
	    TEST(of_two_the_one_that_was_there_counts),
	    TEST(what_has_moved_is_taken_from_where_it_is),
	    TEST(an_earlier_error_of_others_refuses),
	    TEST(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
