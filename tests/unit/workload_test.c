/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose address it is, and what pods may reach without a lookup.
 */
#include <errno.h>

#include "tests/unit/built.h"

#define POD(ns, name, rest)                                                              \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns      \
	"}\n" rest "\n"
#define SE(ns, name, spec)                                                               \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: " ns "}\nspec: {resolution: NONE, " spec "}\n"
#define PORTS "ports: [{number: 443, name: a, protocol: TLS}], "

static const struct workload *
find(const struct built *b, const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return registry_workload(b->registry, &a);
}

static void
pods(void **state)
{
	const struct workload *w;
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, POD("x", "p",
			       "status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "
			       "'fd00::1'}], phase: Running}") POD("x", "host",
			       "spec: {hostNetwork: true}\nstatus: {podIP: 192.168.0.1}")
			       POD("x", "other",
				   "spec: {hostNetwork: false}\nstatus: {podIP: "
				   "10.0.0.2}") POD("x", "pending",
				   "status: {phase: Pending}") POD("x", "new", "")
				   POD("x", "none", "status: {podIP: '', podIPs: null}")),
	    0);
	assert_int_equal(b.findings.len, 0);
	w = find(&b, "10.0.0.1");
	assert_string_equal(w->namespace, "x");
	assert_string_equal(w->name, "p");
	assert_ptr_equal(find(&b, "fd00::1"), w);
	assert_string_equal(find(&b, "10.0.0.2")->name, "other");
	assert_int_equal(find(&b, "10.0.0.2")->namespace_id, w->namespace_id);
	assert_null(find(&b, "192.168.0.1"));
	assert_null(find(&b, "10.0.0.9"));
	assert_int_equal(registry_counts(b.registry).pods, 2);
	built_close(&b);
}

#define NAMED(metadata, address)                                                         \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {" metadata                           \
	"}\nstatus: {podIP: " address "}\n"

/* Its namespace, its name and its uid, and nothing else; in whatever registry. */
static void
identity(void **state)
{
	static const char *const others[] = {
	    NAMED("namespace: x, name: q, uid: u1", "10.0.0.1"),
	    NAMED("namespace: why, name: p, uid: u1", "10.0.0.1"),
	    NAMED("namespace: x, name: p, uid: u2", "10.0.0.1"),
	    NAMED("namespace: x, name: p", "10.0.0.1"),
	};
	struct built b, other;
	uint64_t same;

	(void)state;
	assert_int_equal(
	    built_from(&b, NAMED("namespace: x, name: p, uid: u1", "10.0.0.1")), 0);
	same = find(&b, "10.0.0.1")->identity;
	assert_true(same != 0);
	assert_int_equal(
	    built_from(&other,
		NAMED("namespace: a, name: p, uid: u1", "10.0.0.1")
		    NAMED("uid: u1, labels: {a: b}, name: p, namespace: x", "10.0.0.7")),
	    0);
	assert_true(find(&other, "10.0.0.7")->identity == same);
	built_close(&other);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_int_equal(built_from(&other, others[i]), 0);
		assert_true(find(&other, "10.0.0.1")->identity != same);
		built_close(&other);
	}
	built_close(&b);
}

static void
all_addresses(void **state)
{
	static const char *const expected[] = {"10.0.0.1", "10.0.0.2", "fd00::2"};
	char text[ADDR_TEXT_MAX];
	struct addr a;
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, POD("x", "a", "status: {podIP: 10.0.0.1}") POD("why", "b",
			       "status: {podIPs: [{ip: 10.0.0.2}, {ip: 'fd00::2'}]}")
			       POD("x", "host",
				   "spec: {hostNetwork: true}\nstatus: {podIP: "
				   "192.168.0.1}")),
	    0);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_true(registry_address(b.registry, i, &a));
		assert_string_equal(addr_format(&a, text), expected[i]);
	}
	assert_false(registry_address(b.registry, ARRAY_LEN(expected), &a));
	built_close(&b);
	assert_int_equal(built_from(&b, ""), 0);
	assert_false(registry_address(b.registry, 0, &a));
	built_close(&b);
}

