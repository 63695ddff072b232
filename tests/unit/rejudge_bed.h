/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases of one pod, and what a registry makes of them: the change that is sent.
 */
#ifndef TESTS_UNIT_REJUDGE_BED_H
#define TESTS_UNIT_REJUDGE_BED_H

#include "tests/unit/unit.h"

#include "daemon/lease/rejudge.h"
#include "policy/registry/registry.h"

#define NOW INT64_C(1000000)

#define POLICY                                                                           \
	"apiVersion: install.istio.io/v1alpha1\n"                                        \
	"kind: IstioOperator\n"                                                          \
	"metadata: {name: mesh, namespace: istio-system}\n"                              \
	"spec: {meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}}\n"           \
	"---\n"
#define ENTRY(name, host, ports, more)                                                   \
	"apiVersion: networking.istio.io/v1\n"                                           \
	"kind: ServiceEntry\n"                                                           \
	"metadata: {name: " name "}\n"                                                   \
	"spec:\n"                                                                        \
	"  hosts: [\"" host "\"]\n"                                                      \
	"  ports: [" ports "]\n"                                                         \
	"  resolution: DNS\n" more "---\n"
#define HTTPS "{number: 443, name: https, protocol: HTTPS}"
#define HTTP "{number: 80, name: http, protocol: HTTP}"

struct fixture {
	struct pods pods;
	struct leases *leases;
	struct change change;
	struct rejudge rejudge;
	struct addr pod;
	struct config config;    /* whose pods are in 10.244.0.0/16 */
	struct event_base *base; /* NULL: judge all, without a forecast */
};

int leased_set_up(void **state);
/* What a forecast names is all that there is to be done. */
int leased_set_up_foreseen(void **state);
int leased_tear_down(void **state);
struct registry *leased_build(const char *text);
void leased_hold(struct fixture *f, const char *text, uint8_t host, uint16_t port);
/* Judge all leases by this registry. */
void leased_judge(struct fixture *f, const char *text);
size_t leased_records(struct fixture *f, enum enforcer_kind kind, const char *name);
/* The first message with leases. */
bool leased_message(struct fixture *f, struct enforcer_message *m);

/* Both ways: all, and what a forecast names. */
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, leased_set_up, leased_tear_down),          \
	{                                                                                \
#name "_foreseen", name, leased_set_up_foreseen, leased_tear_down, NULL  \
	}

#endif
