/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an entry's ports and addresses lead: targetPort, endpoints' own ports, endpoints
 * behind addresses.
 */
#include <errno.h>
#include <stdio.h>

#include "policy/explain/explain.h"
#include "policy/registry/way.h"
#include "tests/unit/built.h"

#define ENTRY(name, age, rest)                                                           \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: ns, creationTimestamp: '" age "T00:00:00Z'}\n"      \
	"spec: {" rest "}\n"
#define OLD "2024-01-01"
#define NEW "2024-02-01"
#define PORTS                                                                            \
	"ports: [{number: 80, name: web, protocol: HTTP, targetPort: 8080}, {number: "   \
	"53, name: names, protocol: UDP}]"

static const struct registry_host *
host_of(const struct built *b, const char *name)
{
	struct verdict v = built_judge(b, NULL, name);

	assert_int_equal(v.kind, VERDICT_HOST);
	return v.host;
}

static uint16_t
port_to(const struct registry_host *h, uint16_t number, uint8_t proto, const char *text)
{
	const struct registry_port *port =
	    registry_port(h->ports, h->port_count, number, proto);
	struct addr a;

	assert_non_null(port);
	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return way_port(h, port, &a);
}

static const char *
end_of(const struct way *way, char text[NAME_TEXT_MAX])
{
	struct name name;

	if (way->target == NULL)
		return way->addr.family != 0 ? addr_format(&way->addr, text) : "";
	name_from_wire(way->target->name, way->target->len, &name);
	return name_format(&name, text);
}

/* Where each address leads on each port, a line each: to "ADDR:PORT*WEIGHT". */
static char *
ways(const struct built *b, char *out, size_t size)
{
	struct registry_fixed f;
	struct way way;
	char text[NAME_TEXT_MAX];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; registry_fixed(b->registry, i, &f); i++) {
		len += (size_t)snprintf(out + len, size - len, "%s:%u",
		    addr_format(&f.destination.addr, text), f.port);
		for (size_t k = 0;
		     f.service != 0 && way_get(b->registry, f.service, k, &way); k++)
			len += (size_t)snprintf(out + len, size - len, " %s:%u*%u",
			    end_of(&way, text), way.port, way.weight);
		len += (size_t)snprintf(out + len, size - len, "\n");
		assert_true(len < size);
	}
	return out;
}

#define ENDPOINTS(list) "resolution: STATIC, endpoints: [" list "], "

static const struct case_ways {
	const char *what, *entries, *ways;
} cases[] = {
    {"no endpoints and no targetPort: to themselves",
	ENTRY("a", OLD,
	    "hosts: [a.t], addresses: [192.0.2.1], ports: [{number: 1, name: x}]"),
	"192.0.2.1:1\n"},
    {"targetPort: the address stays",
	ENTRY("a", OLD, "hosts: [a.t], addresses: [192.0.2.0/24], " PORTS),
	"192.0.2.0:80 :8080*1\n192.0.2.0:53\n"},
    {"endpoints, a weight, a port of their own, and one that is the port itself",
	ENTRY("a", OLD,
	    "hosts: [a.t], addresses: [192.0.2.1], " ENDPOINTS(
		"{address: 198.51.100.1, weight: 3}, {address: 198.51.100.2, ports: "
		"{web: 81}}, {address: 198.51.100.3, weight: 0, ports: {web: 80, names: "
		"5353}}") PORTS),
	"192.0.2.1:80 198.51.100.1:8080*3 198.51.100.2:81*1 198.51.100.3:80*1\n"
	"192.0.2.1:53 198.51.100.1:53*3 198.51.100.2:53*1 198.51.100.3:5353*1\n"},
    {"both families",
	ENTRY("a", OLD,
	    "hosts: [a.t], addresses: [192.0.2.1, '2001:db8::1'], " ENDPOINTS(
		"{address: 198.51.100.1}, {address: '2001:db8::2'}") "ports: [{number: "
								     "80, name: web}]"),
	"192.0.2.1:80 198.51.100.1:80*1 2001:db8::2:80*1\n"
	"2001:db8::1:80 198.51.100.1:80*1 2001:db8::2:80*1\n"},
    {"endpoints that are names, with their weights and ports, beside an address",
	ENTRY("a", OLD,
	    "hosts: [a.t], addresses: [192.0.2.1], resolution: DNS, endpoints: "
	    "[{address: B.t, weight: 3}, {address: 198.51.100.1}, {address: c.t, ports: "
	    "{web: 81}}, {address: b.t, weight: 2}], " PORTS),
	"192.0.2.1:80 b.t:8080*3 198.51.100.1:8080*1 c.t:81*1 b.t:8080*2\n"
	"192.0.2.1:53 b.t:53*3 198.51.100.1:53*1 c.t:53*1 b.t:53*2\n"},
    {"resolution DNS without endpoints: what the first host has",
	ENTRY("a", OLD,
	    "hosts: [a.t, b.t], addresses: [192.0.2.1], resolution: DNS, ports: "
	    "[{number: 80, name: web, protocol: HTTP, targetPort: 8080}]"),
	"192.0.2.1:80 a.t:8080*1\n"},
    {"resolution NONE: to themselves",
	ENTRY("a", OLD,
	    "hosts: [a.t], addresses: [192.0.2.1], resolution: NONE, ports: [{number: "
	    "80, name: web}]"),
	"192.0.2.1:80\n"},
    {"each entry's own, though they are merged for their host",
	ENTRY("a", OLD,
	    "hosts: [a.t], addresses: [192.0.2.1], " ENDPOINTS(
		"{address: 198.51.100.1}") "ports: [{number: 80, name: web}]")
	    ENTRY("b", NEW,
		"hosts: [a.t], addresses: [192.0.2.2], " ENDPOINTS(
		    "{address: 198.51.100.2}") "ports: [{number: 81, name: web}]"),
	"192.0.2.1:80 198.51.100.1:80*1\n192.0.2.2:81 198.51.100.2:81*1\n"},
};

