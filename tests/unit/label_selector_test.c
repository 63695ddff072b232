/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label selectors as Kubernetes reads them: what they select, and what is refused.
 */
#include <string.h>

#include "policy/object/label_selector.h"
#include "tests/unit/unit.h"

struct bed {
	struct memory memory;
	struct findings findings;
	struct label_selector selector;
	struct labels labels;
	size_t errors;
};

static int
take(void *ctx, const struct node *root)
{
	struct bed *bed = ctx;
	struct reader rd = {
	    .file = "a.yaml", .findings = &bed->findings, .memory = &bed->memory};

	label_selector_read(&rd, reader_get(root, "s"), "selector", &bed->selector);
	labels_read(&rd, reader_get(root, "l"), "labels", &bed->labels);
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
	arena_free(arena); /* nothing of the selector lies there */
}

static void
bed_close(struct bed *bed)
{
	memory_done(&bed->memory);
	findings_done(&bed->findings);
}

static const struct {
	const char *text;
	bool matches;
} selections[] = {
    {"{s: {}, l: {}}", true},
    {"{s: {}, l: {a: b}}", true},
    {"{s: {matchLabels: {}, matchExpressions: []}, l: {a: b}}", true},
    {"{s: {matchLabels: {a: b}}, l: {a: b, c: d}}", true},
    {"{s: {matchLabels: {a: b}}, l: {a: c}}", false},
    {"{s: {matchExpressions: [{key: a, operator: In, values: [c, b]}]}, l: {a: b}}",
	true},
    {"{s: {matchExpressions: [{key: a, operator: In, values: [c, b]}]}, l: {a: d}}",
	false},
    {"{s: {matchExpressions: [{key: a, operator: In, values: [c, b]}]}, l: {}}", false},
    {"{s: {matchExpressions: [{key: a, operator: In, values: ['']}]}, l: {}}", false},
    {"{s: {matchExpressions: [{key: a, operator: In, values: ['']}]}, l: {a: ''}}", true},
    {"{s: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}, l: {a: b}}",
	false},
    {"{s: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}, l: {a: c}}",
	true},
    {"{s: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}, l: {}}", true},
    {"{s: {matchExpressions: [{key: a, operator: Exists}]}, l: {a: ''}}", true},
    {"{s: {matchExpressions: [{key: a, operator: Exists}]}, l: {b: ''}}", false},
    {"{s: {matchExpressions: [{key: a, operator: Exists, values: []}]}, l: {a: ''}}",
	true},
    {"{s: {matchExpressions: [{key: a, operator: DoesNotExist}]}, l: {a: ''}}", false},
    {"{s: {matchExpressions: [{key: a, operator: DoesNotExist}]}, l: {b: ''}}", true},
    {"{s: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: Exists}]}, l: {a: "
     "b}}",
	false},
    {"{s: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: Exists}]}, l: {a: "
     "b, c: d}}",
	true},
};

static void
it_selects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(selections); i++) {
		struct bed bed;

		bed_open(&bed, selections[i].text);
		if (bed.errors > 0 || label_selector_match(&bed.selector, &bed.labels) !=
					  selections[i].matches)
			fail_msg("%s", selections[i].text);
		bed_close(&bed);
	}
}

static const struct {
	const char *text;
	const char *words;
} refusals[] = {
    {"{s: []}", "must be a mapping"},
    {"{s: {matchLabel: {a: b}}}", "unknown field \"matchLabel\""},
    {"{s: {matchLabels: [a]}}", "must be a mapping"},
    {"{s: {matchLabels: {-a: b}}}", "is no key of a label"},
    {"{s: {matchLabels: {a: '*'}}}", "is no value of a label"},
    {"{s: {matchLabels: {a: 1}}}", "quotes"},
    {"{s: {matchExpressions: {a: b}}}", "must be a list"},
    {"{s: {matchExpressions: [null]}}", "an empty expression"},
    {"{s: {matchExpressions: [a]}}", "must be a mapping"},
    {"{s: {matchExpressions: [{operator: Exists}]}}", "has no key"},
    {"{s: {matchExpressions: [{key: a}]}}", "has no operator"},
    {"{s: {matchExpressions: [{key: 'a b', operator: Exists}]}}", "is no key"},
    {"{s: {matchExpressions: [{key: a, operator: in, values: [b]}]}}", "is unknown"},
    {"{s: {matchExpressions: [{key: a, operator: In}]}}", "needs values"},
    {"{s: {matchExpressions: [{key: a, operator: NotIn, values: []}]}}", "needs values"},
    {"{s: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
	"takes no values"},
    {"{s: {matchExpressions: [{key: a, operator: In, values: [null]}]}}",
	"an empty value"},
    {"{s: {matchExpressions: [{key: a, operator: In, values: ['b c']}]}}", "is no value"},
    {"{s: {matchExpressions: [{key: a, operator: In, value: [b], values: [b]}]}}",
	"unknown field \"value\""},
};

static bool
says(const struct findings *f, const char *words)
{
	for (size_t i = 0; i < f->len; i++)
		if (strstr(f->list[i].text, words) != NULL)
			return true;
	return false;
}

static void
it_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct bed bed;

		bed_open(&bed, refusals[i].text);
		if (bed.errors == 0 || !says(&bed.findings, refusals[i].words))
			fail_msg("%s: %s", refusals[i].text,
			    bed.findings.len > 0 ? bed.findings.list[0].text : "-");
		bed_close(&bed);
	}
}

static void
equal_ones_are_equal(void **state)
{
	static const char *const texts[] = {
	    "{s: {}}",
	    "{s: {matchLabels: {a: b}}}",
	    "{s: {matchLabels: {a: c}}}",
	    "{s: {matchLabels: {a: b, c: d}}}",
	    "{s: {matchExpressions: [{key: a, operator: In, values: [b]}]}}",
	    "{s: {matchExpressions: [{key: a, operator: In, values: [b, c]}]}}",
	    "{s: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}}",
	    "{s: {matchExpressions: [{key: b, operator: In, values: [b]}]}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
			struct bed a, b;

			bed_open(&a, texts[i]);
			bed_open(&b, texts[k]);
			assert_int_equal(
			    label_selector_equal(&a.selector, &b.selector), i == k);
			bed_close(&b);
			bed_close(&a);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_selects),
	    cmocka_unit_test(it_is_refused),
	    cmocka_unit_test(equal_ones_are_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
