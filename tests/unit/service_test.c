/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes Services: what is refused, and what a pod gets to see of them and of their
 * EndpointSlices (reference 3.1 and 5.1), outside and inside an internal zone.
 */
#include <errno.h>
#include <netinet/in.h>

#include "tests/unit/built.h"
#include "tests/unit/cases.h"

#define POD(ns, ip)                                                                      \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: " ns             \
	"}\nstatus: {podIPs: [{ip: " ip "}]}\n"
#define SVC(ns, name, spec)                                                              \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: " ns  \
	"}\nspec: {" spec "}\n"
#define SVC_TO(ns, name, to, spec)                                                       \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: " ns  \
	", annotations: {networking.istio.io/exportTo: '" to "'}}\nspec: {" spec "}\n"
#define SLICE(ns, name, service, type, rest)                                             \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: "          \
	"{name: " name ", namespace: " ns                                                \
	", labels: {kubernetes.io/service-name: " service "}}\naddressType: " type       \
	"\n" rest
#define PORTS "ports: [{port: 80, name: http}, {port: 53, name: dns, protocol: UDP}]"
#define PORT "ports: [{port: 5432}]"

static const struct {
	const char *title;
	const char *text;
	const char *words; /* of an error; NULL: accepted */
} rules[] = {
    {"a ClusterIP", SVC("a", "w", PORTS ", clusterIP: 10.96.0.1"), NULL},
    {"both families",
	SVC("a", "w", PORTS ", clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 'fd00::1']"),
	NULL},
    {"as kubectl prints a NodePort",
	SVC("a", "w",
	    "type: NodePort, clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], "
	    "internalTrafficPolicy: Cluster, ipFamilies: [IPv4], ipFamilyPolicy: "
	    "SingleStack, ports: [{name: http, nodePort: 30080, port: 80, protocol: TCP, "
	    "targetPort: 8080, appProtocol: http}], selector: {app: w}, "
	    "sessionAffinity: None"),
	NULL},
    {"a LoadBalancer", SVC("a", "w", PORTS ", type: LoadBalancer, clusterIP: 10.96.0.1"),
	NULL},
    {"no address yet", SVC("a", "w", PORTS), NULL},
    {"headless without ports", SVC("a", "w", "clusterIP: None"), NULL},
    {"ExternalName without ports",
	SVC("a", "w", "type: ExternalName, externalName: x.example."), NULL},
    {"no spec", "apiVersion: v1\nkind: Service\nmetadata: {name: w}\n",
	"spec is missing"},
    {"a spec that is a list",
	"apiVersion: v1\nkind: Service\nmetadata: {name: w}\n"
	"spec: []\n",
	"must be a mapping"},
    {"a dot in the name", SVC("a", "w.x", PORTS), "is one label"},
    {"an unknown type", SVC("a", "w", PORTS ", type: clusterip"), "is unknown"},
    {"no ports", SVC("a", "w", "clusterIP: 10.96.0.1"), "without ports"},
    {"an address that is none", SVC("a", "w", PORTS ", clusterIP: 10.96.0.256"),
	"is neither an IP address"},
    {"none in lower case", SVC("a", "w", PORTS ", clusterIP: none"),
	"is neither an IP address"},
    {"clusterIP is not the first",
	SVC("a", "w", PORTS ", clusterIP: 10.96.0.1, clusterIPs: [10.96.0.2]"),
	"is not the first of clusterIPs"},
    {"None beside others", SVC("a", "w", PORTS ", clusterIPs: [None, 10.96.0.2]"),
	"cannot stand beside"},
    {"two of a family", SVC("a", "w", PORTS ", clusterIPs: [10.96.0.1, 10.96.0.2]"),
	"second one of its family"},
    {"three addresses",
	SVC("a", "w", PORTS ", clusterIPs: [10.96.0.1, 'fd00::1', 10.96.0.2]"),
	"the limit is 2"},
    {"an ExternalName without it", SVC("a", "w", "type: ExternalName"),
	"needs an externalName"},
    {"an externalName that is no name",
	SVC("a", "w", "type: ExternalName, externalName: 10.0.0.1"),
	"is no name of a host"},
    {"an ExternalName with an address",
	SVC("a", "w", "type: ExternalName, externalName: x.t, clusterIP: 10.96.0.1"),
	"has no clusterIP"},
    {"port 0", SVC("a", "w", "ports: [{port: 0}]"), "from 1 to 65535"},
    {"port 65536", SVC("a", "w", "ports: [{port: 65536}]"), "from 1 to 65535"},
    {"a port without number", SVC("a", "w", "ports: [{name: http}]"), "without number"},
    {"a port that is null", SVC("a", "w", "ports: [null]"), "an empty port"},
    {"an unknown protocol", SVC("a", "w", "ports: [{port: 80, protocol: HTTP}]"),
	"is unknown: one of TCP, UDP and SCTP"},
    {"a name in upper case", SVC("a", "w", "ports: [{port: 80, name: HTTP}]"),
	"is no label in lower case"},
    {"several ports, one without name",
	SVC("a", "w", "ports: [{port: 80}, {port: 81, name: b}]"), "has no name"},
    {"the same port twice",
	SVC("a", "w", "ports: [{port: 80, name: a}, {port: 80, name: b}]"),
	"port 80/TCP stands twice"},
    {"the same number in two protocols",
	SVC("a", "w",
	    "ports: [{port: 53, name: a}, {port: 53, name: b, protocol: UDP}], "
	    "clusterIP: 10.96.0.1"),
	NULL},
    {"the same name twice",
	SVC("a", "w", "ports: [{port: 80, name: a}, {port: 81, name: a}]"),
	"port name a stands twice"},
    {"publishNotReadyAddresses that is no boolean",
	SVC("a", "w", PORTS ", publishNotReadyAddresses: 'x'"), "true or false"},
    {"3.1 exportTo: no namespace", SVC_TO("a", "w", "a b", PORTS), "is no namespace"},
    {"3.1 exportTo: an empty element", SVC_TO("a", "w", "a,,b", PORTS),
	"is no namespace"},
    {"3.1 exportTo: twice", SVC_TO("a", "w", "a, .", PORTS), "stands twice"},
    {"3.1 exportTo: a star with others", SVC_TO("a", "w", "*,a", PORTS),
	"cannot stand beside"},
    {"3.1 exportTo: blanks are trimmed", SVC_TO("a", "w", " a ,\tb ", PORTS), NULL},
    {"3.1 exportTo: nothing in it", SVC_TO("a", "w", "", PORTS), NULL},
};

