/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes EndpointSlices: what is refused. What they do is in service_test.
 */
#include <errno.h>

#include "tests/unit/built.h"
#include "tests/unit/cases.h"

#define SLICE(ns, name, service, type, rest)                                             \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: "          \
	"{name: " name ", namespace: " ns                                                \
	", labels: {kubernetes.io/service-name: " service "}}\naddressType: " type       \
	"\n" rest

static const struct {
	const char *title;
	const char *text;
	const char *words; /* of an error; NULL: accepted */
} rules[] = {
    {"a slice", SLICE("a", "w-1", "w", "IPv4", "endpoints: [{addresses: [10.0.0.1]}]\n"),
	NULL},
    {"a slice as kubectl prints it",
	SLICE("a", "w-1", "w", "IPv6",
	    "endpoints: [{addresses: ['fd00::1'], conditions: {ready: true, serving: "
	    "true, terminating: false}, nodeName: n, targetRef: {kind: Pod}, zone: z}]\n"
	    "ports: [{name: '', port: 80, protocol: TCP, appProtocol: null}]\n"),
	NULL},
    {"a slice of names",
	SLICE("a", "w-1", "w", "FQDN", "endpoints: [{addresses: [x]}]\n"), NULL},
    {"a slice for all ports",
	SLICE("a", "w-1", "w", "IPv4", "endpoints: []\nports: [{port: null}]\n"), NULL},
    {"a slice without endpoints", SLICE("a", "w-1", "w", "IPv4", "endpoints: null\n"),
	NULL},
    {"a slice without addressType",
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: w}\n",
	"addressType is missing"},
    {"a slice of an unknown type", SLICE("a", "w-1", "w", "ipv4", ""), "is unknown"},
    {"a slice with the other family",
	SLICE("a", "w-1", "w", "IPv4", "endpoints: [{addresses: ['fd00::1']}]\n"),
	"is no IPv4 address"},
    {"a slice with a name",
	SLICE("a", "w-1", "w", "IPv6", "endpoints: [{addresses: [x.t]}]\n"),
	"is no IPv6 address"},
    {"an endpoint without addresses",
	SLICE("a", "w-1", "w", "IPv4", "endpoints: [{addresses: []}]\n"),
	"without addresses"},
    {"an endpoint that is null", SLICE("a", "w-1", "w", "IPv4", "endpoints: [null]\n"),
	"an empty endpoint"},
    {"a hostname with a dot",
	SLICE("a", "w-1", "w", "IPv4",
	    "endpoints: [{addresses: [10.0.0.1], hostname: a.b}]\n"),
	"is no label"},
    {"ready that is no boolean",
	SLICE("a", "w-1", "w", "IPv4",
	    "endpoints: [{addresses: [10.0.0.1], conditions: {ready: 'true'}}]\n"),
	"true or false"},
    {"an unknown version",
	"apiVersion: discovery.k8s.io/v2\nkind: EndpointSlice\nmetadata: {name: w}\n",
	"apiVersion"},
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
