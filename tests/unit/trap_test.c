/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests that look right and are not, or look wrong and are right: YAML's traps, and
 * how people fall into them. Each is read as the cluster reads it, or refused, or shouted
 * about; none means something else here in silence.
 */
#include <errno.h>

#include "tests/unit/built.h"

#define TEXT_MAX 4096
#define HEAD                                                                             \
	"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"                       \
	"metadata:\n  name: trap\n"
#define PORTS "  ports:\n  - number: 443\n    name: tls\n    protocol: TLS\n"

enum end {
	GOOD,    /* in silence */
	WARNED,  /* accepted, with these words */
	REFUSED, /* with these words */
};

static const struct {
	const char *title;
	const char *text;
	enum end end;
	const char *words;
} cases[] = {
    /* reference istio.md 1.6 */
    {"a flow sequence with an address that ends in colons",
	HEAD "spec:\n  hosts: [a.test]\n  addresses: [1.2.3.4, 001:db8::]\n" PORTS,
	REFUSED, "put a text with a colon in quotes"},
    {"the same in quotes",
	HEAD "spec:\n  hosts: [a.test]\n  addresses: [1.2.3.4, '2001:db8::']\n" PORTS,
	GOOD, NULL},
    {"the same in a block, without quotes",
	HEAD "spec:\n  hosts: [a.test]\n  addresses:\n  - 2001:db8::\n" PORTS, REFUSED,
	"address must be a text: put it in quotes"},
    {"the same in a block, as kubectl prints it",
	HEAD "spec:\n  hosts: [a.test]\n  addresses:\n  - '2001:db8::'\n" PORTS, GOOD,
	NULL},
    {"a dot without quotes", HEAD "spec:\n  hosts: [a.test]\n  exportTo:\n  - .\n" PORTS,
	GOOD, NULL},
    {"a dot in quotes", HEAD "spec:\n  hosts: [a.test]\n  exportTo:\n  - \".\"\n" PORTS,
	GOOD, NULL},
    {"a star in quotes", HEAD "spec:\n  hosts: [a.test]\n  exportTo:\n  - '*'\n" PORTS,
	GOOD, NULL},
    {"a star without quotes", HEAD "spec:\n  hosts: [a.test]\n  exportTo:\n  - *\n" PORTS,
	REFUSED, "in quotes"},
    {"a wildcard in quotes", HEAD "spec:\n  hosts:\n  - \"*.a.test\"\n" PORTS, GOOD,
	NULL},
    {"a wildcard without quotes", HEAD "spec:\n  hosts:\n  - *.a.test\n" PORTS, REFUSED,
	"in quotes"},
    {"a wildcard without quotes in a flow sequence",
	HEAD "spec:\n  hosts: [*.a.test]\n" PORTS, REFUSED, "in quotes"},
    {"a comment behind an element", HEAD "spec:\n  hosts:\n  - a.test # not used\n" PORTS,
	GOOD, NULL},
    {"annotations without a value",
	HEAD "  annotations:\nspec:\n  hosts: [a.test]\n" PORTS, GOOD, NULL},
    {"labels without a value", HEAD "  labels:\nspec:\n  hosts: [a.test]\n" PORTS, GOOD,
	NULL},
    {"resolution slipped under a port",
	HEAD "spec:\n  hosts: [a.test]\n" PORTS "    resolution: DNS\n", WARNED,
	"resolution STANDS UNDER A PORT AND IS IGNORED: it belongs one level up"},
    {"location slipped into the metadata's place",
	HEAD "spec:\n  hosts: [a.test]\n" PORTS "location: MESH_EXTERNAL\n", WARNED,
	"unknown field \"location\" in the object is ignored"},
    {"exportTo misspelt, which would hide nothing",
	HEAD "spec:\n  hosts: [a.test]\n  exportto: [.]\n" PORTS, WARNED,
	"unknown field \"exportto\" in spec is ignored"},
    {"protocol in small letters",
	HEAD "spec:\n  hosts: [a.test]\n  ports:\n  - {number: 80, name: a, protocol: "
	     "http}\n",
	GOOD, NULL},
    {"protocol in any letters",
	HEAD "spec:\n  hosts: [a.test]\n  ports:\n  - {number: 80, name: a, protocol: "
	     "Http}\n",
	GOOD, NULL},
    {"a port's number in quotes",
	HEAD "spec:\n  hosts: [a.test]\n  ports:\n  - {number: '80', name: a, protocol: "
	     "HTTP}\n",
	GOOD, NULL},
    {"addresses that Istio wrote into the status",
	HEAD "spec:\n  hosts: [a.test]\n" PORTS
	     "status:\n  addresses:\n  - {value: 240.240.0.1, host: a.test}\n",
	GOOD, NULL},
    /* reference reliability.md A23 */
    {"a port in octal",
	HEAD "spec:\n  hosts: [a.test]\n  ports:\n  - {number: 0443, name: a}\n", REFUSED,
	"decimal number"},
    {"a port with an exponent",
	HEAD "spec:\n  hosts: [a.test]\n  ports:\n  - {number: 1e3, name: a}\n", REFUSED,
	"decimal number"},
    {"a port in sixties, as YAML 1.1 has it",
	HEAD "spec:\n  hosts: [a.test]\n  ports:\n  - {number: 7:23, name: a}\n", REFUSED,
	"decimal number"},
    {"a port with underscores",
	HEAD "spec:\n  hosts: [a.test]\n  ports:\n  - {number: 4_43, name: a}\n", REFUSED,
	"decimal number"},
    {"Norway as a host", HEAD "spec:\n  hosts: [no]\n" PORTS, REFUSED,
	"is no text in YAML"},
    {"Norway as a namespace", HEAD "  namespace: no\nspec:\n  hosts: [a.test]\n" PORTS,
	REFUSED, "is no text in YAML"},
    {"a namespace that is a number",
	HEAD "  namespace: 1e3\nspec:\n  hosts: [a.test]\n" PORTS, REFUSED,
	"is no text in YAML"},
    {"on as a port's name",
	HEAD "spec:\n  hosts: [a.test]\n  ports:\n  - {number: 80, name: on}\n", REFUSED,
	"is no text in YAML"},
    {"a host with a trailing dot", HEAD "spec:\n  hosts: [a.test.]\n" PORTS, GOOD, NULL},
    {"a host with two trailing dots", HEAD "spec:\n  hosts: [a.test..]\n" PORTS, REFUSED,
	"host"},
    {"a host with letters above ASCII",
	HEAD "spec:\n  hosts: [b\xc3\xbc"
	     "cher.test]\n" PORTS,
	REFUSED, "host"},
    {"the same as it goes over the wire",
	HEAD "spec:\n  hosts: [xn--bcher-kva.test]\n" PORTS, GOOD, NULL},
    {"an address as a host", HEAD "spec:\n  hosts: [10.0.0.1]\n" PORTS, REFUSED, "host"},
    {"an address with a leading zero",
	HEAD "spec:\n  hosts: [a.test]\n  addresses: [192.168.0.01]\n" PORTS, REFUSED,
	"address"},
    {"a byte order mark", "\xef\xbb\xbf" HEAD "spec:\n  hosts: [a.test]\n" PORTS, GOOD,
	NULL},
    {"lines that end as in DOS",
	"apiVersion: networking.istio.io/v1\r\nkind: ServiceEntry\r\nmetadata: {name: "
	"trap}\r\nspec:\r\n  hosts: [a.test]\r\n",
	GOOD, NULL},
    {"a key that stands twice",
	HEAD "spec:\n  hosts: [a.test]\n  hosts: [b.test]\n" PORTS, REFUSED,
	"stands twice"},
    {"an anchor", HEAD "spec:\n  hosts: &h [a.test]\n" PORTS, REFUSED, "anchors"},
    {"a merge key", HEAD "spec:\n  <<: {hosts: [a.test]}\n" PORTS, REFUSED, "merge keys"},
    {"a tag", HEAD "spec:\n  hosts: [!!str a.test]\n" PORTS, REFUSED, "tags"},
    {"a tab", HEAD "spec:\n\thosts: [a.test]\n" PORTS, REFUSED, "YAML"},
    {"a NUL in an escape", HEAD "spec:\n  hosts: [\"a.te\\0st\"]\n" PORTS, REFUSED,
	"NUL"},
    {"bytes that are not UTF-8", HEAD "spec:\n  hosts: [a.test] # caf\xe9\n" PORTS,
	REFUSED, "UTF-8"},
};