static void
what_is_refused(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct built b;
		int r = built_from(&b, rules[i].text);
		bool right =
		    rules[i].words == NULL
			? r == 0 && b.findings.warnings == 0
			: r == -EINVAL && built_says(&b, FINDING_ERROR, rules[i].words);

		if (!right)
			built_print(&b);
		failed += case_failed("5.1", rules[i].title, right);
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

static const char cluster[] = POD("a", "10.1.0.1") POD("b", "10.1.0.2")
    SVC("a", "web", PORTS ", clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 'fd00::1']")
	SVC_TO("b", "private", ".", PORT ", clusterIP: 10.96.0.2") SVC_TO(
	    "b", "shared", "a, b", PORT ", clusterIP: 10.96.0.3") SVC_TO("b", "nobody",
	    "~", PORT ", clusterIP: 10.96.0.4") SVC("a", "db", PORT ", clusterIP: None")
	    SVC("a", "early", PORT ", clusterIP: None, publishNotReadyAddresses: true")
		SVC("a", "out", "type: ExternalName, externalName: X.example, " PORT)
		    SVC("a", "empty", PORT ", clusterIP: None") SLICE("a", "db-1", "db",
			"IPv4",
			"endpoints:\n- {addresses: [10.2.0.1], hostname: db-0}\n"
			"- {addresses: [10.2.0.2], hostname: db-1, conditions: {ready: "
			"false}}\n"
			"- {addresses: [10.2.0.3], conditions: {ready: null}}\n"
			"ports: [{port: 5432}, {port: 9, protocol: SCTP}, {port: 5433, "
			"name: m}]\n") SLICE("a", "db-2", "db", "IPv6",
			"endpoints: [{addresses: ['fd00::2'], hostname: db-0}]\n"
			"ports: [{port: 5432}]\n") SLICE("a", "early-1", "early", "IPv4",
			"endpoints: [{addresses: [10.2.0.4], hostname: e-0, "
			"conditions: {ready: false}}]\n")
    /* another namespace's slice of the same name */
    SLICE("b", "db-1", "db", "IPv4", "endpoints: [{addresses: [10.2.0.9]}]\n")
	SLICE("a", "web-1", "web", "IPv4",
	    "endpoints: [{addresses: [10.2.0.5], hostname: "
	    "w-0}]\nports: [{port: 8080}]\n");

#define D ".svc.cluster.local"

/* What pods are told outside a zone. */
static const struct {
	const char *title;
	const char *pod; /* NULL: one that is not known */
	const char *name;
	enum verdict_kind kind;
	enum verdict_reason reason;
	const char *addresses; /* of a STATIC host */
	const char *ports;
} sights[] = {
    {"5.1 a ClusterIP", "10.1.0.1", "web.a" D, VERDICT_HOST, REASON_NONE,
	"10.96.0.1 fd00::1", "53/17 80/6"},
    {"5.1 for another namespace", "10.1.0.2", "web.a" D, VERDICT_HOST, REASON_NONE,
	"10.96.0.1 fd00::1", "53/17 80/6"},
    {"5.1 for a pod that is not known", NULL, "web.a" D, VERDICT_HOST, REASON_NONE,
	"10.96.0.1 fd00::1", "53/17 80/6"},
    {"5.1 a pod behind a ClusterIP has no name", "10.1.0.1", "w-0.web.a" D,
	VERDICT_REFUSED, REASON_NOT_REGISTERED, NULL, NULL},
    {"5.1 headless: what is ready", "10.1.0.1", "db.a" D, VERDICT_HOST, REASON_NONE,
	"10.2.0.1 10.2.0.3 fd00::2", "5432/6 5433/6"},
    {"5.1 headless: a pod's name", "10.1.0.1", "db-0.db.a" D, VERDICT_HOST, REASON_NONE,
	"10.2.0.1 fd00::2", "5432/6 5433/6"},
    {"5.1 headless: a pod that is not ready", "10.1.0.1", "db-1.db.a" D, VERDICT_REFUSED,
	REASON_NOT_REGISTERED, NULL, NULL},
    {"5.1 headless: not ready, but published", "10.1.0.1", "e-0.early.a" D, VERDICT_HOST,
	REASON_NONE, "10.2.0.4", "5432/6"},
    {"5.1 headless: nothing behind it", "10.1.0.1", "empty.a" D, VERDICT_HOST,
	REASON_NONE, "", "5432/6"},
    {"5.1 ExternalName", "10.1.0.2", "out.a" D, VERDICT_HOST, REASON_NONE, NULL,
	"5432/6"},
    {"3.1 private: own namespace", "10.1.0.2", "private.b" D, VERDICT_HOST, REASON_NONE,
	"10.96.0.2", "5432/6"},
    {"3.1 private: another", "10.1.0.1", "private.b" D, VERDICT_REFUSED,
	REASON_NOT_EXPORTED, NULL, NULL},
    {"3.1 private: not known", NULL, "private.b" D, VERDICT_REFUSED, REASON_NOT_EXPORTED,
	NULL, NULL},
    {"3.1 to two namespaces", "10.1.0.1", "shared.b" D, VERDICT_HOST, REASON_NONE,
	"10.96.0.3", "5432/6"},
    {"3.1 to two namespaces, not known", NULL, "shared.b" D, VERDICT_REFUSED,
	REASON_NOT_EXPORTED, NULL, NULL},
    {"3.1 to nobody", "10.1.0.2", "nobody.b" D, VERDICT_REFUSED, REASON_NOT_EXPORTED,
	NULL, NULL},
    {"no Service", "10.1.0.1", "none.a" D, VERDICT_REFUSED, REASON_NOT_REGISTERED, NULL,
	NULL},
    {"above the Services", "10.1.0.1", "a" D, VERDICT_PARENT, REASON_NONE, NULL, NULL},
};

static void
list_addresses(const struct registry_host *h, char *text, size_t size)
{
	struct addr list[16];
	size_t n = registry_static(h, list, ARRAY_LEN(list));
	char one[ADDR_TEXT_MAX];

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(text);

		(void)snprintf(text + used, size - used, "%s%s", i > 0 ? " " : "",
		    addr_format(&list[i], one));
	}
}

