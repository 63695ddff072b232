/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host says once it is found: its ports, and which addresses an answer may hold.
 */
#include "tests/unit/built.h"
#include "tests/unit/cases.h"

#define SE(ns, name, more, spec)                                                         \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: " ns more "}\nspec: {resolution: NONE, ports: "     \
	"[{number: 443, name: https, protocol: HTTPS}], " spec "}\n"

static const char with_endpoints[] =
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: "
    "s}\n"
    "spec: {hosts: [static.t], resolution: STATIC, endpoints: [{address: "
    "10.9.9.9}]}\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: "
    "p}\n"
    "spec: {hosts: [points.t], resolution: DNS, endpoints: [{address: x.y}, "
    "{address: 10.9.9.9}]}\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: "
    "q}\n"
    "spec: {hosts: [alone.t], resolution: DNS, endpoints: [{address: "
    "10.9.9.9}]}\n";

static void
permitted_addresses(void **state)
{
	static const struct {
		const char *host, *address;
		bool permitted;
	} cases[] = {
	    {"out.t", "8.8.8.8", true},
	    {"out.t", "10.0.0.1", false},
	    {"out.t", "127.0.0.1", false},
	    {"out.t", "169.254.169.254", false},
	    {"out.t", "203.0.113.9", false}, /* ours */
	    {"out.t", "::ffff:203.0.113.9", false},
	    {"out.t", "64:ff9b::203.0.113.9", false},
	    {"out.t", "2002:cb00:7109::1", false},
	    {"out.t", "2001:db8:5::1", false}, /* ours */
	    {"out.t", "2001:db8:6::1", true},
	    {"in.t", "10.0.0.1", true},
	    {"in.t", "fd00::1", true},
	    {"in.t", "203.0.113.9", true},
	    {"in.t", "64:ff9b::10.0.0.1", true},
	    {"in.t", "127.0.0.1", false},
	    {"in.t", "169.254.169.254", false},
	    {"in.t", "fd00:ec2::254", false},
	    {"in.t", "::ffff:127.0.0.1", false},
	    {"in.t", "224.0.0.1", false},
	    {"in.t", "0.0.0.0", false},
	    {"listed.t", "10.1.2.3", true},
	    {"listed.t", "10.2.0.1", false},
	    {"listed.t", "::ffff:10.1.2.3", true},
	    {"listed.t", "169.254.169.254", true},
	    {"listed.t", "8.8.8.8", true},
	    {"static.t", "10.9.9.9", true}, /* an endpoint's */
	    {"static.t", "8.8.8.8", false},
	    {"static.t", "10.9.9.8", false},
	    {"points.t", "8.8.8.8", true}, /* a name of its endpoints may have it */
	    {"points.t", "10.9.9.8", false},
	    {"points.t", "10.9.9.9", true},
	    {"alone.t", "8.8.8.8", false},
	    {"alone.t", "10.9.9.9", true},
	};
	struct prefix own[2];
	struct built b;
	char title[128];
	size_t failed = 0;

	(void)state;
	assert_int_equal(prefix_parse("203.0.113.0/24", 14, &own[0]), 0);
	assert_int_equal(prefix_parse("2001:db8:5::/48", 15, &own[1]), 0);
	built_open(&b);
	b.settings.own = own;
	b.settings.own_count = 2;
	built_add(&b, "a",
	    SE("a", "out", "", "hosts: [out.t]") SE(
		"a", "in", "", "hosts: [in.t], location: MESH_INTERNAL") SE("a", "listed",
		"", "hosts: [listed.t], addresses: [10.1.0.0/16, 169.254.169.254]"));
	built_add(&b, "b", with_endpoints);
	assert_int_equal(built_finish(&b), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct verdict v = built_judge(&b, NULL, cases[i].host);

		assert_int_equal(v.kind, VERDICT_HOST);
		(void)snprintf(
		    title, sizeof(title), "%s in %s", cases[i].address, cases[i].host);
		failed += case_failed("range", title,
		    built_permits(&b, v.host, cases[i].address) == cases[i].permitted);
	}
	assert_true(built_permits(&b, NULL, "127.0.0.1"));
	assert_int_equal(failed, 0);
	built_close(&b);
}

static void
ports_and_protocols(void **state)
{
	static const uint8_t protos[] = {
	    IPPROTO_TCP, IPPROTO_UDP, IPPROTO_TCP, IPPROTO_TCP};
	struct built b;
	struct verdict v;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "
		"{name: "
		"e}\nspec: {hosts: [a.t, b.t], ports: [{number: 1, name: a, protocol: "
		"Http}, {number: 2, name: b, protocol: udp}, {number: 3, name: c}, "
		"{number: "
		"4, name: d, protocol: MONGO, targetPort: 9}]}\n---\n"
		"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "
		"{name: "
		"f}\nspec: {hosts: [c.t]}\n"),
	    0);
	v = built_judge(&b, NULL, "b.t");
	assert_int_equal(v.host->port_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(v.host->ports[i].number, i + 1);
		assert_int_equal(v.host->ports[i].proto, protos[i]);
	}
	assert_string_equal(v.host->ports[0].protocol, "Http");
	assert_string_equal(v.host->ports[2].protocol, "");
	assert_string_equal(v.host->ports[3].name, "d");
	assert_string_equal(v.host->source.file, "a.yaml");
	assert_int_equal(v.host->source.line, 1);
	v = built_judge(&b, NULL, "c.t");
	assert_int_equal(v.kind, VERDICT_HOST);
	assert_int_equal(v.host->port_count, 0);
	built_close(&b);
}

/* Single addresses before endpoints with STATIC, never a range, never more than there is
 * room for. */
static void
static_answers(void **state)
{
	static const struct {
		const char *host, *first;
		size_t count;
	} cases[] = {
	    {"both.t", "1.2.3.4", 2},
	    {"range.t", "9.9.9.9", 1},
	    {"none.t", NULL, 0},
	    {"dns.t", "9.9.9.9", 1},
	};
	struct addr list[4];
	struct built b;
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(
	    built_from(&b,
		"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "
		"{name: both}\nspec: {hosts: [both.t], resolution: STATIC, addresses: "
		"[1.2.3.4, '2001:db8::1']}\n---\n"
		"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "
		"{name: dns}\nspec: {hosts: [dns.t], resolution: DNS, addresses: "
		"[1.2.3.4], endpoints: [{address: 9.9.9.9}, {address: x.y}]}\n---\n"
		"apiVersion: networking.istio.io/v1\nkind: "
		"ServiceEntry\nmetadata: {name: range}\n"
		"spec: {hosts: [range.t], resolution: STATIC, "
		"addresses: [10.0.0.0/8], "
		"endpoints: [{address: 9.9.9.9}]}\n---\n"
		"apiVersion: networking.istio.io/v1\nkind: "
		"ServiceEntry\nmetadata: {name: nothing}\n"
		"spec: {hosts: [none.t], resolution: STATIC}\n"),
	    0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct verdict v = built_judge(&b, NULL, cases[i].host);

		assert_int_equal(v.kind, VERDICT_HOST);
		assert_int_equal(registry_static(v.host, list, 4), cases[i].count);
		if (cases[i].first != NULL)
			assert_string_equal(addr_format(&list[0], text), cases[i].first);
		assert_true(registry_static(v.host, list, 1) <= 1);
	}
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(permitted_addresses),
	    cmocka_unit_test(ports_and_protocols),
	    cmocka_unit_test(static_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
