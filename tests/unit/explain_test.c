/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/built.h"

#include "policy/explain/explain.h"

#define SE(ns, name, spec)                                                               \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: " ns "}\nspec: {" spec "}\n"
#define HTTPS "ports: [{number: 443, name: https, protocol: HTTPS}]"
#define HTTP "ports: [{number: 80, name: http, protocol: HTTP}]"
#define POD(ns, name, ip)                                                                \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns      \
	"}\nstatus: {podIPs: [{ip: " ip "}]}\n"

static const char registry[] =
    SE("default", "google", "hosts: [google.com], resolution: DNS, " HTTPS) SE(
	"default", "www", "hosts: [www.twins.t], resolution: DNS, " HTTPS) SE("shop",
	"wild", "hosts: [\"*.shop.t\"], exportTo: [\".\"], " HTTPS) SE("shop", "apart",
	"hosts: [exact.shop.t], exportTo: [\".\"], " HTTP) SE("shop", "pair",
	"hosts: [pair.t], exportTo: [shop, bank], resolution: DNS, " HTTPS)
	SE("bank", "nobody", "hosts: [nobody.t], exportTo: [\"~\"], " HTTPS) SE(
	    "shop", "own", "hosts: [two.t], exportTo: [\".\"], resolution: DNS, " HTTPS)
	    SE("bank", "two", "hosts: [two.t], resolution: DNS, " HTTP)
		SE("default", "empty", "hosts: [empty.t], resolution: DNS")
		    SE("default", "static",
			"hosts: [static.t], resolution: STATIC, endpoints: [{address: "
			"10.1.2.3}], " HTTPS) SE("default", "range",
			"hosts: [range.t], resolution: STATIC, addresses: "
			"[198.51.100.0/24], " HTTPS) SE("shop", "listed",
			"hosts: [listed.t], exportTo: [\".\"], addresses: [203.0.113.7, "
			"\"2001:db8::7\"], " HTTPS) SE("default", "meta",
			"hosts: [meta.t], exportTo: [\".\"], addresses: "
			"[169.254.169.254], " HTTP) SE("default", "udp",
			"hosts: [udp.t], ports: [{number: 443, name: quic, protocol: "
			"UDP}]") SE("default", "behind",
			"hosts: [\"*.behind.t\"], resolution: DNS, endpoints: "
			"[{address: One.example}, {address: two.example}, {address: "
			"192.0.2.7}], " HTTPS) SE("default", "written",
			"hosts: [written.t], resolution: DNS, endpoints: [{address: "
			"192.0.2.7}], " HTTPS) POD("shop", "web", "10.244.0.1")
			POD("default", "app", "10.244.0.2");

struct bed {
	struct built built;
	struct prefix internal;
	struct name zone;
	struct explanation e;
};

static struct bed bed;

static void
open_bed(enum outbound_mode mode)
{
	built_open(&bed.built);
	assert_int_equal(prefix_parse("10.96.0.0/12", 12, &bed.internal), 0);
	assert_int_equal(name_parse("cluster.local", 13, &bed.zone), 0);
	bed.built.settings.outbound = mode;
	bed.built.settings.own = &bed.internal;
	bed.built.settings.own_count = 1;
	bed.built.settings.zones = &bed.zone;
	bed.built.settings.zone_count = 1;
	built_add(&bed.built, "a.yaml", registry);
	assert_int_equal(built_finish(&bed.built), 0);
}

/* who: "namespace/pod", "namespace" or an address. */
static void
ask(const char *who, const char *what, uint16_t port, uint8_t proto)
{
	struct explain_question q = {.port = port,
	    .proto = proto,
	    .internal = &bed.internal,
	    .internal_count = 1,
	    .intercept = true};
	const char *slash = strchr(who, '/');
	char namespace[32];

	(void)snprintf(namespace, sizeof(namespace), "%.*s", (int)strcspn(who, "/"), who);
	if (slash != NULL)
		q.pod = slash + 1;
	if (addr_parse(who, strlen(who), &q.source) < 0)
		q.namespace = namespace;
	if (addr_parse(what, strlen(what), &q.address) < 0)
		assert_int_equal(name_parse(what, strlen(what), &q.name), 0);
	explain(bed.built.registry, &q, &bed.e);
	bed.e.workload = NULL; /* namespace goes */
	assert_true(bed.e.count > 0);
	assert_int_equal(bed.e.reasons[0].role, EXPLAIN_RULE);
}

