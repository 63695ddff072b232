/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "daemon/query/route.h"
#include "resolver/wire.h"

static const struct registry_host plain = {0};
static const struct registry_host listed = {.listed_only = true};
static const struct registry_host pointing = {.target_count = 1};
static const struct registry_host zoned = {.in_zone = true, .zone = 2};

static const struct {
	struct verdict verdict;
	size_t group;
	bool serves_srv, serves_https;
} cases[] = {
    {{.kind = VERDICT_HOST, .host = &plain}, 0, false, false},
    {{.kind = VERDICT_HOST, .host = &listed}, ROUTE_LOCAL, false, false},
    {{.kind = VERDICT_HOST, .host = &pointing}, ROUTE_GATHERED, false, false},
    {{.kind = VERDICT_HOST, .host = &zoned}, 3, true, false},
    {{.kind = VERDICT_ZONE, .zone = 1}, 2, true, true},
    {{.kind = VERDICT_OPEN}, 0, true, true},
};

static void
verdicts_have_routes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(route_group(&cases[i].verdict) == cases[i].group);
		assert_true(route_serves(&cases[i].verdict, TYPE_A));
		assert_true(route_serves(&cases[i].verdict, TYPE_AAAA));
		assert_int_equal(
		    route_serves(&cases[i].verdict, 33), cases[i].serves_srv);
		assert_int_equal(
		    route_serves(&cases[i].verdict, TYPE_HTTPS), cases[i].serves_https);
		assert_int_equal(
		    route_serves(&cases[i].verdict, TYPE_SVCB), cases[i].serves_https);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts_have_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
