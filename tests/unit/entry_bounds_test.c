/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of each rule for a ServiceEntry: what is just inside where
 * service_entry_test.c has what is just outside, and the reverse.
 */
#include "base/buf.h"
#include "tests/unit/built.h"
#include "tests/unit/entry_cases.h"

#define PORTS "ports: [{number: 443, name: https, protocol: HTTPS}]"
#define TCP "ports: [{number: 5432, name: pg, protocol: TCP}]"
#define TLS "ports: [{number: 443, name: a, protocol: TLS}]"
#define STATIC "hosts: [a.com], resolution: STATIC, " PORTS ", "
#define DNS "hosts: [a.com], resolution: DNS, " PORTS ", "
#define ROBIN "hosts: [a.com], resolution: DNS_ROUND_ROBIN, " PORTS ", "
#define DYNAMIC "hosts: ['*.a.com'], resolution: DYNAMIC_DNS, "
#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L62 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define X253 L63 "." L63 "." L63 "." L62

static const struct entry_case cases[] = {
    {"E1 another annotation", CLEAN, NULL, "annotations: {istio.io/other: 'true'}",
	DNS "location: MESH_EXTERNAL"},
    {"E1 dry-run, whatever its value", REFUSED, "dry-run",
	"annotations: {istio.io/dry-run: 'false'}", DNS "location: MESH_EXTERNAL"},
    {"E2 plain selector", QUIET, "label", "",
	STATIC "workloadSelector: {labels: {app: x}}"},
    {"E2 key with *", REFUSED, "key of a label", "",
	STATIC "workloadSelector: {labels: {'a*': x}}"},
    {"E2 value is *", REFUSED, "value of a label", "",
	STATIC "workloadSelector: {labels: {app: '*'}}"},
    {"E2 empty value", ACCEPTED, NULL, "",
	STATIC "workloadSelector: {labels: {app: ''}}"},
    {"1.3 selector value of 63 bytes", ACCEPTED, NULL, "",
	STATIC "workloadSelector: {labels: {app: " L63 "}}"},
    {"1.3 selector value of 64 bytes", REFUSED, "value of a label", "",
	STATIC "workloadSelector: {labels: {app: " L63 "a}}"},
    {"W1 selector with empty labels", WARNED, "without labels", "",
	STATIC "workloadSelector: {labels: {}}"},
    {"W1 selector with null labels", WARNED, "without labels", "",
	STATIC "workloadSelector: {labels: null}"},
    {"W1 selector with labels", QUIET, "without labels", "",
	STATIC "workloadSelector: {labels: {a: b}}"},
    {"E3 a selector alone", ACCEPTED, NULL, "",
	STATIC "workloadSelector: {labels: {a: b}}"},
    {"E3 endpoints alone", CLEAN, NULL, "", STATIC "endpoints: [{address: 1.2.3.4}]"},
    {"E3 an empty selector and endpoints, as the schema has it", REFUSED,
	"exclude each other", "",
	STATIC "workloadSelector: {}, endpoints: [{address: 1.2.3.4}]"},
    {"E3 a null selector and endpoints", CLEAN, NULL, "",
	STATIC "workloadSelector: null, endpoints: [{address: 1.2.3.4}]"},
    {"E4 one host", CLEAN, NULL, "", DNS "location: MESH_EXTERNAL"},
    {"E5 the widest wildcard below it", CLEAN, NULL, "", "hosts: ['*.com'], " PORTS},
    {"E5 * beside others", REFUSED, "every name", "", "hosts: [a.com, '*'], " PORTS},
    {"E5 * and a trailing dot", REFUSED, "every name", "", "hosts: ['*.'], " PORTS},
    {"E6 one label", CLEAN, NULL, "", "hosts: [a], resolution: DNS, " PORTS},
    {"E6 a digit first", CLEAN, NULL, "", "hosts: [1a.com], resolution: DNS, " PORTS},
    {"E6 digits in another label", CLEAN, NULL, "",
	"hosts: [1.2.com], resolution: DNS, " PORTS},
    {"E6 digits and letters last", CLEAN, NULL, "",
	"hosts: [a.1a], resolution: DNS, " PORTS},
    {"E6 two hyphens", CLEAN, NULL, "", "hosts: [xn--a.com], resolution: DNS, " PORTS},
    {"E6 a blank", REFUSED, "no host name", "", "hosts: ['a .com'], " PORTS},
    {"E6 a port", REFUSED, "no host name", "", "hosts: ['a.com:443'], " PORTS},
    {"E6 a scheme", REFUSED, "no host name", "", "hosts: ['https://a.com'], " PORTS},
    {"E6 a namespace in front", REFUSED, "no host name", "", "hosts: [./a.com], " PORTS},
    {"E6 wildcard behind", REFUSED, "no host name", "", "hosts: ['a.*'], " PORTS},
    {"E6 two stars", REFUSED, "no host name", "", "hosts: ['**.a.com'], " PORTS},
    {"E6 wildcard and trailing dot", CLEAN, NULL, "", "hosts: ['*.a.com.'], " PORTS},
    {"E6 a mapping", REFUSED, "must be a text", "", "hosts: [{a: b}], " PORTS},
    {"W2 wildcard of whole labels", QUIET, "partial wildcard", "",
	"hosts: ['*.foo.com'], " PORTS},
    {"W2 a partial wildcard of one label", WARNED, "partial wildcard", "",
	"hosts: ['*foo'], " PORTS},
    {"W2 among others", WARNED, "partial wildcard", "",
	"hosts: [a.com, '*foo.com'], " PORTS},
    {"E7 the widest IPv4 prefix", ACCEPTED, NULL, "",
	"hosts: [a.com], addresses: [0.0.0.0/0], " PORTS},
    {"E7 the narrowest IPv4 prefix", CLEAN, NULL, "",
	"hosts: [a.com], addresses: [1.2.3.4/32], " PORTS},
    {"E7 the widest IPv6 prefix", ACCEPTED, NULL, "",
	"hosts: [a.com], addresses: ['::/0'], " PORTS},
    {"E7 the narrowest IPv6 prefix", CLEAN, NULL, "",
	"hosts: [a.com], addresses: ['2001:db8::1/128'], " PORTS},
    {"E7 three octets", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [1.2.3], " PORTS},
    {"E7 octet 256", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [1.2.3.256], " PORTS},
    {"E7 no length", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [1.2.3.0/], " PORTS},
    {"E7 a negative length", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [1.2.3.0/-1], " PORTS},
    {"E7 a mask", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [1.2.3.0/255.255.255.0], " PORTS},
    {"E7 empty", REFUSED, "no IP address", "", "hosts: [a.com], addresses: [''], " PORTS},
    {"E7 with a port", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: ['1.2.3.4:443'], " PORTS},
    {"E7 a range", REFUSED, "no IP address", "",
	"hosts: [a.com], addresses: [1.2.3.4-1.2.3.9], " PORTS},
    {"E7 no list", REFUSED, "must be a list", "",
	"hosts: [a.com], addresses: 1.2.3.4, " PORTS},
    {"E7 an empty list", CLEAN, NULL, "", "hosts: [a.com], addresses: [], " PORTS},
    {"E8 CIDR with NONE", CLEAN, NULL, "",
	"hosts: [a.com], addresses: [1.2.3.0/24], resolution: NONE, " PORTS},
    {"E8 CIDR with DNS_ROUND_ROBIN", REFUSED, "is a CIDR", "",
	ROBIN "addresses: [1.2.3.0/24]"},
    {"E8 a CIDR of one address with DNS", REFUSED, "is a CIDR", "",
	DNS "addresses: [1.2.3.4/32]"},
    {"E8 an address with DNS", CLEAN, NULL, "", DNS "addresses: [1.2.3.4]"},
    {"E9 an empty list of ports", CLEAN, NULL, "", "hosts: [a.com], ports: []"},
    {"E9 a port that is a number", REFUSED, "must be a mapping", "",
	"hosts: [a.com], ports: [443]"},
    {"E9 ports that are a mapping", REFUSED, "must be a list", "",
	"hosts: [a.com], ports: {number: 443, name: a}"},
    {"E10 names that differ in case", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS}, {number: 2, name: "
	"A, protocol: TLS}]"},
    {"E11 neighbours", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS}, {number: 2, name: "
	"b, protocol: UDP}]"},
    {"E12 targetPort 65535", QUIET, "targetPort must", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS, targetPort: "
	"65535}]"},
    {"E12 targetPort -1", REFUSED, "targetPort", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS, targetPort: -1}]"},
    {"E13 name of 63 bytes", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: " L63 ", protocol: TLS}]"},
    {"E13 name with an underscore", REFUSED, "port name", "",
	"hosts: [a.com], ports: [{number: 1, name: a_b, protocol: TLS}]"},
    {"E13 name that begins with a hyphen", REFUSED, "port name", "",
	"hosts: [a.com], ports: [{number: 1, name: '-a', protocol: TLS}]"},
    {"E13 name of digits", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: '1', protocol: TLS}]"},
    {"E14 empty protocol", QUIET, "protocol", "",
	"hosts: [a.com], addresses: [1.2.3.4], ports: [{number: 1, name: a, protocol: "
	"''}]"},
    {"E14 null protocol", QUIET, "protocol", "",
	"hosts: [a.com], addresses: [1.2.3.4], ports: [{number: 1, name: a, protocol: "
	"null}]"},
    {"E14 every protocol", ACCEPTED, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: tcp}, {number: 2, name: "
	"b, protocol: udp}, {number: 3, name: c, protocol: grpc}, {number: 4, name: d, "
	"protocol: http}, {number: 5, name: e, protocol: http_proxy}, {number: 6, name: "
	"f, protocol: http2}, {number: 7, name: g, protocol: https}, {number: 8, name: "
	"h, protocol: tls}, {number: 9, name: i, protocol: mongo}, {number: 10, name: "
	"j, protocol: redis}, {number: 11, name: k, protocol: mysql}]"},
    {"E14 SCTP", REFUSED, "is unknown", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: SCTP}]"},
    {"E14 a blank behind", REFUSED, "is unknown", "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: 'TLS '}]"},
    {"E15 number 1", CLEAN, NULL, "",
	"hosts: [a.com], ports: [{number: 1, name: a, protocol: TLS}]"},
    {"E15 number with a fraction", REFUSED, "number of a port", "",
	"hosts: [a.com], ports: [{number: 443.5, name: a, protocol: TLS}]"},
    {"E15 number that is a word", REFUSED, "number of a port", "",
	"hosts: [a.com], ports: [{number: https, name: a, protocol: TLS}]"},
    {"E15 number beyond 64 bits", REFUSED, "number of a port", "",
	"hosts: [a.com], ports: [{number: 18446744073709552059, name: a, protocol: "
	"TLS}]"},
    {"E15 number null", REFUSED, "without number", "",
	"hosts: [a.com], ports: [{number: null, name: a, protocol: TLS}]"},
    {"W3 not on HTTPS", QUIET, "lists no addresses", "", "hosts: [a.com], " PORTS},
    {"W3 not where the label says yes", QUIET, "lists no addresses",
	"labels: {networking.istio.io/enable-autoallocate-ip: 'true'}",
	"hosts: [a.com], resolution: DNS, " TCP},
    {"W3 with NONE even where the label says yes", WARNED, "lists no addresses",
	"labels: {networking.istio.io/enable-autoallocate-ip: 'true'}",
	"hosts: [a.com], " TCP},
    {"E16 NONE without endpoints", CLEAN, NULL, "",
	"hosts: [a.com], resolution: NONE, " PORTS},
    {"E16 null endpoints", CLEAN, NULL, "",
	"hosts: [a.com], resolution: NONE, endpoints: null, " PORTS},
    {"W4 STATIC with a selector", QUIET, "with resolution NONE", "",
	STATIC "workloadSelector: {labels: {a: b}}"},
    {"E17 an endpoint that is a text", REFUSED, "must be a mapping", "",
	STATIC "endpoints: [1.2.3.4]"},
    {"E18 an empty address", REFUSED, "without address", "",
	STATIC "endpoints: [{address: ''}]"},
    {"E18 a null address", REFUSED, "without address", "",
	STATIC "endpoints: [{address: null}]"},
    {"W5 an address and a network", QUIET, "nothing here reaches it", "",
	STATIC "endpoints: [{address: 1.2.3.4, network: n1}]"},
    {"E19 unix path empty", REFUSED, "is no socket", "",
	STATIC "endpoints: [{address: 'unix://'}]"},
    {"E20 unix endpoint without ports is refused as a socket", REFUSED, "unix socket", "",
	STATIC "endpoints: [{address: 'unix:///a'}]"},
    {"E21 STATIC with an IPv6 address", CLEAN, NULL, "",
	STATIC "endpoints: [{address: '2001:db8::1'}]"},
    {"E21 STATIC with a CIDR", REFUSED, "which resolution STATIC needs", "",
	STATIC "endpoints: [{address: 1.2.3.0/24}]"},
    {"E21 STATIC with a leading zero", REFUSED, "which resolution STATIC needs", "",
	STATIC "endpoints: [{address: 1.2.3.04}]"},
    {"E22 endpoint port of the entry's", CLEAN, NULL, "",
	STATIC "endpoints: [{address: 1.2.3.4, ports: {https: 443}}]"},
    {"E23 endpoint port 65535", QUIET, "endpoint's port", "",
	STATIC "endpoints: [{address: 1.2.3.4, ports: {https: 65535}}]"},
    {"E23 endpoint port 65536", REFUSED, "endpoint's port", "",
	STATIC "endpoints: [{address: 1.2.3.4, ports: {https: 65536}}]"},
    {"E24 label of an endpoint", CLEAN, NULL, "",
	STATIC "endpoints: [{address: 1.2.3.4, labels: {example.com/app: a.b_c-d}}]"},
    {"E24 empty value", CLEAN, NULL, "",
	STATIC "endpoints: [{address: 1.2.3.4, labels: {app: ''}}]"},
    {"E24 value of 64 bytes", REFUSED, "value of a label", "",
	STATIC "endpoints: [{address: 1.2.3.4, labels: {app: " L63 "a}}]"},
    {"E24 key with two slashes", REFUSED, "key of a label", "",
	STATIC "endpoints: [{address: 1.2.3.4, labels: {a/b/c: x}}]"},
    {"E25 unix endpoint and no port", REFUSED, "exactly one port", "",
	"hosts: [a.com], resolution: STATIC, endpoints: [{address: 'unix:///a'}]"},
    {"E26 a partial wildcard with DNS", REFUSED, "is a wildcard", "",
	"hosts: ['*a.com'], resolution: DNS, " PORTS},
    {"E26 one wildcard among names", REFUSED, "is a wildcard", "",
	"hosts: [a.com, '*.b.com'], resolution: DNS, " PORTS},
    {"E26 wildcard with DNS and empty endpoints", REFUSED, "is a wildcard", "",
	"hosts: ['*.a.com'], resolution: DNS, endpoints: [], " PORTS},
    {"E26 wildcard with DNS_ROUND_ROBIN and an endpoint", ACCEPTED, NULL, "",
	"hosts: ['*.a.com'], resolution: DNS_ROUND_ROBIN, endpoints: [{address: "
	"b.com}], " PORTS},
    {"E27 one endpoint", ACCEPTED, NULL, "", ROBIN "endpoints: [{address: b.com}]"},
    {"E27 two endpoints with DNS", ACCEPTED, NULL, "",
	DNS "endpoints: [{address: b.com}, {address: c.com}]"},
    {"E28 null endpoint with DNS_ROUND_ROBIN", REFUSED, "empty endpoint", "",
	ROBIN "endpoints: [null]"},
    {"E29 an IP address", ACCEPTED, NULL, "", DNS "endpoints: [{address: 1.2.3.4}]"},
    {"E29 a name", ACCEPTED, NULL, "", DNS "endpoints: [{address: b.com}]"},
    {"E29 unix socket with DNS", REFUSED, "unix socket", "",
	DNS "endpoints: [{address: 'unix:///a'}]"},
    {"E29 with DNS_ROUND_ROBIN", REFUSED, "neither an IP address nor", "",
	ROBIN "endpoints: [{address: '*.b.com'}]"},
    {"E30 as E23, with DNS", REFUSED, "endpoint's port", "",
	DNS "endpoints: [{address: b.com, ports: {https: 0}}]"},
    {"E30 as E24, with DNS", REFUSED, "value of a label", "",
	DNS "endpoints: [{address: b.com, labels: {a: 'x y'}}]"},
    {"E30 a port and a label as they should be", ACCEPTED, NULL, "",
	DNS "endpoints: [{address: b.com, ports: {https: 443}, labels: {a: x}}]"},
    {"W6 one host", QUIET, "several hosts share", "", DNS "addresses: [1.2.3.4]"},
    {"W6 no addresses", QUIET, "several hosts share", "",
	"hosts: [a.com, b.com], resolution: DNS, " PORTS},
    {"W6 on HTTP, which is told apart by its host", QUIET, "several hosts share", "",
	"hosts: [a.com, b.com], resolution: DNS, addresses: [1.2.3.4], ports: [{number: "
	"80, name: a, protocol: HTTP}]"},
    {"W6 with DNS_ROUND_ROBIN", WARNED, "several hosts share", "",
	"hosts: [a.com, b.com], resolution: DNS_ROUND_ROBIN, addresses: [1.2.3.4], " TLS},
    {"W6 not with STATIC", QUIET, "several hosts share", "",
	"hosts: [a.com, b.com], resolution: STATIC, addresses: [1.2.3.4], " TLS},
    {"E31 one host without wildcard among others", REFUSED, "is no wildcard", "",
	"hosts: ['*.a.com', b.com], resolution: DYNAMIC_DNS, " TLS},
    {"E31 two wildcards", CLEAN, NULL, "",
	"hosts: ['*.a.com', '*.b.com'], resolution: DYNAMIC_DNS, " TLS},
    {"E32 empty addresses", CLEAN, NULL, "", DYNAMIC "addresses: [], " TLS},
    {"E33 null endpoints", CLEAN, NULL, "", DYNAMIC "endpoints: null, " TLS},
    {"E34 every protocol that it takes", CLEAN, NULL, "",
	DYNAMIC "ports: [{number: 1, name: a, protocol: HTTP}, {number: 2, name: b, "
		"protocol: tls}, {number: 3, name: c, protocol: GRPC}, {number: 4, name: "
		"d, "
		"protocol: HTTP2}]"},
    {"E34 DYNAMIC_DNS with TCP", REFUSED, "takes HTTP", "", DYNAMIC TCP},
    {"E34 DYNAMIC_DNS with UDP", REFUSED, "takes HTTP", "",
	DYNAMIC "ports: [{number: 1, name: a, protocol: UDP}]"},
    {"E34 DYNAMIC_DNS without ports", ACCEPTED, NULL, "", DYNAMIC "ports: []"},
    {"E35 MESH_INTERNAL", CLEAN, NULL, "", DNS "location: MESH_INTERNAL"},
    {"E35 MESH_EXTERNAL", CLEAN, NULL, "", DNS "location: MESH_EXTERNAL"},
    {"E35 null", CLEAN, NULL, "", DNS "location: null"},
    {"E35 in lower case", REFUSED, "is unknown", "", DNS "location: mesh_internal"},
    {"E35 DYNAMIC_DNS inside", CLEAN, NULL, "", DYNAMIC "location: MESH_INTERNAL, " TLS},
    {"E36 an empty waypoint", CLEAN, NULL, "labels: {istio.io/use-waypoint: ''}",
	DYNAMIC "location: MESH_INTERNAL, " TLS},
    {"E36 outside with a waypoint", CLEAN, NULL, "labels: {istio.io/use-waypoint: w}",
	DYNAMIC TLS},
    {"E36 inside with a waypoint and DNS", CLEAN, NULL,
	"labels: {istio.io/use-waypoint: w}", DNS "location: MESH_INTERNAL"},
    {"E37 null resolution is NONE", CLEAN, NULL, "",
	"hosts: ['*.a.com'], resolution: null, " PORTS},
    {"E37 empty resolution", REFUSED, "is unknown", "",
	"hosts: [a.com], resolution: '', " PORTS},
    {"E38 two hosts on UDP", REFUSED, "several hosts", "",
	"hosts: [a.com, b.com], resolution: DNS, ports: [{number: 1, name: a, protocol: "
	"UDP}]"},
    {"E38 two hosts on MONGO", REFUSED, "several hosts", "",
	"hosts: [a.com, b.com], resolution: STATIC, ports: [{number: 1, name: a, "
	"protocol: MONGO}]"},
    {"E38 two hosts on HTTP", CLEAN, NULL, "",
	"hosts: [a.com, b.com], resolution: DNS, ports: [{number: 1, name: a, protocol: "
	"HTTP}]"},
    {"E38 two hosts on GRPC-Web", CLEAN, NULL, "",
	"hosts: [a.com, b.com], resolution: DNS, ports: [{number: 1, name: a, protocol: "
	"GRPC-Web}]"},
    {"E38 one host on TCP", QUIET, "several hosts", "",
	"hosts: [a.com], resolution: DNS, " TCP},
    {"E38 one port of two", REFUSED, "several hosts", "",
	"hosts: [a.com, b.com], resolution: DNS, ports: [{number: 1, name: a, protocol: "
	"TLS}, {number: 2, name: b, protocol: TCP}]"},
    {"E39 . beside another namespace", CLEAN, NULL, "",
	"hosts: [a.com], exportTo: [., x], " PORTS},
    {"E39 . twice", REFUSED, "stands twice", "",
	"hosts: [a.com], exportTo: [., .], " PORTS},
    {"E40 name of 63 bytes", CLEAN, NULL, "",
	"hosts: [a.com], exportTo: [" L63 "], " PORTS},
    {"E40 name of 64 bytes", REFUSED, "is no namespace", "",
	"hosts: [a.com], exportTo: [" L63 "a], " PORTS},
    {"E40 empty name", REFUSED, "is no namespace", "",
	"hosts: [a.com], exportTo: [''], " PORTS},
    {"E40 a wildcard of namespaces", REFUSED, "is no namespace", "",
	"hosts: [a.com], exportTo: ['team-*'], " PORTS},
    {"E40 no list", REFUSED, "must be a list", "",
	"hosts: [a.com], exportTo: '*', " PORTS},
    {"E41 . beside *", REFUSED, "\"*\" cannot stand beside", "",
	"hosts: [a.com], exportTo: [., '*'], " PORTS},
    {"E42 ~ alone", CLEAN, NULL, "", "hosts: [a.com], exportTo: ['~'], " PORTS},
    {"E42 ~ beside *", REFUSED, "cannot stand beside", "",
	"hosts: [a.com], exportTo: ['~', '*'], " PORTS},
    {"1.3 endpoint port name of 62 bytes", QUIET, "port name", "",
	"hosts: [a.com], resolution: STATIC, ports: [{number: 1, name: " L62
	", protocol: TLS}], endpoints: [{address: 1.2.3.4, ports: {" L62 ": 1}}]"},
    {"1.3 spec null", REFUSED, "spec is missing", "", "\n"},
    {"1.6 exportTo . without quotes", CLEAN, NULL, "",
	"\n  hosts: [a.com]\n  resolution: DNS\n  exportTo:\n  - .\n  " PORTS},
    {"1.6 exportTo * without quotes", REFUSED, "in quotes", "",
	"\n  hosts: [a.com]\n  exportTo:\n  - *\n"},
    {"1.6 wildcard host without quotes", REFUSED, "in quotes", "",
	"\n  hosts:\n  - *.foo\n"},
    {"1.6 comment behind an element", CLEAN, NULL, "",
	"\n  hosts:\n  - a.com # not used\n  resolution: DNS\n  " PORTS},
    {"1.6 IPv6 address in block style", CLEAN, NULL, "",
	"\n  hosts: [a.com]\n  addresses:\n  - 1.2.3.4\n  - 2001:db8::1\n  " PORTS},
    {"1.6 IPv6 address with :: at its end in block style", REFUSED, "put it in quotes",
	"", "\n  hosts: [a.com]\n  addresses:\n  - 2001:db8::\n  " PORTS},
    {"1.6 resolution under spec, where it belongs", QUIET, "STANDS UNDER", "",
	"\n  hosts: [a.com]\n  " PORTS "\n  resolution: DNS"},
    {"1.6 spec twice indented", CLEAN, NULL, "",
	"\n    hosts:\n        - a.com\n    resolution: DNS"},
};

static void
bounds(void **state)
{
	(void)state;
	entry_cases_run(cases, ARRAY_LEN(cases));
}

/* The element, with n for each "%". */
static void
add_number(struct buf *b, const char *element, int n)
{
	for (const char *c = element; *c != '\0'; c++)
		if (*c == '%')
			buf_printf(b, "%d", n);
		else
			buf_append(b, c, 1);
}

/* As many as the schema allows, and one more. */
static void
limits(void **state)
{
	static const struct {
		const char *title, *before, *element, *after, *words;
		int limit;
	} lists[] = {
	    {"1.3 hosts", "hosts: [", "a%.com", "], resolution: DNS", "limit is 256",
		256},
	    {"1.3 addresses", "hosts: [a.com], addresses: [", "'2001:db8::%'", "]",
		"limit is 256", 256},
	    {"1.3 ports", "hosts: [a.com], ports: [",
		"{number: 1%, name: p%, protocol: TLS}", "]", "limit is 256", 256},
	    {"1.3 endpoints", "hosts: [a.com], resolution: STATIC, endpoints: [",
		"{address: '2001:db8::%'}", "]", "limit is 4096", 4096},
	    {"1.3 labels of the selector",
		"hosts: [a.com], resolution: STATIC, workloadSelector: {labels: {",
		"l%: x", "}}", "limit is 256", 256},
	    {"1.3 labels of an endpoint",
		"hosts: [a.com], resolution: STATIC, endpoints: [{address: 1.2.3.4, "
		"labels: {",
		"l%: x", "}}]", "limit is 256", 256},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (int more = 0; more <= 1; more++) {
			struct buf spec;
			struct entry_case c = {
			    .title = lists[i].title,
			    .expect = more > 0 ? REFUSED : ACCEPTED,
			    .words = lists[i].words,
			    .metadata = "",
			};

			buf_init(&spec, 1 << 20);
			buf_text(&spec, lists[i].before);
			for (int n = 0; n < lists[i].limit + more; n++) {
				buf_text(&spec, n > 0 ? ", " : "");
				add_number(&spec, lists[i].element, n);
			}
			buf_text(&spec, lists[i].after);
			c.spec = spec.bytes;
			entry_cases_run(&c, 1);
			buf_done(&spec);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