static void
addresses_lead_where_their_entry_says(void **state)
{
	char out[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct built b;

		assert_int_equal(built_from(&b, cases[i].entries), 0);
		if (strcmp(ways(&b, out, sizeof(out)), cases[i].ways) != 0)
			fail_msg("%s: got\n%s", cases[i].what, out);
		built_close(&b);
	}
}

static void
answers_lead_to_the_target_port_or_the_endpoint_own(void **state)
{
	const struct registry_host *h;
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, ENTRY("a", OLD,
			       "hosts: [a.t], " ENDPOINTS(
				   "{address: 192.0.2.1, ports: {web: 81}}, {address: "
				   "192.0.2.2, ports: {web: 80}}, {address: "
				   "192.0.2.1, ports: {web: 82, names: 54}}") PORTS)),
	    0);
	h = host_of(&b, "a.t");
	assert_int_equal(port_to(h, 80, IPPROTO_TCP, "192.0.2.1"), 81);
	assert_int_equal(port_to(h, 53, IPPROTO_UDP, "192.0.2.1"), 54);
	assert_int_equal(port_to(h, 80, IPPROTO_TCP, "192.0.2.2"), 0);
	assert_int_equal(port_to(h, 80, IPPROTO_TCP, "192.0.2.3"), 8080);
	assert_int_equal(port_to(h, 53, IPPROTO_UDP, "192.0.2.3"), 0);
	assert_false(h->ways->fronted);
	built_close(&b);
}

static void
each_target_has_its_own_ports(void **state)
{
	static const char *const texts[] = {"a.t", "b.t", "c.t"};
	uint64_t origins[ARRAY_LEN(texts)];
	const struct registry_host *h;
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		ENTRY("a", OLD,
		    "hosts: [a.t], resolution: DNS, endpoints: [{address: x.t, ports: "
		    "{web: 81}}, {address: y.t}, {address: z.t, ports: {web: "
		    "80}}], " PORTS) ENTRY("b", OLD,
		    "hosts: [b.t], resolution: DNS, endpoints: [{address: x.t, "
		    "ports: {web: 82}}, {address: y.t}, {address: z.t, ports: {web: "
		    "80}}], " PORTS) ENTRY("c", OLD,
		    "hosts: [c.t], resolution: DNS, endpoints: [{address: x.t}, "
		    "{address: y.t}, {address: z.t}], " PORTS)),
	    0);
	h = host_of(&b, "a.t");
	assert_int_equal(h->target_count, 3);
	assert_int_equal(way_target_port(&h->targets[0], &h->ports[0]), 81);
	assert_int_equal(way_target_port(&h->targets[1], &h->ports[0]), 8080);
	assert_int_equal(way_target_port(&h->targets[2], &h->ports[0]), 0);
	assert_int_equal(way_target_port(&h->targets[0], &h->ports[1]), 0);
	assert_true(way_differs(h));
	assert_false(way_differs(host_of(&b, "c.t")));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		origins[i] = host_of(&b, texts[i])->origin;
	assert_true(origins[0] != origins[1]); /* so that leases do not outlive it */
	assert_true(origins[0] != origins[2]);
	built_close(&b);
}

