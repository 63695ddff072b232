/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "policy/object/manifest.h"
#include "tests/unit/built.h"
#include "tests/unit/cases.h"

#define SE "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
#define SPEC                                                                             \
	"spec: {hosts: [a.com], resolution: DNS, ports: [{number: 443, name: a, "        \
	"protocol: TLS}]}\n"

static const struct {
	const char *title;
	const char *text;
	size_t entries; /* accepted; SIZE_MAX: refused */
	const char *words;
} cases[] = {
    {"v1", SE "metadata: {name: a}\n" SPEC, 1, NULL},
    {"v1beta1",
	"apiVersion: networking.istio.io/v1beta1\nkind: ServiceEntry\nmetadata: {name: "
	"a}\n" SPEC,
	1, NULL},
    {"v1alpha3",
	"apiVersion: networking.istio.io/v1alpha3\nkind: ServiceEntry\nmetadata: {name: "
	"a}\n" SPEC,
	1, NULL},
    {"unknown version",
	"apiVersion: networking.istio.io/v2\nkind: ServiceEntry\nmetadata: {name: "
	"a}\n" SPEC,
	SIZE_MAX, "write networking.istio.io/v1"},
    {"another group",
	"apiVersion: networking.istio.com/v1\nkind: ServiceEntry\nmetadata: {name: "
	"a}\n" SPEC,
	0, "not written as one of the group networking.istio.io"},
    {"a Sidecar of another group",
	"apiVersion: networking.istio.o/v1\nkind: Sidecar\nmetadata: {name: a}\n", 0,
	"not written as one of the group networking.istio.io"},
    {"a Sidecar with another spelling",
	"apiVersion: networking.istio.io/v1\nkind: SideCar\nmetadata: {name: a}\n", 0,
	"not written as one of the group networking.istio.io"},
    {"an operator of another group",
	"apiVersion: install.istio/v1alpha1\nkind: IstioOperator\nmetadata: {name: "
	"a}\n",
	0, "not written as one of the group install.istio.io"},
    {"other groups have Services too",
	"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n", 0,
	"says nothing here"},
    {"another kind", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n", 0,
	"says nothing here"},
    {"another kind needs no metadata", "apiVersion: apps/v1\nkind: Deployment\n", 0,
	"says nothing here"},
    {"no apiVersion", "kind: ServiceEntry\nmetadata: {name: a}\n", SIZE_MAX,
	"apiVersion is missing"},
    {"no kind", "apiVersion: v1\n", SIZE_MAX, "kind is missing"},
    {"a list of things", "- a\n- b\n", SIZE_MAX, "a mapping"},
    {"a word", "hello\n", SIZE_MAX, "a mapping"},
    {"no metadata", SE SPEC, SIZE_MAX, "metadata is missing"},
    {"metadata is a list", SE "metadata: [a]\n" SPEC, SIZE_MAX, "metadata must be"},
    {"no name", SE "metadata: {namespace: a}\n" SPEC, SIZE_MAX, "metadata.name"},
    {"bad name", SE "metadata: {name: A_b}\n" SPEC, SIZE_MAX, "metadata.name"},
    {"bad namespace", SE "metadata: {name: a, namespace: a.b}\n" SPEC, SIZE_MAX,
	"metadata.namespace"},
    {"bad time", SE "metadata: {name: a, creationTimestamp: yesterday}\n" SPEC, SIZE_MAX,
	"is no time"},
    {"null time, as kubectl create --dry-run prints",
	SE "metadata: {name: a, creationTimestamp: null}\n" SPEC, 1, NULL},
    {"unknown field of the object", SE "metadata: {name: a}\nspecs: {}\n" SPEC, 1,
	"unknown field \"specs\""},
    {"status is ignored",
	SE "metadata: {name: a}\nstatus: {addresses: [{value: x}]}\n" SPEC, 1, NULL},
    {"List",
	"apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ''}\nitems:\n"
	"- apiVersion: networking.istio.io/v1\n  kind: ServiceEntry\n  metadata: {name: "
	"a}\n"
	"  " SPEC "- apiVersion: networking.istio.io/v1\n  kind: ServiceEntry\n  "
	"metadata: {name: b, "
	"namespace: x}\n  " SPEC,
	2, "is shadowed by ServiceEntry"},
    {"empty List", "apiVersion: v1\nkind: List\nitems: []\n", 0, NULL},
    {"List without items", "apiVersion: v1\nkind: List\n", 0, NULL},
    {"List with one broken element",
	"apiVersion: v1\nkind: List\nitems:\n- a\n- apiVersion: networking.istio.io/v1\n "
	" "
	"kind: ServiceEntry\n  metadata: {name: a}\n  " SPEC,
	SIZE_MAX, "a mapping"},
    {"List in a List",
	"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n", SIZE_MAX,
	"inside a List"},
    {"typed list whose elements say nothing",
	"apiVersion: networking.istio.io/v1\nkind: ServiceEntryList\nitems:\n- metadata: "
	"{name: a}\n  " SPEC,
	1, NULL},
    {"a kind that only ends in List", "apiVersion: x/v1\nkind: BlockList\nspec: {}\n", 0,
	"says nothing here"},
    {"JSON",
	"{\"apiVersion\":\"networking.istio.io/v1\",\"kind\":\"ServiceEntry\","
	"\"metadata\":{\"name\":\"a\"},\"spec\":{\"hosts\":[\"a.com\"],\"resolution\":"
	"\"DNS\",\"ports\":[{\"number\":443,\"name\":\"a\",\"protocol\":\"TLS\"}]}}",
	1, NULL},
    {"several documents",
	SE "metadata: {name: a}\n" SPEC "---\n" SE "metadata: {name: b}\n" SPEC, 2, NULL},
    {"twice the same object",
	SE "metadata: {name: a}\n" SPEC "---\n" SE
	   "metadata: {name: a, namespace: default}\n" SPEC,
	SIZE_MAX, "ServiceEntry default/a stands at a.yaml:1:1 already"},
    {"Sidecar",
	"apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: a}\n"
	"spec: {egress: [{hosts: ['./*']}]}\n",
	0, NULL},
    {"Namespace", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", 0, NULL},
    {"Namespace with a dot", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b}\n",
	SIZE_MAX, "is one label in lower case"},
    {"Namespace with a bad label",
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {b: '*'}}\n",
	SIZE_MAX, "is no value of a label"},
    {"Namespace that stands twice",
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n"
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
	SIZE_MAX, "stands at a.yaml:1:1 already"},
};