static void
same_address(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		POD("x", "a",
		    "status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "
		    "'fd00::1'}]}") POD("why", "b", "status: {podIP: 10.0.0.1}")
		    POD("x", "done", "status: {podIP: 10.0.0.2, phase: Succeeded}")
			POD("x", "dead", "status: {podIP: 10.0.0.2, phase: Failed}")
			    POD("x", "live", "status: {podIP: 10.0.0.2}")),
	    0);
	assert_int_equal(b.findings.warnings, 1);
	assert_true(built_says(&b, FINDING_WARNING,
	    "Pods why/b and x/a (a.yaml:2) both have the address 10.0.0.1"));
	assert_null(find(&b, "10.0.0.1"));
	assert_string_equal(find(&b, "fd00::1")->name, "a"); /* that one is its own */
	assert_string_equal(find(&b, "10.0.0.2")->name, "live");
	built_close(&b);
}

static void
refused_pods(void **state)
{
	static const struct {
		const char *rest, *words;
	} cases[] = {
	    {"status: {podIP: x}", "is no IP address"},
	    {"status: {podIP: [1.2.3.4]}", "must be a text"},
	    {"status: {podIPs: [1.2.3.4]}", "must be a mapping"},
	    {"status: {podIPs: {ip: 1.2.3.4}}", "must be a list"},
	    {"status: [a]", "must be a mapping"},
	    {"spec: {hostNetwork: maybe}", "true or false"},
	    {"spec: [a]", "must be a mapping"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct built b;

		(void)snprintf(text, sizeof(text),
		    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n%s\n",
		    cases[i].rest);
		assert_int_equal(built_from(&b, text), -EINVAL);
		assert_true(built_says(&b, FINDING_ERROR, cases[i].words));
		built_close(&b);
	}
}

#define FIXED_LINE_MAX 200

/* "PODS > DESTINATION PROTO/PORT ENTRY" */
static void
fixed_line(const struct registry_fixed *f, char *line)
{
	char pods_[ADDR_TEXT_MAX];
	char destination[ADDR_TEXT_MAX];

	(void)snprintf(line, FIXED_LINE_MAX, "%s > %s %d/%d %s",
	    f->pods.len == 0 ? "all" : prefix_format(&f->pods, pods_),
	    prefix_format(&f->destination, destination), f->proto, f->port,
	    f->host->source.name);
}

static void
fixed_is(const char *text, const char *const *want, size_t n)
{
	struct registry_fixed f;
	char line[FIXED_LINE_MAX];
	struct built b;

	if (built_from(&b, text) < 0)
		built_print(&b);
	assert_int_equal(b.result, 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(registry_fixed(b.registry, i, &f));
		fixed_line(&f, line);
		assert_string_equal(line, want[i]);
		assert_int_equal(f.pods.addr.family, f.destination.addr.family);
	}
	assert_false(registry_fixed(b.registry, n, &f));
	assert_false(registry_fixed(b.registry, SIZE_MAX, &f));
	built_close(&b);
}

#define PODS                                                                             \
	POD("a", "a1", "status: {podIP: 10.0.1.1, podIPs: [{ip: 'fd00::1'}]}")           \
	POD("b", "b1", "status: {podIP: 10.0.2.1}")                                      \
	POD("a", "a2", "status: {podIP: 10.0.1.2}")                                      \
	POD("c", "c1", "status: {podIP: 10.0.3.1}")

static void
fixed_for_all(void **state)
{
	static const char *const want[] = {
	    "all > 1.2.3.4/32 6/443 e",
	    "all > 1.2.3.4/32 17/53 e",
	    "all > 10.1.0.0/16 6/443 e",
	    "all > 10.1.0.0/16 17/53 e",
	    "all > 2001:db8::/32 6/443 e",
	    "all > 2001:db8::/32 17/53 e",
	};

	(void)state;
	fixed_is(PODS SE("a", "e",
		     "hosts: [x.t, y.t], addresses: ['2001:db8::/32', 1.2.3.4, "
		     "10.1.0.0/16], ports: [{number: 443, name: a, protocol: TLS}, "
		     "{number: 53, name: b, protocol: UDP}]"),
	    want, ARRAY_LEN(want));
}

static void
fixed_for_a_namespace(void **state)
{
	static const char *const want[] = {
	    "10.0.1.1/32 > 1.2.3.4/32 6/443 own",
	    "10.0.1.2/32 > 1.2.3.4/32 6/443 own",
	    "fd00::1/128 > 2001:db8::1/128 6/443 own",
	    "10.0.2.1/32 > 1.2.3.5/32 6/443 two",
	    "10.0.3.1/32 > 1.2.3.5/32 6/443 two",
	};

	(void)state;
	fixed_is(
	    PODS SE("a", "own",
		PORTS "hosts: [x.t], addresses: [1.2.3.4, '2001:db8::1'], exportTo: [.]")
		SE("a", "two",
		    PORTS "hosts: [y.t], addresses: [1.2.3.5], exportTo: [c, b]") SE("a",
		    "none", PORTS "hosts: [z.t], addresses: [1.2.3.6], exportTo: ['~']")
		    SE("a", "portless", "hosts: [v.t], addresses: [1.2.3.7]"),
	    want, ARRAY_LEN(want));
}

/* All namespaces that there are see it, but not a pod that no manifest tells of. */
static void
fixed_in_the_only_namespace(void **state)
{
	static const char *const want[] = {"10.0.1.1/32 > 1.2.3.4/32 6/443 own"};

	(void)state;
	fixed_is(POD("a", "a1", "status: {podIP: 10.0.1.1}") SE("a", "own",
		     PORTS "hosts: [x.t], addresses: [1.2.3.4], exportTo: [.]"),
	    want, ARRAY_LEN(want));
}

/* Entries that nobody sees stand first, between and last. */
static void
fixed_passes_over_what_no_pod_sees(void **state)
{
	static const char *const want[] = {
	    "10.0.2.1/32 > 1.1.1.2/32 6/443 b",
	    "10.0.3.1/32 > 1.1.1.5/32 6/443 e",
	};

	(void)state;
	fixed_is(
	    PODS SE("d", "a",
		PORTS "hosts: [a.t], addresses: [1.1.1.1], exportTo: ['~']") SE("d", "b",
		PORTS "hosts: [b.t], addresses: [1.1.1.2], exportTo: [b]") SE("d", "c",
		PORTS "hosts: [c.t], addresses: [1.1.1.3], exportTo: [.]") SE("d", "d",
		PORTS "hosts: [d.t], addresses: ['::1'], exportTo: [b]") SE("d", "e",
		PORTS "hosts: [e.t], addresses: [1.1.1.5], exportTo: [c]")
		SE("d", "f", PORTS "hosts: [f.t], addresses: [1.1.1.6], exportTo: [.]"),
	    want, ARRAY_LEN(want));
}

/* A namespace that has its own word for the host does not get the others'. */
static void
fixed_where_one_hides_another(void **state)
{
	static const char *const want[] = {
	    "10.0.1.1/32 > 1.1.1.1/32 6/443 pub",
	    "10.0.1.2/32 > 1.1.1.1/32 6/443 pub",
	    "10.0.3.1/32 > 1.1.1.1/32 6/443 pub",
	    "10.0.2.1/32 > 2.2.2.2/32 6/443 priv",
	};

	(void)state;
	fixed_is(PODS SE("a", "pub", PORTS "hosts: [x.t], addresses: [1.1.1.1]") SE("b",
		     "priv", PORTS "hosts: [x.t], addresses: [2.2.2.2], exportTo: [.]"),
	    want, ARRAY_LEN(want));
}

/* Each of merged entries opens its own ports on its own addresses, no product of them. */
static void
fixed_of_merged_entries(void **state)
{
	static const char *const want[] = {
	    "all > 1.1.1.1/32 6/443 m1",
	    "all > 2.2.2.2/32 6/80 m1",
	};

	(void)state;
	fixed_is(SE("a", "m1", PORTS "hosts: [x.t], addresses: [1.1.1.1]") SE("a", "m2",
		     "ports: [{number: 80, name: b, protocol: TLS}], hosts: [x.t], "
		     "addresses: [2.2.2.2]"),
	    want, ARRAY_LEN(want));
}

static void
nothing_fixed_for_the_shadowed(void **state)
{
	static const char *const want[] = {"all > 1.1.1.1/32 6/443 m1"};

	(void)state;
	fixed_is(SE("a", "m1", PORTS "hosts: [x.t], addresses: [1.1.1.1]") SE("a", "m2",
		     PORTS "hosts: [x.t], addresses: [2.2.2.2], exportTo: [.]"),
	    want, ARRAY_LEN(want));
}

#define WIDE 256 /* addresses, and ports */
#define WIDE_BYTES_MAX ((size_t)64 * 1024)

/* WIDE x WIDE openings for each pod. */
static int
wide_entry_for(struct built *b, int pod_count)
{
	char *text = malloc(WIDE_BYTES_MAX);
	int len;

	assert_non_null(text);
	built_open(b);
	len = snprintf(text, WIDE_BYTES_MAX,
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: wide, namespace: a}\n"
	    "spec:\n  hosts: [x.t]\n  exportTo: ['.']\n  addresses:\n");
	for (int i = 0; i < WIDE; i++)
		len += snprintf(
		    text + len, WIDE_BYTES_MAX - (size_t)len, "  - 1.1.1.%d\n", i);
	len += snprintf(text + len, WIDE_BYTES_MAX - (size_t)len, "  ports:\n");
	for (int i = 1; i <= WIDE; i++)
		len += snprintf(text + len, WIDE_BYTES_MAX - (size_t)len,
		    "  - {number: %d, name: p-%d, protocol: TCP}\n", i, i);
	for (int i = 1; i <= pod_count; i++)
		len += snprintf(text + len, WIDE_BYTES_MAX - (size_t)len,
		    "---\napiVersion: v1\nkind: Pod\n"
		    "metadata: {name: p-%d, namespace: a}\n"
		    "status: {podIP: 10.244.0.%d}\n",
		    i, i);
	built_add_bytes(b, "a.yaml", text, (size_t)len);
	free(text);
	return built_finish(b);
}

