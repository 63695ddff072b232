/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/macros.h"
#include "daemon/query/search.h"

static const struct {
	const char *title, *namespace, *domain, *name;
	const char *stripped; /* NULL: it is no such name */
} cases[] = {
    {"the first domain", "default", "cluster.local",
	"google.com.default.svc.cluster.local", "google.com"},
    {"several labels", "shop", "cluster.local", "a.b.c.shop.svc.cluster.local", "a.b.c"},
    {"upper case", "default", "Cluster.Local", "GOOGLE.com.default.svc.CLUSTER.local",
	"google.com"},
    {"a dot behind the domain", "default", "k8s.example.",
	"google.com.default.svc.k8s.example", "google.com"},
    {"another namespace", "shop", "cluster.local", "google.com.default.svc.cluster.local",
	NULL},
    {"the second domain", "default", "cluster.local", "google.com.svc.cluster.local",
	NULL},
    {"the third domain", "default", "cluster.local", "google.com.cluster.local", NULL},
    {"another domain", "default", "k8s.example", "google.com.default.svc.cluster.local",
	NULL},
    {"one label", "default", "cluster.local", "google.default.svc.cluster.local", NULL},
    {"the domain itself", "default", "cluster.local", "default.svc.cluster.local", NULL},
    {"above it", "default", "cluster.local", "svc.cluster.local", NULL},
    {"the end of a label", "default", "cluster.local",
	"google.xdefault.svc.cluster.local", NULL},
    {"without any", "default", "cluster.local", "google.com", NULL},
    {"a namespace that is no name", "a..b", "cluster.local",
	"google.com.a.b.svc.cluster.local", NULL},
};

static void
names_are_stripped(void **state)
{
	char text[NAME_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct name n, stripped;
		bool is;

		print_message("%s\n", cases[i].title);
		assert_int_equal(name_parse(cases[i].name, strlen(cases[i].name), &n), 0);
		is = search_strip(cases[i].namespace, cases[i].domain, &n, &stripped);
		assert_int_equal(is, cases[i].stripped != NULL);
		if (is)
			assert_string_equal(
			    name_format(&stripped, text), cases[i].stripped);
	}
}

static void
the_longest_names_do_no_harm(void **state)
{
	char text[4 * 64 + 64];
	struct name n, stripped;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(name_parse("a.b.c", 5, &n), 0);
	assert_false(search_strip(text, "cluster.local", &n, &stripped));
	assert_false(search_strip("default", text, &n, &stripped));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_stripped),
	    cmocka_unit_test(the_longest_names_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
