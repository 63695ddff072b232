/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Sidecar may say: each rule of section 2.1 of the reference as a spec that breaks
 * it and the words that the finding must have, or as one that just does not.
 */
#include <errno.h>

#include "base/buf.h"
#include "policy/object/egress.h"
#include "tests/unit/alloc.h"
#include "tests/unit/built.h"
#include "tests/unit/cases.h"

enum expectation { REFUSED, WARNED, CLEAN };

struct rule_case {
	const char *title;
	enum expectation expect;
	const char *words; /* of the finding */
	const char *spec;  /* in JSON, a part of YAML */
};

/* A listener that takes everything, and one with what is told before. */
#define ALL "egress: [{hosts: ['*/*']}]"
#define HOST(text) "egress: [{hosts: ['" text "']}]"
#define HOSTS(list) "egress: [{hosts: [" list "]}]"
#define LISTENER(fields) "egress: [{" fields ", hosts: ['*/*']}]"
#define PORT(port) "{port: {" port "}, hosts: ['*/*']}"
#define INGRESS(fields) "ingress: [{" fields "}]"
#define POLICY(fields) "outboundTrafficPolicy: {" fields "}"
#define PROXY(fields) POLICY("mode: ALLOW_ANY, egressProxy: {" fields "}")

static const struct rule_case cases[] = {
    {"2.1 plain", CLEAN, NULL, ALL},
    {"2.1 empty configuration", REFUSED, "empty Sidecar", "{}"},
    {"2.1 null spec", REFUSED, "empty Sidecar", "null"},
    {"2.1 only a selector", REFUSED, "empty Sidecar",
	"workloadSelector: {labels: {a: b}}"},
    {"2.1 egress [] alone", REFUSED, "empty Sidecar", "egress: []"},
    {"2.1 egress [] beside a policy", CLEAN, NULL, "egress: [], " POLICY("")},
    {"2.1 egress null beside a policy", CLEAN, NULL, "egress: null, " POLICY("")},
    {"2.1 only ingress", CLEAN, NULL, INGRESS("port: {number: 80, protocol: HTTP}")},
    {"2.1 only a connection pool", CLEAN, NULL,
	"inboundConnectionPool: {tcp: {maxConnections: 5}}"},
    {"2.1 spec no mapping", REFUSED, "spec must be a mapping", "[]"},
    {"2.1 egress no list", REFUSED, "egress must be a list", "egress: {}"},
    {"2.1 a null listener", REFUSED, "may not be null", "egress: [null]"},
    {"2.1 a listener no mapping", REFUSED, "must be a mapping", "egress: [a]"},
    {"2.1 host list missing", REFUSED, "at least one host", "egress: [{}]"},
    {"2.1 host list null", REFUSED, "at least one host", "egress: [{hosts: null}]"},
    {"2.1 host list empty", REFUSED, "at least one host", "egress: [{hosts: []}]"},
    {"2.1 host list no list", REFUSED, "must be a list", "egress: [{hosts: '*/*'}]"},
    {"2.1 unknown field of spec", WARNED, "\"egres\"", ALL ", egres: []"},
    {"2.1 unknown field of a listener", WARNED, "\"host\"", LISTENER("host: x")},
    {"2.1 unknown field of a port", WARNED, "\"nr\"",
	LISTENER("port: {number: 80, nr: 1}")},
    {"2.1 unknown field of the selector", WARNED, "\"matchLabels\"",
	ALL ", workloadSelector: {labels: {a: b}, matchLabels: {}}"},
    {"2.1 unknown field of the policy", WARNED, "\"Mode\"", POLICY("Mode: ALLOW_ANY")},
    {"2.1 unknown field of the proxy", WARNED, "\"name\"",
	PROXY("host: a.b, port: {number: 1}, name: x")},

    /* namespace/dnsName */
    {"2.1 own namespace", CLEAN, NULL, HOST("./a.com")},
    {"2.1 any namespace", CLEAN, NULL, HOST("*/a.com")},
    {"2.1 a namespace", CLEAN, NULL, HOST("prod/a.com")},
    {"2.1 a namespace of digits", CLEAN, NULL, HOST("42/a.com")},
    {"2.1 a wildcard", CLEAN, NULL, HOST("prod/*.a.com")},
    {"2.1 a whole namespace", CLEAN, NULL, HOST("prod/*")},
    {"2.1 nothing", CLEAN, NULL, HOST("~/*")},
    {"2.1 an exclusion in a namespace", CLEAN, NULL, HOSTS("'*/*', '~prod/a.com'")},
    {"2.1 an exclusion everywhere", CLEAN, NULL, HOSTS("'*/*', '~*/*.a.com'")},
    {"2.1 an exclusion in the own namespace", CLEAN, NULL, HOSTS("'*/*', '~./a.com'")},
    {"2.1 a bare ~ is every namespace", CLEAN, NULL, HOSTS("'*/*', '~/bar.a.com'")},
    {"2.1 capital letters in a name", CLEAN, NULL, HOST("./A.com")},
    {"2.1 a dot behind the name", CLEAN, NULL, HOST("./a.com.")},
    {"2.1 no slash", REFUSED, "form namespace/dnsName", HOST("a.com")},
    {"2.1 star alone", REFUSED, "form namespace/dnsName", HOST("*")},
    {"2.1 ~ alone", REFUSED, "form namespace/dnsName", HOSTS("'~'")},
    {"2.1 empty namespace", REFUSED, "nothing on one side", HOST("/a.com")},
    {"2.1 empty name", REFUSED, "nothing on one side", HOST("prod/")},
    {"2.1 only a slash", REFUSED, "nothing on one side", HOST("/")},
    {"2.1 two slashes", REFUSED, "no host name", HOST("prod/a.com/b")},
    {"2.1 namespace with a capital letter", REFUSED, "no valid namespace",
	HOST("Prod/a.com")},
    {"2.1 namespace with a dot", REFUSED, "no valid namespace", HOST("a.b/a.com")},
    {"2.1 namespace with a star", REFUSED, "no valid namespace", HOST("pro*/a.com")},
    {"2.1 two dots for a namespace", REFUSED, "no valid namespace", HOST("../a.com")},
    {"2.1 two ~", REFUSED, "no valid namespace", HOST("~~/a.com")},
    {"2.1 ~ behind a namespace", REFUSED, "no valid namespace", HOST("a~/a.com")},
    {"2.1 short name", REFUSED, "short name", HOST("prod/db")},
    {"2.1 short name excluded", REFUSED, "short name", HOSTS("'*/*', '~prod/db'")},
    {"2.1 partial wildcard", REFUSED, "partial wildcard", HOST("prod/*foo.com")},
    {"2.1 star in the middle", REFUSED, "no host name", HOST("prod/a.*.com")},
    {"2.1 star at the end", REFUSED, "no host name", HOST("prod/a.com.*")},
    {"2.1 underscore", REFUSED, "no host name", HOST("prod/a_b.com")},
    {"2.1 an address", REFUSED, "no host name", HOST("prod/10.0.0.1")},
    {"2.1 empty host", REFUSED, "form namespace/dnsName", HOST("")},
    {"2.1 null host", REFUSED, "empty egress host", HOSTS("null")},
    {"2.1 a number for a host", REFUSED, "put it in quotes", HOSTS("12")},
    {"2.1 a mapping for a host", REFUSED, "must be a text", HOSTS("{a: b}")},

    /* warnings about hosts */
    {"2.1 duplicate host", WARNED, "duplicate egress host \"./a.com\"",
	HOSTS("'./a.com', './a.com'")},
    {"2.1 duplicate: own namespace in two ways", WARNED, "duplicate egress host",
	HOSTS("'./a.com', 'x/a.com'")},
    {"2.1 duplicate: behind the whole namespace", WARNED,
	"duplicate egress host \"b/a.com\"", HOSTS("'b/*', 'b/a.com'")},
    {"2.1 duplicate: before the whole namespace", WARNED,
	"duplicate egress host \"b/a.com\"", HOSTS("'b/a.com', 'b/*'")},
    {"2.1 */* plus others", WARNED, "imports everything", HOSTS("'*/*', 'b/a.com'")},
    {"2.1 */* behind others", WARNED, "imports everything", HOSTS("'b/a.com', '*/*'")},
    {"2.1 the same name in two namespaces", CLEAN, NULL, HOSTS("'b/a.com', 'c/a.com'")},
    {"2.1 namespaces that begin alike", CLEAN, NULL, HOSTS("'b/*', 'bb/a.com'")},
    {"2.1 the same host in two listeners", CLEAN, NULL,
	"egress: [{port: {number: 1}, hosts: ['b/a.com']}, {hosts: ['b/a.com']}]"},

    /* listeners and their ports */
    {"2.1 a port, then none", CLEAN, NULL,
	"egress: [" PORT("number: 80, protocol: HTTP, name: h") ", {hosts: ['./*']}]"},
    {"2.1 no port, not last", REFUSED, "must be the last",
	"egress: [{hosts: ['./*']}, " PORT("number: 80") "]"},
    {"2.1 two without port", REFUSED, "only one egress listener",
	"egress: [{hosts: ['./*']}, {hosts: ['*/*']}]"},
    {"2.1 the same port twice", REFUSED, "stands twice",
	"egress: [" PORT("number: 80") ", " PORT("number: 80") "]"},
    {"2.1 two ports", CLEAN, NULL,
	"egress: [" PORT("number: 80") ", " PORT("number: 81") "]"},
    {"2.1 port 0 without a bind", REFUSED, "unix socket for bind",
	LISTENER("port: {number: 0}")},
    {"2.1 port absent without a bind", REFUSED, "unix socket for bind",
	LISTENER("port: {protocol: HTTP}")},
    {"2.1 port 0 with an address", REFUSED, "unix socket for bind",
	LISTENER("port: {number: 0}, bind: 127.0.0.1")},
    {"2.1 port 0 with a unix socket", CLEAN, NULL,
	LISTENER("port: {number: 0}, bind: 'unix:///var/run/x.sock'")},
    {"2.1 an abstract unix socket", CLEAN, NULL,
	LISTENER("port: {protocol: HTTP}, bind: 'unix://@x'")},
    {"2.1 a unix socket without path", REFUSED, "is no unix socket",
	LISTENER("port: {number: 0}, bind: 'unix://'")},
    {"2.1 a unix socket of a folder", REFUSED, "is no unix socket",
	LISTENER("port: {number: 0}, bind: 'unix:///var/'")},
    {"2.1 the same unix socket twice", REFUSED, "stands twice",
	"egress: [{port: {number: 0}, bind: 'unix:///x', hosts: ['*/*']}, "
	"{port: {protocol: TCP}, bind: 'unix:///x', hosts: ['*/*']}]"},
    {"2.1 a port with a unix socket", REFUSED, "goes with port number 0",
	LISTENER("port: {number: 80}, bind: 'unix:///x'")},
    {"2.1 a port with an address", CLEAN, NULL,
	LISTENER("port: {number: 80}, bind: 127.0.0.1")},
    {"2.1 a bind that is no address", REFUSED, "is no IP address",
	LISTENER("port: {number: 80}, bind: localhost")},
    {"2.1 a unix socket with IPTABLES", REFUSED, "DEFAULT or NONE",
	LISTENER("port: {number: 0}, bind: 'unix:///x', captureMode: IPTABLES")},
    {"2.1 a unix socket with NONE", CLEAN, NULL,
	LISTENER("port: {number: 0}, bind: 'unix:///x', captureMode: NONE")},
    {"2.1 IPTABLES with a port", CLEAN, NULL,
	LISTENER("port: {number: 80}, captureMode: IPTABLES")},
    {"2.1 an unknown capture mode", REFUSED, "captureMode \"ALL\" is unknown",
	LISTENER("port: {number: 80}, captureMode: ALL")},
    {"2.1 targetPort", REFUSED, "no impact on egress",
	LISTENER("port: {number: 80, targetPort: 8080}")},
    {"2.1 targetPort 0", CLEAN, NULL, LISTENER("port: {number: 80, targetPort: 0}")},
    {"2.1 port above 65535", REFUSED, "number of a port",
	LISTENER("port: {number: 65536}")},
    {"2.1 port no mapping", REFUSED, "must be a mapping", LISTENER("port: 80")},
    {"2.1 unknown protocol", REFUSED, "protocol \"SCTP\" is unknown",
	LISTENER("port: {number: 80, protocol: SCTP}")},
    {"2.1 port name", REFUSED, "port name \"a_b\"",
	LISTENER("port: {number: 80, name: a_b}")},

    /* selector */
    {"2.1 selector", CLEAN, NULL, ALL ", workloadSelector: {labels: {a: b}}"},
    {"2.1 selector without labels", WARNED, "without labels",
	ALL ", workloadSelector: {}"},
    {"2.1 selector with empty labels", WARNED, "without labels",
	ALL ", workloadSelector: {labels: {}}"},
    {"2.1 selector null", CLEAN, NULL, ALL ", workloadSelector: null"},
    {"2.1 selector with * in a value", REFUSED, "value of a label",
	ALL ", workloadSelector: {labels: {a: 'b*'}}"},
    {"2.1 selector with * in a key", REFUSED, "key of a label",
	ALL ", workloadSelector: {labels: {'a*': b}}"},
    {"2.1 selector with an empty key", REFUSED, "key of a label",
	ALL ", workloadSelector: {labels: {'': b}}"},
    {"2.1 selector no mapping", REFUSED, "must be a mapping",
	ALL ", workloadSelector: [a]"},

    /* outboundTrafficPolicy */
    {"2.3 policy {}", CLEAN, NULL, POLICY("")},
    {"2.3 policy null", CLEAN, NULL, ALL ", outboundTrafficPolicy: null"},
    {"2.3 policy null alone", REFUSED, "empty Sidecar", "outboundTrafficPolicy: null"},
    {"2.3 mode null", CLEAN, NULL, POLICY("mode: null")},
    {"2.3 mode ALLOW_ANY", CLEAN, NULL, POLICY("mode: ALLOW_ANY")},
    {"2.3 mode REGISTRY_ONLY", CLEAN, NULL, POLICY("mode: REGISTRY_ONLY")},
    {"2.3 mode misspelt", REFUSED, "REGISTER_ONLY", POLICY("mode: REGISTER_ONLY")},
    {"2.3 mode in lower case", REFUSED, "is unknown", POLICY("mode: allow_any")},
    {"2.3 mode of the mesh only", REFUSED, "the mesh's only",
	POLICY("mode: ALLOW_ANY_DYNAMIC_DNS")},
    {"2.3 policy no mapping", REFUSED, "must be a mapping",
	"outboundTrafficPolicy: ALLOW_ANY"},
    {"2.1 egressProxy", WARNED, "egressProxy is not used here",
	PROXY("host: proxy.corp.example, port: {number: 3128}")},
    {"2.1 egressProxy with a subset", WARNED, "egressProxy is not used here",
	PROXY("host: proxy.corp.example, subset: v1, port: {number: 3128}")},
    {"2.1 egressProxy under REGISTRY_ONLY", REFUSED, "only with mode ALLOW_ANY",
	POLICY("egressProxy: {host: a.b, port: {number: 1}}")},
    {"2.1 egressProxy without port", REFUSED, "needs a port", PROXY("host: a.b")},
    {"2.1 egressProxy without number", REFUSED, "needs a port",
	PROXY("host: a.b, port: {}")},
    {"2.1 egressProxy without host", REFUSED, "needs a host", PROXY("port: {number: 1}")},
    {"2.1 egressProxy with a short host", REFUSED, "no host name with its domain",
	PROXY("host: proxy, port: {number: 1}")},
    {"2.1 egressProxy with port 0", REFUSED, "port of egressProxy",
	PROXY("host: a.b, port: {number: 0}")},

    /* ingress has no effect, and is checked */
    {"2.1 ingress null listener", REFUSED, "may not be null", "ingress: [null]"},
    {"2.1 ingress without port", REFUSED, "without port",
	INGRESS("defaultEndpoint: ':80'")},
    {"2.1 ingress port 0", REFUSED, "needs a number", INGRESS("port: {protocol: HTTP}")},
    {"2.1 ingress targetPort", REFUSED, "no impact on ingress",
	INGRESS("port: {number: 80, targetPort: 81}")},
    {"2.1 ingress bind", REFUSED, "is a unix socket",
	INGRESS("port: {number: 80}, bind: 'unix:///x'")},
    {"2.1 ingress port twice", REFUSED, "stands twice",
	"ingress: [{port: {number: 80}}, {port: {number: 80}}]"},
    {"2.1 ingress endpoint", CLEAN, NULL,
	INGRESS("port: {number: 80}, defaultEndpoint: '127.0.0.1:8080'")},
    {"2.1 ingress endpoint of IPv6", CLEAN, NULL,
	INGRESS("port: {number: 80}, defaultEndpoint: '[::1]:8080'")},
    {"2.1 ingress endpoint of a port", CLEAN, NULL,
	INGRESS("port: {number: 80}, defaultEndpoint: ':8080'")},
    {"2.1 ingress endpoint of a socket", CLEAN, NULL,
	INGRESS("port: {number: 80}, defaultEndpoint: 'unix:///x'")},
    {"2.1 ingress endpoint without port", REFUSED, "must be of the form",
	INGRESS("port: {number: 80}, defaultEndpoint: 127.0.0.1")},
    {"2.1 ingress endpoint of a name", REFUSED, "must be of the form",
	INGRESS("port: {number: 80}, defaultEndpoint: 'localhost:8080'")},
    {"2.1 ingress unknown field", WARNED, "\"hosts\"",
	INGRESS("port: {number: 80}, hosts: []")},
    {"2.1 ingress no list", REFUSED, "must be a list", "ingress: {}"},
    {"2.1 pool no mapping", REFUSED, "must be a mapping", "inboundConnectionPool: 5"},
};