static void
fixed_has_an_end(void **state)
{
	int most = REGISTRY_FIXED_MAX / (WIDE * WIDE);
	struct registry_fixed f;
	struct built b;

	(void)state;
	assert_int_equal(wide_entry_for(&b, most), 0);
	assert_true(registry_fixed(b.registry, REGISTRY_FIXED_MAX - 1, &f));
	assert_false(registry_fixed(b.registry, REGISTRY_FIXED_MAX, &f));
	built_close(&b);
	assert_int_equal(wide_entry_for(&b, most + 1), -EINVAL);
	assert_true(built_says(&b, FINDING_ERROR, "1114112 openings"));
	assert_true(built_says(&b, FINDING_ERROR, "ServiceEntry a/wide"));
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pods),
	    cmocka_unit_test(identity),
	    cmocka_unit_test(all_addresses),
	    cmocka_unit_test(same_address),
	    cmocka_unit_test(refused_pods),
	    cmocka_unit_test(fixed_for_all),
	    cmocka_unit_test(fixed_for_a_namespace),
	    cmocka_unit_test(fixed_in_the_only_namespace),
	    cmocka_unit_test(fixed_passes_over_what_no_pod_sees),
	    cmocka_unit_test(fixed_where_one_hides_another),
	    cmocka_unit_test(fixed_of_merged_entries),
	    cmocka_unit_test(nothing_fixed_for_the_shadowed),
	    cmocka_unit_test(fixed_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