/* What a workloadSelector selects is an endpoint with all that it says. */
static void
a_selected_endpoint_has_its_ports_and_weight(void **state)
{
	char out[256];
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		ENTRY("a", OLD,
		    "hosts: [a.t], addresses: [192.0.2.1], resolution: STATIC, "
		    "workloadSelector: {labels: {app: x}}, ports: [{number: 80, name: "
		    "web}]") "---\napiVersion: networking.istio.io/v1\nkind: "
			     "WorkloadEntry\n"
			     "metadata: {name: w, namespace: ns}\nspec: {address: "
			     "198.51.100.1, "
			     "labels: {app: x}, weight: 4, ports: {web: 81}}\n"),
	    0);
	assert_string_equal(
	    ways(&b, out, sizeof(out)), "192.0.2.1:80 198.51.100.1:81*4\n");
	built_close(&b);
}

static void
an_address_before_endpoints_is_its_service_s(void **state)
{
	const struct registry_host *h;
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, ENTRY("a", OLD,
			       "hosts: [a.t], addresses: [192.0.2.1], " ENDPOINTS(
				   "{address: 198.51.100.1, ports: {web: 81}}") PORTS)),
	    0);
	h = host_of(&b, "a.t");
	assert_true(h->ways->fronted);
	assert_int_equal(port_to(h, 80, IPPROTO_TCP, "192.0.2.1"), 0);
	assert_int_equal(port_to(h, 80, IPPROTO_TCP, "198.51.100.1"), 81);
	built_close(&b);
}

static void
of_merged_entries_the_oldest_says_where(void **state)
{
	static const char *const both[] = {
	    ENTRY("a", OLD,
		"hosts: [a.t], " ENDPOINTS("{address: 192.0.2.1, ports: {x: 81}}") "port"
										   "s: [{"
										   "numbe"
										   "r: "
										   "80, "
										   "name:"
										   " x, "
										   "targe"
										   "tPort"
										   ": "
										   "8080}"
										   "]"),
	    ENTRY("b", NEW,
		"hosts: [a.t], " ENDPOINTS(
		    "{address: 192.0.2.1, ports: {x: 82}}, {address: 192.0.2.2, ports: "
		    "{x: 83}}") "ports: [{number: 80, name: x, targetPort: 9090}]")};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		const struct registry_host *h;
		struct built b;

		built_open(&b);
		built_add(&b, "1", both[i]);
		built_add(&b, "2", both[1 - i]);
		assert_int_equal(built_finish(&b), 0);
		h = host_of(&b, "a.t");
		assert_int_equal(h->port_count, 1);
		assert_int_equal(port_to(h, 80, IPPROTO_TCP, "192.0.2.9"), 8080);
		assert_int_equal(port_to(h, 80, IPPROTO_TCP, "192.0.2.1"), 81);
		assert_int_equal(port_to(h, 80, IPPROTO_TCP, "192.0.2.2"), 83);
		built_close(&b);
	}
}

static void
explain_tells_where_it_leads(void **state)
{
	struct explain_question q = {.proto = IPPROTO_TCP, .port = 80};
	struct explanation e;
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		ENTRY("a", OLD,
		    "hosts: [a.t], addresses: [192.0.2.1], " ENDPOINTS(
			"{address: 198.51.100.1, weight: 3}, {address: '2001:db8::1', "
			"ports: {web: 81}}") PORTS)),
	    0);
	assert_int_equal(addr_parse("192.0.2.1", 9, &q.address), 0);
	explain(b.registry, &q, &e);
	assert_true(e.allowed);
	assert_non_null(strstr(e.reasons[0].text, "80/HTTP (leads to port 8080)"));
	assert_non_null(strstr(e.reasons[1].text,
	    "198.51.100.1:8080 (weight 3), [2001:db8::1]:81 (weight 1)"));
	q.address = (struct addr){0};
	assert_int_equal(name_parse("a.t", 3, &q.name), 0);
	explain(b.registry, &q, &e);
	assert_non_null(strstr(e.reasons[1].text, "2001:db8::1 80 to 81"));
	built_close(&b);
}

/* Services are numbered within one registry, and there are no others. */
static void
each_service_has_its_number(void **state)
{
	struct registry_fixed f;
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		ENTRY("a", OLD,
		    "hosts: [a.t, b.t], addresses: [192.0.2.1, 192.0.2.2], " PORTS)
		    ENTRY("c", OLD,
			"hosts: [c.t], addresses: [192.0.2.3], " ENDPOINTS(
			    "{address: 198.51.100.1}") PORTS)),
	    0);
	assert_int_equal(way_services(b.registry), 3);
	for (size_t i = 0; registry_fixed(b.registry, i, &f); i++)
		assert_true(f.service <= 3);
	built_close(&b);
}