#define HEAD                                                                             \
	"apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s, "        \
	"namespace: x"

static bool
is_whole(const char *spec)
{
	return strchr("{[n", spec[0]) != NULL;
}

/* No word about anything: notes may stand. */
static bool
silent(const struct built *b)
{
	return b->findings.errors == 0 && b->findings.warnings == 0;
}

static bool
as_expected(const struct built *b, const struct rule_case *c)
{
	switch (c->expect) {
	case REFUSED:
		return b->result == -EINVAL && built_says(b, FINDING_ERROR, c->words);
	case WARNED:
		return b->result == 0 && built_says(b, FINDING_WARNING, c->words);
	case CLEAN:
		return b->result == 0 && silent(b);
	}
	return false;
}

static void
rules(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct rule_case *c = &cases[i];
		bool whole = is_whole(c->spec);
		char text[1024];
		struct built b;
		bool good;

		(void)snprintf(text, sizeof(text), HEAD "}\nspec: %s%s%s\n",
		    whole ? "" : "{", c->spec, whole ? "" : "}");
		built_from(&b, text);
		good = as_expected(&b, c);
		if (!good)
			built_print(&b);
		failed += case_failed("", c->title, good);
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

/* A listener with n hosts. */
static int
with_hosts(size_t n, struct built *b)
{
	struct buf text;

	buf_init(&text, (size_t)1 << 20);
	buf_text(&text, HEAD "}\nspec: {egress: [{hosts: ['*/*.a.b'");
	for (size_t i = 1; i < n; i++)
		buf_printf(&text, ", 'n%zu/a.b'", i);
	buf_text(&text, "]}]}\n");
	assert_false(text.failed);
	built_open(b);
	built_add_bytes(b, "a.yaml", (const char *)text.bytes, text.len);
	buf_done(&text);
	return built_finish(b);
}

static void
number_of_hosts(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(with_hosts(EGRESS_HOSTS_MAX, &b), 0);
	built_close(&b);
	assert_int_equal(with_hosts(EGRESS_HOSTS_MAX + 1, &b), -EINVAL);
	assert_true(built_says(&b, FINDING_ERROR, "the limit is 4096"));
	built_close(&b);
}

static void
dry_run(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, HEAD ", annotations: {istio.io/dry-run: 'true'}}\n"
				"spec: {" ALL "}\n"),
	    -EINVAL);
	assert_true(built_says(&b, FINDING_ERROR, "dry-run"));
	built_close(&b);
}