static bool
says_anything(const struct built *b, const char *words)
{
	return words == NULL || built_says(b, FINDING_ERROR, words) ||
	       built_says(b, FINDING_WARNING, words) ||
	       built_says(b, FINDING_NOTE, words);
}

static bool
as_expected(const struct built *b, size_t entries, const char *words)
{
	if (!says_anything(b, words))
		return false;
	if (entries == SIZE_MAX)
		return b->result == -EINVAL && b->findings.errors > 0;
	return b->result == 0 && registry_counts(b->registry).entries == entries &&
	       (words != NULL || b->findings.len == 0);
}

static void
objects(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct built b;
		bool good;

		(void)built_from(&b, cases[i].text); /* looked at by as_expected */
		good = as_expected(&b, cases[i].entries, cases[i].words);
		if (!good)
			built_print(&b);
		failed += case_failed("1.6", cases[i].title, good);
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

/* A second file's double is told with both places. */
static void
doubles_in_two_files(void **state)
{
	struct built b;
	char *line;

	(void)state;
	built_open(&b);
	built_add(&b, "a.yaml", SE "metadata: {name: a}\n" SPEC);
	built_add(&b, "b.yaml", "\n" SE "metadata: {name: a}\n" SPEC);
	assert_int_equal(built_finish(&b), -EINVAL);
	assert_int_equal(b.findings.len, 1);
	line = finding_format(&b.findings.list[0]);
	assert_string_equal(line, "b.yaml:2:1: error: ServiceEntry default/a stands at "
				  "a.yaml:1:1 already: remove "
				  "one of them");
	free(line);
	built_close(&b);
}

/* All that is wrong is told at once. */
static void
goes_on(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		SE "metadata: {name: A}\n" SPEC "---\n" SE
		   "metadata: {name: b}\nspec: {hosts: ['*']}\n---\nx: [\n---\n" SE
		   "metadata: {name: c}\nspec: {hosts: [c.com], resolution: X}\n"),
	    -EINVAL);
	assert_int_equal(b.findings.errors, 4);
	built_close(&b);
}

static void
times(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t seconds;
	} good[] = {
	    {"1970-01-01T00:00:00Z", 0, 0},
	    {"2021-01-28T15:51:40Z", 0, 1611849100},
	    {"2000-02-29T23:59:59Z", 0, 951868799},
	    {"2000-03-01T00:00:00Z", 0, 951868800},
	    {"2021-01-28T15:51:40.123456Z", 0, 1611849100},
	    {"2021-01-29T00:51:40+09:00", 0, 1611849100},
	    {"2021-01-28T10:51:40-05:00", 0, 1611849100},
	    {"9999-12-31T23:59:59Z", 0, 253402300799},
	    {"", -EINVAL, 0},
	    {"2021-01-28", -EINVAL, 0},
	    {"2021-01-28 15:51:40Z", -EINVAL, 0},
	    {"2021-13-28T15:51:40Z", -EINVAL, 0},
	    {"2021-00-28T15:51:40Z", -EINVAL, 0},
	    {"2021-01-32T15:51:40Z", -EINVAL, 0},
	    {"2021-01-28T24:51:40Z", -EINVAL, 0},
	    {"2021-01-28T15:60:40Z", -EINVAL, 0},
	    {"2021-01-28T15:51:61Z", -EINVAL, 0},
	    {"2021-01-28T15:51:40", -EINVAL, 0},
	    {"2021-01-28T15:51:40.Z", -EINVAL, 0},
	    {"2021-01-28T15:51:40Zx", -EINVAL, 0},
	    {"2021-01-28T15:51:40+9", -EINVAL, 0},
	    {"2021-01-28T15:51:40+24:00", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		int64_t seconds = 0;

		assert_int_equal(manifest_time(good[i].text, &seconds), good[i].result);
		assert_true(seconds == good[i].seconds);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(objects),
	    cmocka_unit_test(doubles_in_two_files),
	    cmocka_unit_test(goes_on),
	    cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
