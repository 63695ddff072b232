/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each rule for a ServiceEntry, by its number (policy/object/entry_rules.h), as a spec
 * that breaks it and the word that the finding must have, or as one that just does
 * not.
 */
#include <errno.h>

#include "tests/unit/built.h"
#include "tests/unit/entry_cases.h"

#define PORTS "ports: [{number: 443, name: https, protocol: HTTPS}]"
#define TCP "ports: [{number: 5432, name: pg, protocol: TCP}]"
#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define X10(text) text text text text text text text text text text

static const struct entry_case cases[] = {
    {"1.1 plain entry", CLEAN, NULL, "",
	"hosts: [a.com], " PORTS ", resolution: DNS, location: MESH_EXTERNAL"},
    {"E1 annotation dry-run", REFUSED, "dry-run",
	"annotations: {istio.io/dry-run: 'true'}",
	"hosts: [a.com], " PORTS ", resolution: DNS"},
    {"1.6 annotations without a value", CLEAN, NULL, "annotations: null",
	"hosts: [a.com], " PORTS ", resolution: DNS"},
    {"E2 selector label with empty key", REFUSED, "key of a label", "",
	"hosts: [a.com], " PORTS
	", resolution: STATIC, workloadSelector: {labels: {'': x}}"},
    {"E2 selector label with * in its value", REFUSED, "value of a label", "",
	"hosts: [a.com], " PORTS
	", resolution: STATIC, workloadSelector: {labels: {app: 'a*'}}"},
    {"W1 selector without labels", WARNED, "without labels", "",
	"hosts: [a.com], " PORTS ", resolution: STATIC, workloadSelector: {}"},
    {"E3 selector and endpoints", REFUSED, "exclude each other", "",
	"hosts: [a.com], " PORTS ", resolution: STATIC, workloadSelector: {labels: {a: "
	"b}}, endpoints: [{address: 1.2.3.4}]"},
    {"E3 selector and empty endpoints, as the schema has it", REFUSED,
	"exclude each other", "",
	"hosts: [a.com], " PORTS
	", resolution: STATIC, workloadSelector: {labels: {a: b}}, endpoints: []"},
    {"E4 hosts missing", REFUSED, "hosts is missing", "", PORTS},
    {"E4 hosts null", REFUSED, "hosts is missing", "", "hosts: null, " PORTS},
    {"E4 hosts empty", REFUSED, "hosts is empty", "", "hosts: [], " PORTS},
    {"E4 hosts no list", REFUSED, "hosts must be a list", "", "hosts: a.com, " PORTS},
    {"E5 host *", REFUSED, "every name", "", "hosts: ['*'], " PORTS},
    {"E6 label of 63 bytes", CLEAN, NULL, "",
	"hosts: [" L63 ".com], " PORTS ", resolution: DNS"},
    {"E6 label of 64 bytes", REFUSED, "no host name", "",
	"hosts: [" L63 "a.com], " PORTS ", resolution: DNS"},
    {"E6 name of 253 bytes", CLEAN, NULL, "",
	"hosts: [" L63 "." L63 "." L63 "." X10("aaaaaa") "a], " PORTS
							 ", resolution: DNS"},
    {"E6 name of 254 bytes", REFUSED, "no host name", "",
	"hosts: [" L63 "." L63 "." L63 "." X10("aaaaaa") "aa], " PORTS},
    {"E6 empty host", REFUSED, "no host name", "", "hosts: [''], " PORTS},
    {"E6 null host", REFUSED, "empty host", "", "hosts: [null], " PORTS},
    {"E6 underscore", REFUSED, "no host name", "", "hosts: [a_b.com], " PORTS},
    {"E6 leading hyphen", REFUSED, "no host name", "", "hosts: ['-a.com'], " PORTS},
    {"E6 trailing hyphen", REFUSED, "no host name", "", "hosts: [a-.com], " PORTS},
    {"E6 inner hyphen", CLEAN, NULL, "", "hosts: [a-b.com], resolution: DNS, " PORTS},
    {"E6 empty label", REFUSED, "no host name", "", "hosts: [a..com], " PORTS},
    {"E6 leading dot", REFUSED, "no host name", "", "hosts: [.a.com], " PORTS},
    {"E6 one trailing dot", CLEAN, NULL, "", "hosts: [a.com.], resolution: DNS, " PORTS},
    {"E6 two trailing dots", REFUSED, "no host name", "", "hosts: [a.com..], " PORTS},
    {"E6 only a dot", REFUSED, "no host name", "", "hosts: ['.'], " PORTS},
    {"E6 an IPv4 address", REFUSED, "go into addresses", "", "hosts: [10.0.0.1], " PORTS},
    {"E6 an IPv6 address", REFUSED, "no host name", "", "hosts: ['2001:db8::1'], " PORTS},
    {"E6 last label all digits", REFUSED, "no host name", "", "hosts: [a.1], " PORTS},
    {"E6 one label all digits, quoted", CLEAN, NULL, "",
	"hosts: ['12345'], resolution: DNS, " PORTS},
    {"E6 one label all digits, plain, is a number", REFUSED, "put it in quotes", "",
	"hosts: [12345], " PORTS},
    {"1.6 host that YAML reads as false", REFUSED, "put it in quotes", "",
	"hosts: [no], " PORTS},
    {"E6 wildcard inside", REFUSED, "no host name", "", "hosts: ['a.*.com'], " PORTS},
    {"E6 wildcard twice", REFUSED, "no host name", "", "hosts: ['*.*.com'], " PORTS},
    {"E6 wildcard with a label all digits", REFUSED, "no host name", "",
	"hosts: ['*.1'], " PORTS},
    {"E6 wildcard", CLEAN, NULL, "", "hosts: ['*.a.com'], " PORTS},
    {"E6 upper case", CLEAN, NULL, "", "hosts: [WWW.A.com], resolution: DNS, " PORTS},
    {"E6 a backslash", REFUSED, "no host name", "", "hosts: ['a\\.com'], " PORTS},
    {"E6 a slash", REFUSED, "no host name", "", "hosts: [a/b.com], " PORTS},
    {"E6 bytes above ASCII", REFUSED, "no host name", "",
	"hosts: [\xc3\xa4.com], " PORTS},
    {"W2 partial wildcard *foo.com", WARNED, "partial wildcard", "",
	"hosts: ['*foo.com'], " PORTS},
    {"W2 partial wildcard *-foo.com", WARNED, "partial wildcard", "",
	"hosts: ['*-foo.com'], " PORTS},
    {"E7 address with leading zero", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [192.168.0.01], " PORTS},
    {"E7 a host name", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [b.com], " PORTS},
    {"E7 prefix 33", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [1.2.3.0/33], " PORTS},
    {"E7 prefix 129", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: ['2001:db8::/129'], " PORTS},
    {"E7 prefix with leading zero", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [1.2.3.0/08], " PORTS},
    {"E7 two slashes", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [1.2.3.0/8/8], " PORTS},
    {"E7 host bits set", CLEAN, NULL, "",
	"hosts: [a.com], addresses: [1.2.3.4/8, '2001:db8::1/32'], " PORTS},
    {"E7 zone identifier, which fits into no set", REFUSED, "no zone", "",
	"hosts: [a.com], addresses: ['fe80::1%eth0'], " PORTS},
    {"E7 null", REFUSED, "empty address", "",
	"hosts: [a.com], addresses: [null], " PORTS},
    {"E7 unix socket", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: ['unix:///a'], " PORTS},
    {"E8 CIDR with DNS", REFUSED, "is a CIDR", "",
	"hosts: [a.com], addresses: [1.2.3.0/24], resolution: DNS, " PORTS},
    {"E8 CIDR with STATIC", ACCEPTED, NULL, "",
	"hosts: [a.com], addresses: [1.2.3.0/24], resolution: STATIC, " PORTS},
    {"E7 a range over the metadata address", WARNED, "metadata", "",
	"hosts: [a.com], addresses: [0.0.0.0/0], " PORTS},
    {"E7 the metadata address itself", CLEAN, NULL, "",
	"hosts: [a.com], addresses: [169.254.169.254], " PORTS},
    {"E9 null port", REFUSED, "empty port", "", "hosts: [a.com], ports: [null]"},
    {"E10 port name twice", REFUSED, "port name \"a\" stands twice", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS}, {number: 2, name: "
	"a, protocol: TLS}]"},
    {"E11 port number twice", REFUSED, "port number \"1\" stands twice", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS}, {number: 1, name: "
	"b, protocol: UDP}]"},
    {"E11 quoted and plain are one number", REFUSED, "stands twice", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS}, {number: '1', "
	"name: "
	"b, protocol: TLS}]"},
    {"E12 targetPort 65536", REFUSED, "targetPort", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS, targetPort: "
	"65536}]"},
    {"E12 targetPort 0, as the schema has it", REFUSED, "targetPort", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS, targetPort: 0}]"},
    {"E12 targetPort of its own", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS, targetPort: 2}]"},
    {"E12 targetPort equal", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS, targetPort: 1}]"},
    {"E13 name missing", REFUSED, "without name", "",
	"hosts: [a.com], ports: [{number: 1, protocol: TLS}]"},
    {"E13 name empty", REFUSED, "port name", "",
	"hosts: [a.com], ports: [{number: 1, name: '', protocol: TLS}]"},
    {"E13 name with a dot", REFUSED, "port name", "",
	"hosts: [a.com], ports: [{number: 1, name: a.b, protocol: TLS}]"},
    {"E13 name in upper case", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: A, protocol: TLS}]"},
    {"E13 name of 64 bytes", REFUSED, "port name", "",
	"hosts: [a.com], ports: [{number: 1, name: " L63 "a, protocol: TLS}]"},
    {"E14 unknown protocol", REFUSED, "protocol \"QUIC\" is unknown", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: QUIC}]"},
    {"E14 protocol in mixed case", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: Http}, {number: 2, name: "
	"b, protocol: grpc-WEB}, {number: 3, name: c, protocol: MySQL}]"},
    {"E15 number 0", REFUSED, "number of a port", "",
	"hosts: [a.com], ports: [{number: 0, name: a, protocol: TLS}]"},
    {"E15 number 65535", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 65535, name: a, protocol: TLS}]"},
    {"E15 number 65536", REFUSED, "number of a port", "",
	"hosts: [a.com], ports: [{number: 65536, name: a, protocol: TLS}]"},
    {"E15 number -1", REFUSED, "number of a port", "",
	"hosts: [a.com], ports: [{number: -1, name: a, protocol: TLS}]"},
    {"E15 number in octal", REFUSED, "number of a port", "",
	"hosts: [a.com], ports: [{number: 0443, name: a, protocol: TLS}]"},
    {"E15 number with an exponent", REFUSED, "number of a port", "",
	"hosts: [a.com], ports: [{number: 1e3, name: a, protocol: TLS}]"},
    {"E15 number missing", REFUSED, "without number", "",
	"hosts: [a.com], ports: [{name: a, protocol: TLS}]"},
    {"1.6 number in quotes", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: '443', name: a, protocol: TLS}]"},
    {"W3 TCP without addresses", WARNED, "lists no addresses", "",
	"hosts: [a.com], " TCP},
    {"W3 no protocol, no addresses", WARNED, "lists no addresses", "",
	"hosts: [a.com], ports: [{number: 1, name: a}]"},
    {"W3 not with addresses", CLEAN, NULL, "",
	"hosts: [a.com], addresses: [1.2.3.4], " TCP},
    {"W3 not where Istio allocates one", CLEAN, NULL, "",
	"hosts: [a.com], resolution: DNS, " TCP},
    {"W3 where the label says no to that", WARNED, "lists no addresses",
	"labels: {networking.istio.io/enable-autoallocate-ip: 'false'}",
	"hosts: [a.com], resolution: DNS, " TCP},
    {"W3 in lower case it is not looked at", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: tcp}]"},
    {"E16 NONE with endpoints", REFUSED, "has no endpoints", "",
	"hosts: [a.com], endpoints: [{address: 1.2.3.4}], " PORTS},
    {"E16 NONE with empty endpoints, as the schema has it", REFUSED, "has no endpoints",
	"", "hosts: [a.com], endpoints: [], " PORTS},
    {"W4 NONE with a selector", WARNED, "with resolution NONE", "",
	"hosts: [a.com], workloadSelector: {labels: {a: b}}, " PORTS},
    {"E17 null endpoint", REFUSED, "empty endpoint", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [null], " PORTS},
    {"E18 endpoint without address", REFUSED, "without address", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{}], " PORTS},
    {"W5 endpoint with a network only", WARNED, "nothing here reaches it", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{network: n1}], " PORTS},
    {"E19 unix path not absolute", REFUSED, "is no socket", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 'unix://a'}], " PORTS},
    {"E19 unix path ends in a slash", REFUSED, "is no socket", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: "
	"'unix:///a/'}], " PORTS},
    {"E20 unix endpoint with ports", REFUSED, "cannot have ports", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 'unix:///a', ports: "
	"{https: 1}}], " PORTS},
    {"E21 STATIC with a name", REFUSED, "which resolution STATIC needs", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: b.com}], " PORTS},
    {"E22 endpoint port not the entry's", REFUSED, "none of the entry's ports", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 1.2.3.4, ports: {x: "
	"1}}], " PORTS},
    {"E23 endpoint port out of range", REFUSED, "endpoint's port", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 1.2.3.4, ports: "
	"{https: "
	"0}}], " PORTS},
    {"E23 endpoint port null", REFUSED, "has no number", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 1.2.3.4, ports: "
	"{https: "
	"null}}], " PORTS},
    {"E23 endpoint port of its own", CLEAN, NULL, "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 1.2.3.4, ports: "
	"{https: "
	"8443}}], " PORTS},
    {"E23 that of a name", CLEAN, NULL, "",
	"hosts: [a.com], resolution: DNS, endpoints: [{address: b.com, ports: {https: "
	"8443}}], " PORTS},
    {"addresses before an endpoint that is a name", ACCEPTED, "", "",
	"hosts: [a.com], resolution: DNS, addresses: [192.0.2.1], endpoints: [{address: "
	"b.com}], " PORTS},
    {"E24 bad label key", REFUSED, "key of a label", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 1.2.3.4, labels: {'a "
	"b': "
	"x}}], " PORTS},
    {"E24 bad label value", REFUSED, "value of a label", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 1.2.3.4, labels: {a: "
	"'x y'}}], " PORTS},
    {"E25 unix endpoint and two ports", REFUSED, "exactly one port", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 'unix:///a'}], ports: "
	"[{number: 1, name: a, protocol: TLS}, {number: 2, name: b, protocol: TLS}]"},
    {"E19 unix endpoint, well formed, is refused too", REFUSED, "unix socket", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: "
	"'unix://@a'}], " PORTS},
    {"E18 STATIC without endpoints", CLEAN, NULL, "",
	"hosts: [a.com], resolution: STATIC, " PORTS},
    {"E26 wildcard with DNS", REFUSED, "is a wildcard", "",
	"hosts: ['*.a.com'], resolution: DNS, " PORTS},
    {"E26 wildcard with DNS and endpoints", CLEAN, NULL, "",
	"hosts: ['*.a.com'], resolution: DNS, endpoints: [{address: b.com}], " PORTS},
    {"E26 wildcard with DNS_ROUND_ROBIN", REFUSED, "is a wildcard", "",
	"hosts: ['*.a.com'], resolution: DNS_ROUND_ROBIN, " PORTS},
    {"E27 DNS_ROUND_ROBIN with two endpoints", REFUSED, "takes one endpoint", "",
	"hosts: [a.com], resolution: DNS_ROUND_ROBIN, endpoints: [{address: b.com}, "
	"{address: c.com}], " PORTS},
    {"E28 null endpoint with DNS", REFUSED, "empty endpoint", "",
	"hosts: [a.com], resolution: DNS, endpoints: [null], " PORTS},
    {"E29 wildcard endpoint", REFUSED, "neither an IP address nor", "",
	"hosts: [a.com], resolution: DNS, endpoints: [{address: '*.b.com'}], " PORTS},
    {"E29 empty endpoint address", REFUSED, "without address", "",
	"hosts: [a.com], resolution: DNS, endpoints: [{address: ''}], " PORTS},
    {"E29 a network does not help", REFUSED, "without address", "",
	"hosts: [a.com], resolution: DNS, endpoints: [{network: n}], " PORTS},
    {"E30 as E22, with DNS", REFUSED, "none of the entry's ports", "",
	"hosts: [a.com], resolution: DNS, endpoints: [{address: b.com, ports: {x: "
	"1}}], " PORTS},
    {"W6 hosts share addresses on TLS", WARNED, "several hosts share", "",
	"hosts: [a.com, b.com], resolution: DNS, addresses: [1.2.3.4], " PORTS},
    {"E31 DYNAMIC_DNS without wildcard", REFUSED, "is no wildcard", "",
	"hosts: [a.com], resolution: DYNAMIC_DNS, ports: [{number: 443, name: a, "
	"protocol: "
	"TLS}]"},
    {"E31 DYNAMIC_DNS", CLEAN, NULL, "",
	"hosts: ['*.a.com'], resolution: DYNAMIC_DNS, ports: [{number: 443, name: a, "
	"protocol: TLS}]"},
    {"E32 DYNAMIC_DNS with addresses", REFUSED, "has no addresses", "",
	"hosts: ['*.a.com'], resolution: DYNAMIC_DNS, addresses: [1.2.3.4], ports: "
	"[{number: 443, name: a, protocol: TLS}]"},
    {"E33 DYNAMIC_DNS with endpoints", REFUSED, "has no endpoints", "",
	"hosts: ['*.a.com'], resolution: DYNAMIC_DNS, endpoints: [{address: b.com}], "
	"ports: "
	"[{number: 443, name: a, protocol: TLS}]"},
    {"E34 DYNAMIC_DNS with HTTPS", REFUSED, "takes HTTP", "",
	"hosts: ['*.a.com'], resolution: DYNAMIC_DNS, " PORTS},
    {"E34 DYNAMIC_DNS without protocol", REFUSED, "takes HTTP", "",
	"hosts: ['*.a.com'], resolution: DYNAMIC_DNS, ports: [{number: 443, name: a}]"},
    {"E35 unknown location", REFUSED, "location \"INSIDE\" is unknown", "",
	"hosts: [a.com], location: INSIDE, " PORTS},
    {"E36 DYNAMIC_DNS inside with a waypoint", REFUSED, "use-waypoint",
	"labels: {istio.io/use-waypoint: w}",
	"hosts: ['*.a.com'], resolution: DYNAMIC_DNS, location: MESH_INTERNAL, ports: "
	"[{number: 443, name: a, protocol: TLS}]"},
    {"E36 the waypoint none", CLEAN, NULL, "labels: {istio.io/use-waypoint: none}",
	"hosts: ['*.a.com'], resolution: DYNAMIC_DNS, location: MESH_INTERNAL, ports: "
	"[{number: 443, name: a, protocol: TLS}]"},
    {"E37 unknown resolution", REFUSED, "resolution \"dns\" is unknown", "",
	"hosts: [a.com], resolution: dns, " PORTS},
    {"E37 resolution as a number", REFUSED, "put it in quotes", "",
	"hosts: [a.com], resolution: 2, " PORTS},
    {"E38 two hosts on a TCP port", REFUSED, "several hosts", "",
	"hosts: [a.com, b.com], resolution: DNS, " TCP},
    {"E38 two hosts without protocol", REFUSED, "several hosts", "",
	"hosts: [a.com, b.com], resolution: DNS, ports: [{number: 1, name: a}]"},
    {"E38 two hosts on TLS", CLEAN, NULL, "",
	"hosts: [a.com, b.com], resolution: DNS, " PORTS},
    {"E38 not with NONE", ACCEPTED, NULL, "", "hosts: [a.com, b.com], " TCP},
    {"E39 exportTo twice", REFUSED, "stands twice", "",
	"hosts: [a.com], exportTo: [x, x], " PORTS},
    {"E39 . is the entry's own namespace", REFUSED, "stands twice", "",
	"hosts: [a.com], exportTo: [., default], " PORTS},
    {"E40 exportTo with a bad name", REFUSED, "is no namespace", "",
	"hosts: [a.com], exportTo: [a_b], " PORTS},
    {"E40 exportTo null", REFUSED, "empty element", "",
	"hosts: [a.com], exportTo: [null], " PORTS},
    {"E41 * beside others", REFUSED, "\"*\" cannot stand beside", "",
	"hosts: [a.com], exportTo: ['*', a], " PORTS},
    {"E42 ~ beside others", REFUSED, "\"~\" cannot stand beside", "",
	"hosts: [a.com], exportTo: ['~', a], " PORTS},
    {"E41 exportTo * alone", CLEAN, NULL, "", "hosts: [a.com], exportTo: ['*'], " PORTS},
    {"3.1 exportTo empty", CLEAN, NULL, "", "hosts: [a.com], exportTo: [], " PORTS},
    {"1.2 unknown field of spec", WARNED, "unknown field \"port\" in spec", "",
	"hosts: [a.com], port: 443, " PORTS},
    {"1.6 resolution slipped under a port is shouted", WARNED,
	"resolution STANDS UNDER A PORT", "",
	"hosts: [a.com], ports: [{number: 443, name: a, protocol: TLS, resolution: "
	"DNS}]"},
    {"1.6 addresses as a flow list with :: at its end", REFUSED, "colon in quotes", "",
	"hosts: [a.com], addresses: [1.2.3.4, 001:db8::], " PORTS},
    {"1.1 no ports: accepted, opens nothing", ACCEPTED, NULL, "", "hosts: [a.com]"},
    {"1.3 no spec", REFUSED, "spec is missing", "", NULL},
    {"1.1 subjectAltNames is known", CLEAN, NULL, "",
	"hosts: [a.com], subjectAltNames: [x], " PORTS},
};

static void
rules(void **state)
{
	(void)state;
	entry_cases_run(cases, ARRAY_LEN(cases));
}

static void
place_and_remedy(void **state)
{
	struct built b;
	char *line;

	(void)state;
	assert_int_equal(built_from(&b, "apiVersion: networking.istio.io/v1\n"
					"kind: ServiceEntry\n"
					"metadata:\n"
					"  name: e\n"
					"spec:\n"
					"  hosts:\n"
					"  - a.com\n"
					"  - \"b\\nc\"\n"
					"  resolution: DNSS\n"),
	    -EINVAL);
	assert_int_equal(b.findings.errors, 2);
	line = finding_format(&b.findings.list[0]);
	assert_string_equal(line,
	    "a.yaml:9:15: error: resolution \"DNSS\" is unknown: one of NONE, STATIC, "
	    "DNS, DNS_ROUND_ROBIN, DYNAMIC_DNS");
	free(line);
	line = finding_format(&b.findings.list[1]);
	assert_memory_equal(line, "a.yaml:8:5: error: host \"b\\x0ac\" is no", 37);
	free(line);
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules),
	    cmocka_unit_test(place_and_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