/* Its place is that of the host, not of the list. */
static void
place(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b, HEAD "}\nspec:\n  egress:\n  - hosts:\n    - ./*\n"
				"    - prod/db\n"),
	    -EINVAL);
	assert_int_equal(b.findings.list[0].line, 8);
	assert_int_equal(b.findings.list[0].column, 7);
	built_close(&b);
}

static void
every_allocation_may_fail(void **state)
{
	static const char text[] =
	    HEAD "}\nspec: {workloadSelector: {labels: {a: b, c: d}}, egress: [{port: "
		 "{number: 80}, hosts: ['./*', '~x/*.a.com']}, {hosts: ['*/*', "
		 "'b/a.com']}], ingress: [{port: {number: 1}}]}\n";
	int r = -ENOMEM;
	struct built b;

	(void)state;
	for (size_t n = 0; r < 0; n++) {
		struct registry_builder *builder;

		built_open(&b);
		alloc_fail_at(n);
		builder = registry_builder_new(&b.settings, &b.findings);
		r = -ENOMEM;
		if (builder != NULL)
			r = registry_builder_add(builder, "a", text, strlen(text));
		if (r == 0)
			r = registry_builder_finish(builder, &b.registry);
		else
			registry_builder_free(builder);
		alloc_reset();
		if (r < 0)
			assert_int_equal(r, -ENOMEM);
		built_close(&b);
		assert_true(n < 1000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules),
	    cmocka_unit_test(number_of_hosts),
	    cmocka_unit_test(dry_run),
	    cmocka_unit_test(place),
	    cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