static const struct explain_reason *
find(enum explain_role role, const char *part)
{
	for (size_t i = 0; i < bed.e.count; i++)
		if (bed.e.reasons[i].role == role &&
		    strstr(bed.e.reasons[i].text, part) != NULL)
			return &bed.e.reasons[i];
	return NULL;
}

static void
dump(const char *who, const char *what)
{
	print_error("%s %s: %s\n", who, what, bed.e.allowed ? "allowed" : "refused");
	for (size_t i = 0; i < bed.e.count; i++)
		print_error("  %d %s: %s\n", (int)bed.e.reasons[i].role,
		    bed.e.reasons[i].host != NULL ? bed.e.reasons[i].host->source.name
						  : "-",
		    bed.e.reasons[i].text);
}

struct row {
	const char *who, *what;
	uint16_t port;
	bool allowed;
	const char *entry; /* that decides; NULL: none */
	const char *rule;
	const char *near; /* NULL: nothing is near */
	const char *near_entry;
};

static size_t
check(const struct row *row, uint8_t proto)
{
	const struct explain_reason *near = NULL;
	const struct explain_reason *rule = &bed.e.reasons[0];
	bool good;

	ask(row->who, row->what, row->port, proto);
	good = bed.e.allowed == row->allowed && strstr(rule->text, row->rule) != NULL &&
	       (rule->host != NULL) == (row->entry != NULL);
	if (good && row->entry != NULL)
		good = strcmp(rule->host->source.name, row->entry) == 0;
	if (row->near != NULL) {
		near = find(EXPLAIN_NEAR, row->near);
		good = good && near != NULL && near->host != NULL &&
		       strcmp(near->host->source.name, row->near_entry) == 0;
	} else {
		good = good && find(EXPLAIN_NEAR, "") == NULL;
	}
	if (!good)
		dump(row->who, row->what);
	return !good;
}

static void
endpoints(void **state)
{
	const char *inside = "an external name must not lead inside";

	(void)state;
	open_bed(OUTBOUND_REGISTRY_ONLY);
	ask("default", "a.behind.t", 443, IPPROTO_TCP);
	assert_true(bed.e.allowed);
	assert_non_null(find(EXPLAIN_NOTE,
	    "its endpoints' names are asked in its stead, and their addresses returned "
	    "under its name: one.example, two.example"));
	assert_non_null(find(EXPLAIN_NOTE, inside));
	ask("default", "written.t", 443, IPPROTO_TCP);
	assert_true(bed.e.allowed);
	assert_null(find(EXPLAIN_NOTE, "asked in its stead"));
	assert_non_null(find(EXPLAIN_NOTE, "answered with the addresses that the entry"));
	assert_null(find(EXPLAIN_NOTE, inside));
	ask("default", "google.com", 443, IPPROTO_TCP);
	assert_null(find(EXPLAIN_NOTE, "asked in its stead"));
	built_close(&bed.built);
}

static void
names(void **state)
{
	static const struct row rows[] = {
	    {"default", "google.com", 443, true, "google", "port 443/HTTPS (https)", NULL,
		NULL},
	    {"default", "GOOGLE.com", 0, true, "google", "opens 443/HTTPS", NULL, NULL},
	    {"default", "google.com", 80, false, "google",
		"port 80/TCP is not listed; it lists 443/HTTPS", NULL, NULL},
	    {"default", "www.google.com", 443, false, NULL, "no entry",
		"covers only itself", "google"},
	    {"default", "twins.t", 443, false, NULL, "only names below it",
		"host www.twins.t is registered", "www"},
	    {"shop", "a.b.shop.t", 443, true, "wild", "host *.shop.t", NULL, NULL},
	    {"shop", "shop.t", 443, false, NULL, "only names below it",
		"does not cover its apex", "wild"},
	    {"default", "a.shop.t", 443, false, NULL, "no entry",
		"exported to the namespace shop only, not to default", "wild"},
	    {"shop", "exact.shop.t", 443, false, "apart", "not listed",
		"host *.shop.t lists 443/HTTPS, but host exact.shop.t of shop/apart goes "
		"before it",
		"wild"},
	    {"default", "pair.t", 443, false, NULL, "no entry",
		"exported to the namespaces bank, shop only", "pair"},
	    {"bank", "pair.t", 443, true, "pair", "port 443", NULL, NULL},
	    {"bank", "nobody.t", 443, false, NULL, "no entry", "exported to nobody",
		"nobody"},
	    {"shop", "two.t", 80, false, "own", "not listed",
		"lists 80/HTTP, but host two.t of shop/own goes before it", "two"},
	    {"bank", "two.t", 443, false, "two", "not listed",
		"lists the port, but is exported to the namespace shop only", "own"},
	    {"default", "empty.t", 443, false, "empty", "lists no ports", NULL, NULL},
	    {"default", "empty.t", 0, false, "empty", "lists no ports", NULL, NULL},
	    {"default", "static.t", 443, true, "static", "port 443", NULL, NULL},
	    {"default", "range.t", 443, false, "range", "no single address", NULL, NULL},
	    {"default", "udp.t", 443, false, "udp", "not listed; it lists 443/UDP", NULL,
		NULL},
	    {"default", "x.cluster.local", 443, true, NULL, "internal zone", NULL, NULL},
	    {"default", "com", 443, false, NULL, "only names below it", NULL, NULL},
	    {"default", "unheard.of", 443, false, NULL, "no entry", NULL, NULL},
	    {"default", "google.com", 53, false, NULL, "port 53", NULL, NULL},
	    {"10.244.0.1", "a.shop.t", 443, true, "wild", "port 443", NULL, NULL},
	    {"10.244.0.9", "a.shop.t", 443, false, NULL, "no entry", "not known", "wild"},
	    {"shop/web", "a.shop.t", 443, true, "wild", "port 443", NULL, NULL},
	};
	size_t failed = 0;

	(void)state;
	open_bed(OUTBOUND_REGISTRY_ONLY);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		failed += check(&rows[i], IPPROTO_TCP);
	assert_int_equal(failed, 0);
	ask("default", "udp.t", 443, IPPROTO_UDP);
	assert_true(bed.e.allowed);
	built_close(&bed.built);
}