static int
port_compare(const void *a, const void *b)
{
	const struct registry_port *x = a;
	const struct registry_port *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static void
list_ports(const struct registry_host *h, char *text, size_t size)
{
	struct registry_port list[16];

	assert_true(h->port_count <= ARRAY_LEN(list));
	memcpy(list, h->ports, h->port_count * sizeof(*list));
	qsort(list, h->port_count, sizeof(*list), port_compare);
	text[0] = '\0';
	for (size_t i = 0; i < h->port_count; i++) {
		size_t used = strlen(text);

		(void)snprintf(text + used, size - used, "%s%u/%u", i > 0 ? " " : "",
		    list[i].number, list[i].proto);
	}
}

static bool
as_seen(const struct built *b, size_t i)
{
	struct verdict v = built_judge(b, sights[i].pod, sights[i].name);
	char text[256];

	if (v.kind != sights[i].kind || v.reason != sights[i].reason)
		return false;
	if (v.kind != VERDICT_HOST)
		return true;
	assert_string_equal(v.host->source.kind, "Service");
	assert_true(v.host->service && !v.host->in_zone);
	list_ports(v.host, text, sizeof(text));
	if (strcmp(text, sights[i].ports) != 0)
		return false;
	list_addresses(v.host, text, sizeof(text));
	return sights[i].addresses == NULL || strcmp(text, sights[i].addresses) == 0;
}

static void
what_pods_see(void **state)
{
	size_t failed = 0;
	struct built b;

	(void)state;
	assert_int_equal(built_from(&b, cluster), 0);
	assert_int_equal(b.findings.warnings, 0);
	assert_int_equal(registry_counts(b.registry).entries, 0);
	assert_int_equal(registry_counts(b.registry).services, 8);
	for (size_t i = 0; i < ARRAY_LEN(sights); i++) {
		bool right = as_seen(&b, i);

		if (!right) {
			struct verdict v = built_judge(&b, sights[i].pod, sights[i].name);
			char addresses[256] = "", ports[256] = "";

			if (v.kind == VERDICT_HOST) {
				list_addresses(v.host, addresses, sizeof(addresses));
				list_ports(v.host, ports, sizeof(ports));
			}
			print_error("kind %d, reason %d, %s, %s\n", v.kind, v.reason,
			    addresses, ports);
		}
		failed += case_failed("", sights[i].title, right);
	}
	assert_int_equal(failed, 0);
	built_close(&b);
}

static void
an_external_name_is_asked_in_the_hosts_stead(void **state)
{
	struct verdict v;
	struct built b;

	(void)state;
	assert_int_equal(built_from(&b, cluster), 0);
	v = built_judge(&b, "10.1.0.1", "out.a" D);
	assert_int_equal(v.host->resolution, RESOLUTION_DNS);
	assert_int_equal(v.host->target_count, 1);
	assert_false(v.host->internal);
	assert_memory_equal(v.host->targets[0].name, "\1x\7example", 10);
	built_close(&b);
}

/* What pods are told where cluster.local is a zone, the second one. */
static const struct {
	const char *title;
	const char *pod;
	const char *name;
	enum verdict_kind kind;
} zoned[] = {
    {"a Service that everybody sees", "10.1.0.1", "web.a" D, VERDICT_HOST},
    {"for a pod that is not known", NULL, "web.a" D, VERDICT_HOST},
    {"a name below it", "10.1.0.1", "_http._tcp.web.a" D, VERDICT_HOST},
    {"a pod that no manifest tells of", NULL, "db-7.db.a" D, VERDICT_HOST},
    {"private: own namespace", "10.1.0.2", "private.b" D, VERDICT_HOST},
    {"private: another", "10.1.0.1", "private.b" D, VERDICT_REFUSED},
    {"private: not known", NULL, "private.b" D, VERDICT_REFUSED},
    {"private: below it", "10.1.0.1", "x.private.b" D, VERDICT_REFUSED},
    {"private: below it, own namespace", "10.1.0.2", "x.private.b" D, VERDICT_HOST},
    {"nobody's", "10.1.0.2", "nobody.b" D, VERDICT_REFUSED},
    {"what no manifest tells of", "10.1.0.1", "none.a" D, VERDICT_ZONE},
    {"the same for a pod that is not known", NULL, "none.a" D, VERDICT_ZONE},
    {"a search list's", NULL, "google.com.a" D, VERDICT_ZONE},
    {"an entry in the zone", "10.1.0.1", "entry.a" D, VERDICT_ZONE},
    {"the namespace itself", NULL, "a" D, VERDICT_ZONE},
};

static void
zone_open(struct built *b, struct name zones[2], enum outbound_mode mode)
{
	assert_int_equal(name_parse("corp", 4, &zones[0]), 0);
	assert_int_equal(name_parse("cluster.local", 13, &zones[1]), 0);
	built_open(b);
	b->settings.outbound = mode;
	b->settings.zones = zones;
	b->settings.zone_count = 2;
	built_add(b, "a.yaml", cluster);
	built_add(b, "b.yaml",
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, "
	    "namespace: a}\nspec: {hosts: [entry.a" D "]}\n");
	assert_int_equal(built_finish(b), 0);
}

static void
services_of_a_zone_are_asked_there(void **state)
{
	struct name zones[2];
	size_t failed = 0;
	struct built b;

	(void)state;
	zone_open(&b, zones, OUTBOUND_REGISTRY_ONLY);
	assert_int_equal(b.findings.warnings, 1); /* of the entry */
	for (size_t i = 0; i < ARRAY_LEN(zoned); i++) {
		struct verdict v = built_judge(&b, zoned[i].pod, zoned[i].name);
		bool right = v.kind == zoned[i].kind;

		if (v.kind == VERDICT_HOST)
			right = right && v.host->in_zone && v.host->zone == 1;
		if (v.kind == VERDICT_ZONE)
			right = right && v.zone == 1;
		if (v.kind == VERDICT_REFUSED)
			right = right && v.reason == REASON_NOT_EXPORTED &&
				strcmp(v.host->source.kind, "Service") == 0;
		failed += case_failed("5.1", zoned[i].title, right);
	}
	assert_int_equal(failed, 0);
	built_close(&b);
}

/* The zone may know newer addresses than the manifest; inside, but not the node's own. */
static void
a_zone_answers_with_other_addresses_too(void **state)
{
	const struct registry_host *host;
	struct name zones[2];
	struct built b;

	(void)state;
	zone_open(&b, zones, OUTBOUND_REGISTRY_ONLY);
	host = built_judge(&b, NULL, "db.a" D).host;
	assert_true(built_permits(&b, host, "10.2.0.77"));
	assert_false(built_permits(&b, host, "127.0.0.1"));
	built_close(&b);
	assert_int_equal(built_from(&b, cluster), 0);
	host = built_judge(&b, NULL, "db.a" D).host;
	assert_false(built_permits(&b, host, "10.2.0.77"));
	built_close(&b);
}

static void
an_external_name_leads_inside_only_where_it_is_inside(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		SVC("a", "out", PORT ", type: ExternalName, externalName: real.t")
		    SVC("a", "in", PORT ", type: ExternalName, externalName: db.a" D)),
	    0);
	assert_false(
	    built_permits(&b, built_judge(&b, NULL, "out.a" D).host, "10.2.0.77"));
	assert_true(built_permits(&b, built_judge(&b, NULL, "in.a" D).host, "10.2.0.77"));
	built_close(&b);
}

