/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "daemon/enforcer/bounds.h"
#include "policy/registry/way.h"
#include "tests/unit/sample.h"

#define HOUR_MS (3600 * 1000)

static bool
lease_ok(const struct enforcer_lease *l)
{
	const struct prefix pods[] = {
	    sample_prefix("10.244.0.0/16"), sample_prefix("fd00:244::/64")};

	return bounds_lease(l, pods, ARRAY_LEN(pods), HOUR_MS);
}

static void
a_table_keeps_to_its_ranges(void **state)
{
	const struct enforcer_table good = sample_table();
	struct enforcer_table t = good;

	(void)state;
	assert_true(bounds_table(&t));
	t.enforce = 2;
	assert_false(bounds_table(&t));
	t = good;
	t.own = 255;
	assert_false(bounds_table(&t));
	t = good;
	t.set_size = 0;
	assert_false(bounds_table(&t));
	t.set_size = BOUNDS_SET_SIZE_MAX + 1;
	assert_false(bounds_table(&t));
	t = good;
	t.timeout_max_ms = 0;
	assert_false(bounds_table(&t));
	t.timeout_max_ms = ENFORCER_TIMEOUT_MAX_MS;
	assert_true(bounds_table(&t));
	t.timeout_max_ms++;
	assert_false(bounds_table(&t));
	t = good;
	t.query_burst = t.query_rate + 1;
	assert_false(bounds_table(&t));
	t.query_burst = 0; /* a limit that lets nothing through */
	assert_false(bounds_table(&t));
	t.query_rate = 0;
	assert_true(bounds_table(&t));
}

static void
a_name_is_printable_and_ends(void **state)
{
	char name[ENFORCER_NAME_MAX] = "a.example";

	(void)state;
	assert_true(bounds_name(name));
	name[1] = '\n';
	assert_false(bounds_name(name));
	name[1] = ' ';
	assert_false(bounds_name(name));
	name[1] = (char)0xc3;
	assert_false(bounds_name(name));
	name[0] = '\0';
	assert_true(bounds_name(name));
	memset(name, 'a', sizeof(name));
	assert_false(bounds_name(name));
	name[sizeof(name) - 1] = '\0';
	assert_true(bounds_name(name));
}