static void
under_allow_any_they_lead_all_the_same(void **state)
{
	char out[256];
	struct built b;

	(void)state;
	built_open(&b);
	b.settings.outbound = OUTBOUND_ALLOW_ANY;
	built_add(
	    &b, "f", ENTRY("a", OLD, "hosts: [a.t], addresses: [192.0.2.1], " PORTS));
	assert_int_equal(built_finish(&b), 0);
	assert_string_equal(
	    ways(&b, out, sizeof(out)), "192.0.2.1:80 :8080*1\n192.0.2.1:53\n");
	built_close(&b);
}

/* Two thousand endpoints on 256 ports are half a million rules of the kernel's. */
static void
too_many_ways_are_refused(void **state)
{
	const size_t size = 256 * 1024;
	char *text = malloc(size);
	size_t len;
	struct built b;

	(void)state;
	assert_non_null(text);
	len = (size_t)snprintf(text, size, "%s",
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: "
	    "wide, namespace: ns}\nspec:\n  hosts: [a.t]\n  addresses: [192.0.2.1]\n  "
	    "resolution: STATIC\n  ports:\n");
	for (unsigned i = 1; i <= 256; i++)
		len += (size_t)snprintf(text + len, size - len,
		    "  - {number: %u, name: p%u, protocol: TLS}\n", i, i);
	len += (size_t)snprintf(text + len, size - len, "  endpoints:\n");
	for (unsigned i = 0; i < 2000; i++)
		len += (size_t)snprintf(text + len, size - len,
		    "  - {address: 198.18.%u.%u}\n", i / 250, i % 250);
	assert_true(len < size);
	built_open(&b);
	built_add(&b, "wide.yaml", text);
	assert_int_equal(built_finish(&b), -EINVAL);
	assert_int_equal(b.findings.errors, 1);
	assert_non_null(strstr(b.findings.list[0].text, "ServiceEntry ns/wide"));
	built_close(&b);
	free(text);
}

static struct addr
address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return a;
}

/* As of an answer to a lookup: an external entry's names do not lead inside, but to what
 * it lists. */
static void
a_name_leads_where_an_answer_might(void **state)
{
	static const char *const inside[] = {"127.0.0.1", "10.0.0.1", "169.254.169.254"};
	const struct addr listed = address("10.0.0.2"), public = address("203.0.113.1");
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, ENTRY("a", OLD,
			       "hosts: [a.t], addresses: [192.0.2.1], resolution: DNS, "
			       "location: MESH_EXTERNAL, endpoints: [{address: "
			       "10.0.0.2}, {address: c.t}], " PORTS)),
	    0);
	assert_true(way_is_named(b.registry, 1));
	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		const struct addr a = address(inside[i]);

		assert_false(way_permits(b.registry, 1, &a));
	}
	assert_true(way_permits(b.registry, 1, &listed));
	assert_true(way_permits(b.registry, 1, &public));
	built_close(&b);
	assert_int_equal(
	    built_from(&b, ENTRY("a", OLD,
			       "hosts: [a.t], addresses: [192.0.2.1], " ENDPOINTS(
				   "{address: 198.51.100.1}") PORTS)),
	    0);
	assert_false(way_is_named(b.registry, 1));
	built_close(&b);
}

static void
explain_tells_the_names(void **state)
{
	struct explain_question q = {.proto = IPPROTO_TCP, .port = 80};
	struct explanation e;
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, ENTRY("a", OLD,
			       "hosts: [a.t], addresses: [192.0.2.1], resolution: DNS, "
			       "endpoints: [{address: c.t}], " PORTS)),
	    0);
	assert_int_equal(b.findings.len, 0);
	q.address = address("192.0.2.1");
	explain(b.registry, &q, &e);
	assert_true(e.allowed);
	assert_non_null(strstr(e.reasons[1].text, "c.t:8080 (weight 1)"));
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_lead_where_their_entry_says),
	    cmocka_unit_test(answers_lead_to_the_target_port_or_the_endpoint_own),
	    cmocka_unit_test(a_selected_endpoint_has_its_ports_and_weight),
	    cmocka_unit_test(an_address_before_endpoints_is_its_service_s),
	    cmocka_unit_test(of_merged_entries_the_oldest_says_where),
	    cmocka_unit_test(each_target_has_its_own_ports),
	    cmocka_unit_test(explain_tells_where_it_leads),
	    cmocka_unit_test(a_name_leads_where_an_answer_might),
	    cmocka_unit_test(explain_tells_the_names),
	    cmocka_unit_test(each_service_has_its_number),
	    cmocka_unit_test(under_allow_any_they_lead_all_the_same),
	    cmocka_unit_test(too_many_ways_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