static bool
ended_as(const struct built *b, enum end end, const char *words)
{
	switch (end) {
	case GOOD:
		return b->result == 0 && b->findings.errors == 0 &&
		       b->findings.warnings == 0 &&
		       registry_counts(b->registry).entries == 1;
	case WARNED:
		return b->result == 0 && b->findings.errors == 0 &&
		       built_says(b, FINDING_WARNING, words) &&
		       registry_counts(b->registry).entries == 1;
	case REFUSED:
		return b->result == -EINVAL && built_says(b, FINDING_ERROR, words);
	}
	return false;
}

static void
each_trap_is_told_or_harmless(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct built b;

		(void)built_from(&b, cases[i].text); /* looked at by ended_as */
		if (!ended_as(&b, cases[i].end, cases[i].words)) {
			print_error("%s: result %d\n", cases[i].title, b.result);
			built_print(&b);
			failed++;
		}
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

/* What it says of itself, kubectl's "-A -o yaml": each element keeps its namespace. */
static void
a_list_mixes_namespaces(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(
	    built_from(&b,
		"apiVersion: v1\nkind: List\nmetadata: {resourceVersion: \"\"}\nitems:\n"
		"- apiVersion: networking.istio.io/v1\n  kind: ServiceEntry\n"
		"  metadata: {name: e, namespace: one}\n"
		"  spec: {hosts: [one.test], exportTo: [.]}\n"
		"  status: {addresses: [{value: 240.240.0.1, host: one.test}]}\n"
		"- apiVersion: networking.istio.io/v1\n  kind: ServiceEntry\n"
		"  metadata: {name: e, namespace: two}\n"
		"  spec: {hosts: [two.test], exportTo: [.]}\n"
		"- apiVersion: v1\n  kind: Pod\n"
		"  metadata: {name: p, namespace: two}\n"
		"  status: {podIP: 10.244.0.1}\n"),
	    0);
	assert_int_equal(b.findings.errors + b.findings.warnings, 0);
	assert_int_equal(built_judge(&b, "10.244.0.1", "two.test").kind, VERDICT_HOST);
	assert_int_equal(built_judge(&b, "10.244.0.1", "one.test").kind, VERDICT_REFUSED);
	built_close(&b);
}

/* A trailing dot and the case of letters do not make another host. */
static void
a_trailing_dot_means_the_same_host(void **state)
{
	struct built b;

	(void)state;
	assert_int_equal(built_from(&b, HEAD "spec:\n  hosts: [A.Test.]\n" PORTS), 0);
	assert_int_equal(built_judge(&b, NULL, "a.test").kind, VERDICT_HOST);
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_trap_is_told_or_harmless),
	    cmocka_unit_test(a_list_mixes_namespaces),
	    cmocka_unit_test(a_trailing_dot_means_the_same_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