static void
a_pattern_is_never_every_interface(void **state)
{
	static const struct {
		char pattern[IFNAMSIZ];
		bool ok;
	} cases[] = {
	    {"cni0", true},
	    {"veth*", true},
	    {"v*", true},
	    {"*", false},
	    {"", false},
	    {"ve*h", false},
	    {"a b", false},
	    {"a/b", false},
	    {"123456789012345", true},
	    {{'1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '1', '2', '3', '4', '5',
		 '6'},
		false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(bounds_pattern(cases[i].pattern), cases[i].ok);
}

static void
a_prefix_has_no_bits_behind_its_length(void **state)
{
	struct prefix p = sample_prefix("10.244.0.0/15");

	(void)state;
	assert_true(bounds_prefix(&p));
	p.addr.bytes[1] = 245;
	assert_false(bounds_prefix(&p));
	p.len = 16;
	assert_true(bounds_prefix(&p));
	p.len = 33;
	assert_false(bounds_prefix(&p));
	p = sample_prefix("::/0");
	assert_true(bounds_prefix(&p));
	p.len = 129;
	assert_false(bounds_prefix(&p));
	p = sample_prefix("10.0.0.0/8");
	p.addr.family = 0;
	assert_false(bounds_prefix(&p));
	p = sample_prefix("10.0.0.0/32");
	p.addr.bytes[4] = 1; /* no part of an IPv4 address */
	assert_false(bounds_prefix(&p));
}

static void
a_listener_and_a_fixed_record_are_whole(void **state)
{
	struct endpoint e = sample_endpoint("169.254.20.10:53");
	struct enforcer_fixed f = sample_fixed("10.244.0.0/16", "192.0.2.0/24");

	(void)state;
	assert_true(bounds_listen(&e));
	e.port = 0;
	assert_false(bounds_listen(&e));
	assert_true(bounds_fixed(&f));
	f.proto = IPPROTO_SCTP;
	assert_false(bounds_fixed(&f));
	f = sample_fixed("::/0", "192.0.2.0/24");
	assert_false(bounds_fixed(&f));
	f = sample_fixed("0.0.0.0/0", "192.0.2.0/24");
	assert_true(bounds_fixed(&f));
	f.port = 0;
	assert_false(bounds_fixed(&f));
}

static void
a_lease_has_a_pod_of_ours(void **state)
{
	struct enforcer_lease l = sample_lease("10.244.1.2", "192.0.2.1", 1000);

	(void)state;
	assert_true(lease_ok(&l));
	l = sample_lease("10.245.0.1", "192.0.2.1", 1000);
	assert_true(bounds_key(&l));
	assert_false(lease_ok(&l));
	l = sample_lease("fd00:244::1", "2001:db8::1", 1000);
	assert_true(lease_ok(&l));
	l = sample_lease("10.244.1.2", "2001:db8::1", 1000);
	assert_false(bounds_key(&l));
	l = sample_lease("10.244.1.2", "192.0.2.1", 1000);
	l.pod.family = 77;
	assert_false(bounds_key(&l));
}

static void
a_lease_ends_in_time(void **state)
{
	struct enforcer_lease l = sample_lease("10.244.1.2", "192.0.2.1", HOUR_MS);

	(void)state;
	assert_true(lease_ok(&l));
	l.timeout_ms++;
	assert_false(lease_ok(&l));
	l.timeout_ms = 0; /* never would end */
	assert_false(lease_ok(&l));
}

static void
a_lease_is_one_protocol_and_port(void **state)
{
	struct enforcer_lease l = sample_lease("10.244.1.2", "192.0.2.1", 1000);

	(void)state;
	l.proto = IPPROTO_UDP;
	assert_true(lease_ok(&l));
	l.proto = IPPROTO_ICMP;
	assert_false(lease_ok(&l));
	l = sample_lease("10.244.1.2", "192.0.2.1", 1000);
	l.port = 0;
	assert_false(lease_ok(&l));
	l.port = 65535;
	l.renew = 2;
	assert_false(lease_ok(&l));
}

static void
a_lease_never_leads_to_these(void **state)
{
	static const char *const four[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9",
	    "224.0.0.1", "239.255.255.255", "255.255.255.255", "169.254.169.254"};
	static const char *const six[] = {"::", "::1", "ff02::1", "ff0e::1",
	    "::ffff:127.0.0.1", "::ffff:192.0.2.1", "::192.0.2.1", "fd00:ec2::254"};
	struct enforcer_lease l;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(four); i++) {
		l = sample_lease("10.244.1.2", four[i], 1000);
		assert_false(lease_ok(&l));
	}
	for (size_t i = 0; i < ARRAY_LEN(six); i++) {
		l = sample_lease("fd00:244::1", six[i], 1000);
		assert_false(lease_ok(&l));
	}
	l = sample_lease("10.244.1.2", "169.254.169.253", 1000);
	assert_true(lease_ok(&l));
}

static void
a_cut_names_pods_of_ours_and_is_whole(void **state)
{
	const struct prefix pods[] = {
	    sample_prefix("10.244.0.0/16"), sample_prefix("fd00:244::/64")};
	const struct enforcer_cut good[] = {
	    sample_cut("10.244.0.0/16", NULL),
	    sample_cut("10.244.3.0/24", NULL),
	    sample_cut("10.244.3.1", NULL),
	    sample_cut("10.244.3.1", "192.0.2.1"),
	    sample_cut("fd00:244::1", "2001:db8::1"),
	};
	struct enforcer_cut bad[] = {
	    sample_cut("10.0.0.0/8", NULL),
	    sample_cut("10.245.0.1", NULL),
	    sample_cut("0.0.0.0/0", NULL),
	    sample_cut("10.244.0.0/16", "192.0.2.1"), /* of many pods to one address */
	    sample_cut("10.244.3.1", "2001:db8::1"),
	    sample_cut("10.244.3.1", NULL),
	    sample_cut("10.244.3.1", "192.0.2.1"),
	    sample_cut("10.244.3.1", "192.0.2.1"),
	    sample_cut("10.244.3.1", NULL),
	};

	(void)state;
	bad[5].port = 443;
	bad[6].port = 0;
	bad[7].proto = IPPROTO_ICMP;
	bad[8].destination.bytes[3] = 1;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(bounds_cut(&good[i], pods, ARRAY_LEN(pods)));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(bounds_cut(&bad[i], pods, ARRAY_LEN(pods)));
	assert_false(bounds_cut(&good[0], pods, 0));
}

static void
a_question_about_flows_names_a_pod_of_ours_and_is_whole(void **state)
{
	const struct prefix pods[] = {
	    sample_prefix("10.244.0.0/16"), sample_prefix("fd00:244::/64")};
	const struct enforcer_live four = {.pod = sample_addr("10.244.3.1"),
	    .destination = sample_addr("192.0.2.1"),
	    .port = 443,
	    .proto = IPPROTO_UDP};
	const struct enforcer_live six = {.pod = sample_addr("fd00:244::1"),
	    .destination = sample_addr("2001:db8::1"),
	    .port = 443,
	    .proto = IPPROTO_TCP};
	struct enforcer_live bad[] = {four, four, four, four, four, four, four};

	(void)state;
	bad[0].pod = sample_addr("10.245.0.1");
	bad[1].destination = six.destination;
	bad[2].port = 0;
	bad[3].proto = IPPROTO_ICMP;
	bad[4].zero = 1;
	bad[5].pod.bytes[4] = 1; /* behind the address */
	bad[6].destination.family = 0;
	assert_true(bounds_live(&four, pods, ARRAY_LEN(pods)));
	assert_true(bounds_live(&six, pods, ARRAY_LEN(pods)));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(bounds_live(&bad[i], pods, ARRAY_LEN(pods)));
	assert_false(bounds_live(&four, pods, 0));
}

static void
a_way_leads_to_a_port_of_a_host(void **state)
{
	const struct enforcer_way good = {
	    .service = 1, .weight = 1, .proto = IPPROTO_UDP, .port = 1};
	struct enforcer_way w = good;

	(void)state;
	assert_true(bounds_way(&w));
	w.addr = sample_addr("192.0.2.1");
	assert_true(bounds_way(&w));
	w.addr = sample_addr("127.0.0.1");
	assert_false(bounds_way(&w));
	w.addr = (struct addr){.bytes = {1}};
	assert_false(bounds_way(&w));
	w = good;
	w.service = 0;
	assert_false(bounds_way(&w));
	w.service = WAYS_MAX + 1;
	assert_false(bounds_way(&w));
	w = good;
	w.weight = 0;
	assert_false(bounds_way(&w));
	w = good;
	w.port = 0;
	assert_false(bounds_way(&w));
	w = good;
	w.proto = IPPROTO_SCTP;
	assert_false(bounds_way(&w));
}

static void
a_service_is_for_one_pod_or_all(void **state)
{
	struct enforcer_fixed f = sample_fixed("0.0.0.0/0", "192.0.2.0/24");

	(void)state;
	f.service = WAYS_MAX;
	assert_true(bounds_fixed(&f));
	f.service = WAYS_MAX + 1;
	assert_false(bounds_fixed(&f));
	f = sample_fixed("10.244.0.0/16", "192.0.2.0/24");
	assert_true(bounds_fixed(&f));
	f.service = 1;
	assert_false(bounds_fixed(&f));
	f.pods = sample_prefix("10.244.0.1/32");
	assert_true(bounds_fixed(&f));
}

static void
a_lead_is_of_one_service_that_there_is(void **state)
{
	const struct enforcer_way good[] = {
	    {.service = 3},
	    {.service = 3,
		.weight = 1,
		.addr = sample_addr("192.0.2.1"),
		.proto = IPPROTO_TCP,
		.port = 80},
	    {.service = 3,
		.weight = 2,
		.addr = sample_addr("2001:db8::1"),
		.proto = IPPROTO_TCP,
		.port = 81},
	};
	struct enforcer_way list[ARRAY_LEN(good)];

	(void)state;
	assert_true(bounds_lead(good, 3, 3));
	assert_true(bounds_lead(good, 1, 3)); /* it leads nowhere any more */
	assert_false(bounds_lead(good, 0, 3));
	assert_false(bounds_lead(good, 3, 2));
	assert_false(bounds_lead(good + 1, 2, 3)); /* the first is a way */
	memcpy(list, good, sizeof(good));
	list[2].service = 2;
	assert_false(bounds_lead(list, 3, 3));
	memcpy(list, good, sizeof(good));
	list[2].port = 0;
	assert_false(bounds_lead(list, 3, 3));
	memcpy(list, good, sizeof(good));
	list[0].service = 0;
	assert_false(bounds_lead(list, 1, 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_table_keeps_to_its_ranges),
	    cmocka_unit_test(a_way_leads_to_a_port_of_a_host),
	    cmocka_unit_test(a_lead_is_of_one_service_that_there_is),
	    cmocka_unit_test(a_service_is_for_one_pod_or_all),
	    cmocka_unit_test(a_name_is_printable_and_ends),
	    cmocka_unit_test(a_pattern_is_never_every_interface),
	    cmocka_unit_test(a_prefix_has_no_bits_behind_its_length),
	    cmocka_unit_test(a_listener_and_a_fixed_record_are_whole),
	    cmocka_unit_test(a_lease_has_a_pod_of_ours),
	    cmocka_unit_test(a_lease_ends_in_time),
	    cmocka_unit_test(a_lease_is_one_protocol_and_port),
	    cmocka_unit_test(a_lease_never_leads_to_these),
	    cmocka_unit_test(a_cut_names_pods_of_ours_and_is_whole),
	    cmocka_unit_test(a_question_about_flows_names_a_pod_of_ours_and_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