static void
addresses(void **state)
{
	static const struct row rows[] = {
	    {"shop/web", "203.0.113.7", 443, true, "listed", "lists the address", NULL,
		NULL},
	    /* no known pod has an address of that family: the namespace counts */
	    {"shop", "2001:db8::7", 443, true, "listed", "lists the address", NULL, NULL},
	    {"shop", "203.0.113.7", 0, true, "listed", "on 443/HTTPS", NULL, NULL},
	    {"shop", "203.0.113.7", 80, false, NULL, "after a lookup",
		"not port 80/TCP; it lists 443/HTTPS", "listed"},
	    {"default", "203.0.113.7", 443, false, NULL, "after a lookup",
		"exported to the namespace shop only", "listed"},
	    {"10.244.0.9", "203.0.113.7", 443, false, NULL, "after a lookup",
		"exported to the namespace shop only", "listed"},
	    {"default", "198.51.100.200", 443, true, "range", "lists the address", NULL,
		NULL},
	    {"10.244.0.9", "198.51.100.200", 443, true, "range", "lists the address",
		NULL, NULL},
	    {"default", "10.1.2.3", 443, false, NULL, "after a lookup",
		"endpoint of host static.t", "static"},
	    {"default", "10.100.0.1", 443, true, NULL, "internal ranges", NULL, NULL},
	    {"default", "169.254.169.254", 80, true, "meta", "lists the address", NULL,
		NULL},
	    {"shop", "169.254.169.254", 80, false, NULL, "metadata", "lists the address",
		"meta"},
	    {"shop", "8.8.8.8", 443, false, NULL, "after a lookup", NULL, NULL},
	};
	size_t failed = 0;

	(void)state;
	open_bed(OUTBOUND_REGISTRY_ONLY);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		failed += check(&rows[i], IPPROTO_TCP);
	assert_int_equal(failed, 0);
	built_close(&bed.built);
}

static void
what_only_a_lookup_opens_is_said_to_need_one(void **state)
{
	(void)state;
	open_bed(OUTBOUND_REGISTRY_ONLY);
	ask("shop", "8.8.8.8", 443, IPPROTO_TCP);
	assert_true(bed.e.needs_lookup);
	assert_null(find(EXPLAIN_NOTE, "forbidden"));
	ask("shop", "10.9.9.9", 443, IPPROTO_TCP);
	assert_true(bed.e.needs_lookup);
	assert_non_null(find(EXPLAIN_NOTE, "MESH_INTERNAL"));
	ask("shop", "127.0.0.1", 443, IPPROTO_TCP);
	assert_non_null(find(EXPLAIN_NOTE, "loopback"));
	ask("shop", "64:ff9b::10.100.0.1", 443, IPPROTO_TCP);
	assert_non_null(find(EXPLAIN_NOTE, "MESH_INTERNAL"));
	ask("shop", "169.254.169.254", 80, IPPROTO_TCP);
	assert_false(bed.e.needs_lookup);
	ask("shop", "203.0.113.7", 443, IPPROTO_TCP);
	assert_false(bed.e.needs_lookup);
	built_close(&bed.built);
}

