/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "daemon/enforcer/allowed.h"
#include "tests/unit/alloc.h"
#include "tests/unit/sample.h"

static const struct prefix *
internal(void)
{
	static struct prefix list[3];

	list[0] = sample_prefix("10.96.0.0/12");
	list[1] = sample_prefix("fd00:96::/64");
	list[2] = sample_prefix("169.254.0.0/16");
	return list;
}

static struct conntrack_flow
flow(const char *source, const char *destination, uint8_t proto, uint16_t port)
{
	return (struct conntrack_flow){.source = sample_addr(source),
	    .destination = sample_addr(destination),
	    .proto = proto,
	    .port = port};
}

static struct ruleset
make_ruleset(void)
{
	static struct endpoint listen[1];
	static struct enforcer_fixed fixed[4];
	static struct addr open[2];

	listen[0] = sample_endpoint("169.254.20.10:5353");
	fixed[0] = sample_fixed("10.244.0.5/32", "198.51.100.0/24");
	fixed[1] = sample_fixed("::/0", "2001:db8:1::/48");
	fixed[2] = sample_fixed("0.0.0.0/0", "203.0.113.7/32");
	fixed[2].port = 80;
	fixed[3] = sample_fixed("0.0.0.0/0", "169.254.169.254/32");
	open[0] = sample_addr("fd00:244::9");
	open[1] = sample_addr("10.244.0.9");
	return (struct ruleset){.table = sample_table(),
	    .internal = internal(),
	    .internal_count = 3,
	    .listen = listen,
	    .listen_count = ARRAY_LEN(listen),
	    .fixed = fixed,
	    .fixed_count = ARRAY_LEN(fixed),
	    .open = open,
	    .open_count = ARRAY_LEN(open)};
}

/* As chain pod has it, whatever the leases. */
static void
what_may_begin_without_a_lease(void **state)
{
	static const struct {
		const char *source, *destination;
		uint8_t proto;
		uint16_t port;
		bool yes;
	} cases[] = {
	    {"10.244.0.9", "192.0.2.1", IPPROTO_TCP, 443, true}, /* open */
	    {"fd00:244::9", "2001:db8::1", IPPROTO_ICMPV6, 0, true},
	    {"10.244.0.8", "192.0.2.1", IPPROTO_TCP, 443, false},
	    {"10.244.0.5", "198.51.100.77", IPPROTO_TCP, 443, true}, /* fixed */
	    {"10.244.0.6", "198.51.100.77", IPPROTO_TCP, 443, false},
	    {"10.244.0.5", "198.51.100.77", IPPROTO_UDP, 443, false},
	    {"10.244.0.5", "198.51.100.77", IPPROTO_TCP, 80, false},
	    {"10.244.0.6", "203.0.113.7", IPPROTO_TCP, 80, true},
	    {"fd00:244::1", "2001:db8:1::1", IPPROTO_TCP, 443, true},
	    {"fd00:244::1", "2001:db8:2::1", IPPROTO_TCP, 443, false},
	    {"10.244.0.6", "10.96.0.0", IPPROTO_TCP, 1, true}, /* internal */
	    {"10.244.0.6", "10.111.255.255", IPPROTO_ICMP, 0, true},
	    {"10.244.0.6", "10.112.0.0", IPPROTO_TCP, 1, false},
	    {"10.244.0.6", "10.95.255.255", IPPROTO_TCP, 1, false},
	    {"fd00:244::1", "fd00:96::5", IPPROTO_UDP, 9, true},
	    {"10.244.0.6", "10.96.0.1", IPPROTO_UDP, 4789, false}, /* tunnels */
	    {"10.244.0.6", "10.96.0.1", IPPROTO_GRE, 0, false},
	    {"10.244.0.6", "169.254.20.10", IPPROTO_UDP, 5353, true}, /* ours */
	    {"10.244.0.6", "192.0.2.1", IPPROTO_UDP, 5353, false},
	    {"10.244.0.6", "192.0.2.1", IPPROTO_TCP, 53, true},     /* turned to us */
	    {"fd00:244::1", "2001:db8::1", IPPROTO_UDP, 53, false}, /* no listener */
	    {"fd00:244::1", "fd00:96::5", IPPROTO_UDP, 53, false},
	    {"10.244.0.6", "169.254.169.254", IPPROTO_TCP, 80, false}, /* metadata */
	    {"10.244.0.6", "169.254.169.254", IPPROTO_TCP, 443, true},
	    {"10.244.0.6", "169.254.169.253", IPPROTO_TCP, 80, true},
	};
	const struct ruleset rs = make_ruleset();
	struct allowed a;

	(void)state;
	assert_int_equal(allowed_init(&a, &rs), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct conntrack_flow f = flow(
		    cases[i].source, cases[i].destination, cases[i].proto, cases[i].port);

		if (allowed_has(&a, &f) != cases[i].yes)
			fail_msg("case %zu", i);
	}
	allowed_done(&a);
}

static void
without_enforcing_all_may(void **state)
{
	const struct conntrack_flow f = flow("10.244.0.8", "192.0.2.1", IPPROTO_TCP, 443);
	struct ruleset rs = {.table = sample_table()};
	struct allowed a;

	(void)state;
	assert_int_equal(allowed_init(&a, &rs), 0);
	assert_false(allowed_has(&a, &f));
	allowed_done(&a);
	rs.table.enforce = 0;
	assert_int_equal(allowed_init(&a, &rs), 0);
	assert_true(allowed_has(&a, &f));
	allowed_done(&a);
}

static void
a_port_of_a_wildcard_listener_is_left_alone(void **state)
{
	struct conntrack_flow f = flow("10.244.0.8", "192.0.2.1", IPPROTO_UDP, 5300);
	const struct endpoint listen = sample_endpoint("0.0.0.0:5300");
	const struct ruleset rs = {
	    .table = sample_table(), .listen = &listen, .listen_count = 1};
	struct allowed a;

	(void)state;
	assert_int_equal(allowed_init(&a, &rs), 0);
	assert_true(allowed_has(&a, &f));
	f.port = 5301;
	assert_false(allowed_has(&a, &f));
	allowed_done(&a);
}

static void
out_of_memory_leaves_nothing(void **state)
{
	const struct ruleset rs = make_ruleset();
	struct allowed a;
	int r = -ENOMEM;

	(void)state;
	for (size_t n = 0; r == -ENOMEM; n++) {
		alloc_fail_at(n);
		r = allowed_init(&a, &rs);
		alloc_reset();
		assert_true(n < 100);
	}
	assert_int_equal(r, 0);
	allowed_done(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_may_begin_without_a_lease),
	    cmocka_unit_test(without_enforcing_all_may),
	    cmocka_unit_test(a_port_of_a_wildcard_listener_is_left_alone),
	    cmocka_unit_test(out_of_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
