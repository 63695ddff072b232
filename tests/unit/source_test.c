/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "daemon/lease/source.h"
#include "tests/unit/built.h"

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

#define ENTRY                                                                            \
	"apiVersion: networking.istio.io/v1\n"                                           \
	"kind: ServiceEntry\n"                                                           \
	"metadata: {name: a}\n"                                                          \
	"spec: {hosts: [a.test], resolution: DNS, ports: [{number: 443, name: tls}]}\n"

#define SERVICE                                                                          \
	"apiVersion: v1\n"                                                               \
	"kind: Service\n"                                                                \
	"metadata: {name: web}\n"                                                        \
	"spec: {clusterIP: 10.96.0.1, ports: [{port: 443}]}\n"

/* Services are in the domain "zone". */
static void
build(struct built *b, enum outbound_mode mode, const struct name *zone)
{
	built_open(b);
	b->settings.outbound = mode;
	b->settings.cluster_domain = "zone";
	b->settings.zones = zone;
	b->settings.zone_count = zone != NULL;
	built_add(b, "a.yaml", ENTRY);
	built_add(b, "b.yaml", SERVICE);
	assert_int_equal(built_finish(b), 0);
}

static enum verdict_kind
judge(const struct built *now, const struct built *before, const char *text)
{
	const struct addr source = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	struct verdict v;
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	source_judge(now->registry, registry_workload(now->registry, &source),
	    before != NULL ? before->registry : NULL, &source, &name, &v);
	return v.kind;
}

static void
test_what_opens_waits_for_the_kernel(void **state)
{
	struct built only, any;
	struct name zone;

	(void)state;
	assert_int_equal(name_parse("zone", 4, &zone), 0);
	build(&only, OUTBOUND_REGISTRY_ONLY, &zone);
	build(&any, OUTBOUND_ALLOW_ANY, NULL);
	assert_int_equal(judge(&any, &only, "a.test"), VERDICT_HOST);
	assert_int_equal(judge(&any, &only, "b.test"), VERDICT_REFUSED);
	assert_int_equal(judge(&any, &only, "test"), VERDICT_PARENT);
	/* the old configuration's zone may not be there any more */
	assert_int_equal(judge(&any, &only, "x.zone"), VERDICT_OPEN);
	assert_int_equal(judge(&only, NULL, "web.default.svc.zone"), VERDICT_HOST);
	assert_int_equal(judge(&any, &only, "web.default.svc.zone"), VERDICT_OPEN);
	assert_int_equal(judge(&any, NULL, "b.test"), VERDICT_OPEN);
	assert_int_equal(judge(&any, &any, "b.test"), VERDICT_OPEN);
	built_close(&only);
	built_close(&any);
}

static void
test_what_closes_waits_for_nothing(void **state)
{
	struct built only, any;

	(void)state;
	build(&only, OUTBOUND_REGISTRY_ONLY, NULL);
	build(&any, OUTBOUND_ALLOW_ANY, NULL);
	assert_int_equal(judge(&only, &any, "a.test"), VERDICT_HOST);
	assert_int_equal(judge(&only, &any, "b.test"), VERDICT_REFUSED);
	built_close(&only);
	built_close(&any);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_pod_ranges_are_pods),
	    cmocka_unit_test(test_address_of_the_answers_family),
	    cmocka_unit_test(test_what_opens_waits_for_the_kernel),
	    cmocka_unit_test(test_what_closes_waits_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
