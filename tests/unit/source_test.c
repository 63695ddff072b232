/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "daemon/source.h"

static const uint8_t v6[16] = {0xfd, 0, 0, 1, [15] = 2};

static void
test_only_pod_ranges_are_pods(void **state)
{
	struct config cfg = {.pod_range_count = 2};
	struct addr in4 = addr_make(AF_INET, (uint8_t[]){10, 244, 255, 255});
	struct addr out4 = addr_make(AF_INET, (uint8_t[]){10, 245, 0, 0});
	struct addr in6 = addr_make(AF_INET6, v6);
	struct addr none = {0};

	(void)state;
	cfg.pod_ranges[0] = (struct prefix){
	    .addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 0}), .len = 16};
	cfg.pod_ranges[1] = (struct prefix){.addr = addr_make(AF_INET6, v6), .len = 128};
	assert_true(source_is_pod(&cfg, &in4));
	assert_false(source_is_pod(&cfg, &out4));
	assert_true(source_is_pod(&cfg, &in6));
	assert_false(source_is_pod(&cfg, &none));
	cfg.pod_range_count = 0;
	assert_false(source_is_pod(&cfg, &in4));
}

static void
test_address_of_the_answers_family(void **state)
{
	struct addr a4 = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	struct addr a6 = addr_make(AF_INET6, v6);
	struct workload both = {.v4 = a4, .v6 = a6}, only4 = {.v4 = a4};
	struct addr got;

	(void)state;
	got = source_address(&a4, &both, AF_INET);
	assert_true(addr_equal(&got, &a4));
	got = source_address(&a4, &both, AF_INET6);
	assert_true(addr_equal(&got, &a6));
	got = source_address(&a6, &both, AF_INET);
	assert_true(addr_equal(&got, &a4));
	assert_int_equal(source_address(&a4, &only4, AF_INET6).family, 0);
	assert_int_equal(source_address(&a4, NULL, AF_INET6).family, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_pod_ranges_are_pods),
	    cmocka_unit_test(test_address_of_the_answers_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