static void
who_is_not_known_is_told(void **state)
{
	static const struct {
		const char *who, *part;
	} rows[] = {
	    {"shop/absent", "no manifest tells of the pod shop/absent"},
	    {"nowhere", "no manifest names the namespace nowhere"},
	    {"10.244.0.9", "no manifest tells whose address"},
	    {"shop/web", NULL},
	    {"bank", NULL},
	    {"10.244.0.2", NULL},
	};

	(void)state;
	open_bed(OUTBOUND_REGISTRY_ONLY);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask(rows[i].who, "google.com", 443, IPPROTO_TCP);
		assert_true(bed.e.allowed);
		if (rows[i].part == NULL)
			assert_null(find(EXPLAIN_NOTE, "no manifest"));
		else
			assert_non_null(find(EXPLAIN_NOTE, rows[i].part));
	}
	built_close(&bed.built);
}

static void
allow_any_refuses_nothing(void **state)
{
	(void)state;
	open_bed(OUTBOUND_ALLOW_ANY);
	ask("default", "unheard.of", 25, IPPROTO_TCP);
	assert_true(bed.e.allowed);
	assert_non_null(find(EXPLAIN_RULE, "ALLOW_ANY"));
	ask("default", "192.168.0.1", 53, IPPROTO_UDP);
	assert_true(bed.e.allowed);
	built_close(&bed.built);
}

/* The verdict never says more than the daemon would do. */
static void
names_are_allowed_only_where_the_registry_says_so(void **state)
{
	static const char *const pods[] = {"10.244.0.1", "10.244.0.2"};
	static const char *const hosts[] = {"google.com", "a.shop.t", "shop.t", "two.t",
	    "pair.t", "nobody.t", "exact.shop.t", "t", "static.t"};

	(void)state;
	open_bed(OUTBOUND_REGISTRY_ONLY);
	for (size_t i = 0; i < ARRAY_LEN(pods); i++)
		for (size_t k = 0; k < ARRAY_LEN(hosts); k++) {
			struct verdict v = built_judge(&bed.built, pods[i], hosts[k]);

			ask(pods[i], hosts[k], 0, IPPROTO_TCP);
			assert_int_equal(bed.e.allowed, v.kind == VERDICT_HOST);
			if (bed.e.allowed)
				assert_ptr_equal(bed.e.reasons[0].host, v.host);
		}
	built_close(&bed.built);
}

static void
reasons_behind_the_limit_are_counted_and_long_ones_cut(void **state)
{
	static struct explanation e;
	char text[2 * EXPLAIN_TEXT_MAX];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	e = (struct explanation){0};
	for (size_t i = 0; i < EXPLAIN_REASONS_MAX + 2; i++)
		explain_say(&e, EXPLAIN_NOTE, NULL, "%s", text);
	assert_int_equal(e.count, EXPLAIN_REASONS_MAX);
	assert_int_equal(e.dropped, 2);
	assert_int_equal(strlen(e.reasons[0].text), EXPLAIN_TEXT_MAX - 1);
}

/* Lists longer than there is room for end in dots. */
static void
long_lists_are_cut(void **state)
{
	char text[16384];
	size_t used;

	(void)state;
	used = (size_t)snprintf(text, sizeof(text),
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: "
	    "many, namespace: a}\nspec:\n  hosts: [many.t]\n  exportTo: [");
	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "%snamespace-%d", i > 0 ? ", " : "", i);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "]\n  ports:\n");
	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "  - {number: %d, name: p%d, protocol: HTTPS}\n", 10000 + i, i);
	assert_true(used < sizeof(text));
	assert_int_equal(built_from(&bed.built, text), 0);
	ask("b", "many.t", 80, IPPROTO_TCP);
	assert_non_null(find(EXPLAIN_NEAR, ", ..."));
	ask("namespace-7", "many.t", 80, IPPROTO_TCP);
	assert_non_null(find(EXPLAIN_RULE, ", ..."));
	built_close(&bed.built);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(endpoints),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(what_only_a_lookup_opens_is_said_to_need_one),
	    cmocka_unit_test(who_is_not_known_is_told),
	    cmocka_unit_test(allow_any_refuses_nothing),
	    cmocka_unit_test(names_are_allowed_only_where_the_registry_says_so),
	    cmocka_unit_test(reasons_behind_the_limit_are_counted_and_long_ones_cut),
	    cmocka_unit_test(long_lists_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
