/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels as values: read, looked up, matched.
 */
#include <string.h>

#include "policy/object/labels.h"
#include "tests/unit/unit.h"

struct bed {
	struct memory memory;
	struct findings findings;
	struct labels labels;
	size_t errors;
};

static int
take(void *ctx, const struct node *root)
{
	struct bed *bed = ctx;
	struct reader rd = {
	    .file = "a.yaml", .findings = &bed->findings, .memory = &bed->memory};

	labels_read(&rd, reader_get(root, "labels"), "metadata.labels", &bed->labels);
	bed->errors = rd.errors;
	return 0;
}

static void
bed_open(struct bed *bed, const char *text)
{
	struct arena *arena = arena_new(1 << 20);

	*bed = (struct bed){0};
	findings_init(&bed->findings, FINDINGS_MAX);
	assert_non_null(arena);
	assert_int_equal(memory_init(&bed->memory, 1 << 20), 0);
	assert_int_equal(
	    node_read("a.yaml", text, strlen(text), arena, &bed->findings, take, bed), 0);
	arena_free(arena); /* nothing of the labels lies there */
}

static void
bed_close(struct bed *bed)
{
	memory_done(&bed->memory);
	findings_done(&bed->findings);
}

static void
labels_are_sorted_values(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, "labels: {tier: back, app.kubernetes.io/name: web, app: }\n");
	assert_int_equal(bed.errors, 0);
	assert_int_equal(bed.labels.count, 3);
	assert_string_equal(bed.labels.list[0].key, "app");
	assert_string_equal(bed.labels.list[1].key, "app.kubernetes.io/name");
	assert_string_equal(bed.labels.list[2].key, "tier");
	assert_string_equal(labels_get(&bed.labels, "tier"), "back");
	assert_string_equal(labels_get(&bed.labels, "app"), ""); /* null counts as "" */
	assert_null(labels_get(&bed.labels, "ap"));
	bed_close(&bed);
}

static void
no_labels_are_none(void **state)
{
	static const char *const texts[] = {"a: 1\n", "labels: \n", "labels: {}\n"};
	struct bed bed;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		bed_open(&bed, texts[i]);
		assert_int_equal(bed.errors, 0);
		assert_int_equal(bed.labels.count, 0);
		bed_close(&bed);
	}
}

static void
what_is_no_text_is_refused(void **state)
{
	static const char *const texts[] = {"labels: [a]\n", "labels: a\n",
	    "labels: {a: 1}\n", "labels: {a: true}\n", "labels: {a: {b: c}}\n"};
	struct bed bed;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		bed_open(&bed, texts[i]);
		assert_int_equal(bed.errors, 1);
		bed_close(&bed);
	}
}

static const struct {
	const char *selector, *labels;
	bool matches;
} cases[] = {
    {"labels: {}\n", "labels: {}\n", true},
    {"labels: {}\n", "labels: {a: b}\n", true},
    {"labels: {a: b}\n", "labels: {}\n", false},
    {"labels: {a: b}\n", "labels: {a: b}\n", true},
    {"labels: {a: b}\n", "labels: {a: B}\n", false},
    {"labels: {a: b}\n", "labels: {a: bb}\n", false},
    {"labels: {m: o}\n", "labels: {a: b, m: o, z: x}\n", true},
    {"labels: {a: b, z: x}\n", "labels: {z: x, m: o, a: b}\n", true},
    {"labels: {a: b, z: x}\n", "labels: {m: o, a: b}\n", false},
    {"labels: {a: b, z: x}\n", "labels: {z: x, m: o}\n", false},
    {"labels: {a: ''}\n", "labels: {a: }\n", true},
    {"labels: {a: ''}\n", "labels: {b: }\n", false},
};

static void
a_selector_matches_what_holds_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bed selector, labels;

		bed_open(&selector, cases[i].selector);
		bed_open(&labels, cases[i].labels);
		if (labels_match(&selector.labels, &labels.labels) != cases[i].matches)
			fail_msg("%s against %s", cases[i].selector, cases[i].labels);
		bed_close(&labels);
		bed_close(&selector);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(labels_are_sorted_values),
	    cmocka_unit_test(no_labels_are_none),
	    cmocka_unit_test(what_is_no_text_is_refused),
	    cmocka_unit_test(a_selector_matches_what_holds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