static void
under_allow_any_a_zone_is_a_zone(void **state)
{
	struct name zones[2];
	struct built b;

	(void)state;
	zone_open(&b, zones, OUTBOUND_ALLOW_ANY);
	assert_int_equal(built_judge(&b, "10.1.0.1", "private.b" D).kind, VERDICT_ZONE);
	assert_int_equal(built_judge(&b, NULL, "web.a" D).kind, VERDICT_ZONE);
	built_close(&b);
}

static void
the_domain_is_configured(void **state)
{
	struct built b;

	(void)state;
	built_open(&b);
	b.settings.cluster_domain = "k8s.example.";
	built_add(&b, "a.yaml", cluster);
	assert_int_equal(built_finish(&b), 0);
	assert_int_equal(
	    built_judge(&b, NULL, "web.a.svc.k8s.example").kind, VERDICT_HOST);
	assert_int_equal(built_judge(&b, NULL, "web.a" D).kind, VERDICT_REFUSED);
	built_close(&b);
}

/* The mesh's settings hold for Services too. */
static void
the_mesh_says_who_sees_services(void **state)
{
	struct built b;

	(void)state;
	built_open(&b);
	built_add(&b, "a.yaml", cluster);
	built_add(&b, "b.yaml",
	    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: "
	    "'defaultServiceExportTo: [.]'}\n");
	assert_int_equal(built_finish(&b), 0);
	assert_int_equal(built_judge(&b, "10.1.0.1", "web.a" D).kind, VERDICT_HOST);
	assert_int_equal(built_judge(&b, "10.1.0.2", "web.a" D).kind, VERDICT_REFUSED);
	assert_int_equal(built_judge(&b, "10.1.0.1", "shared.b" D).kind, VERDICT_HOST);
	built_close(&b);
	built_open(&b);
	built_add(&b, "a.yaml", cluster);
	built_add(&b, "b.yaml",
	    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: "
	    "'discoverySelectors: [{matchLabels: {kubernetes.io/metadata.name: b}}]'}\n"
	    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n");
	assert_int_equal(built_finish(&b), 0);
	assert_int_equal(b.findings.warnings, 1);
	assert_int_equal(built_judge(&b, "10.1.0.1", "web.a" D).kind, VERDICT_REFUSED);
	assert_int_equal(built_judge(&b, "10.1.0.1", "shared.b" D).kind, VERDICT_HOST);
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_refused),
	    cmocka_unit_test(what_pods_see),
	    cmocka_unit_test(an_external_name_is_asked_in_the_hosts_stead),
	    cmocka_unit_test(services_of_a_zone_are_asked_there),
	    cmocka_unit_test(a_zone_answers_with_other_addresses_too),
	    cmocka_unit_test(an_external_name_leads_inside_only_where_it_is_inside),
	    cmocka_unit_test(under_allow_any_a_zone_is_a_zone),
	    cmocka_unit_test(the_domain_is_configured),
	    cmocka_unit_test(the_mesh_says_who_sees_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
