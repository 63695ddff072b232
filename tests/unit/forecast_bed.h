/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases of many pods, and a forecast of what a registry makes of them.
 */
#ifndef TESTS_UNIT_FORECAST_BED_H
#define TESTS_UNIT_FORECAST_BED_H

#include "tests/unit/unit.h"

#include "daemon/lease/forecast.h"
#include "tests/unit/built.h"

#define NOW INT64_C(1000000)
#define LEASES_MAX ((size_t)4 * FORECAST_WORK)
#define ENTRY(name, host)                                                                \
	"apiVersion: networking.istio.io/v1\n"                                           \
	"kind: ServiceEntry\n"                                                           \
	"metadata: {name: " name "}\n"                                                   \
	"spec: {hosts: [\"" host "\"], resolution: NONE,\n"                              \
	"  ports: [{number: 443, name: https, protocol: HTTPS}]}\n---\n"

struct fixture {
	struct event_base *base;
	struct pods pods;
	struct leases *leases;
	struct built both, one; /* registries: a.test and b.test; a.test */
	struct forecast *forecast;
	int done;
};

int foreseen_set_up(void **state);
int foreseen_tear_down(void **state);
struct addr foreseen_pod_at(unsigned pod);
struct lease_target foreseen_https_at(uint8_t host);
struct grant *foreseen_grant_of(struct fixture *f, unsigned pod, const char *text);
void foreseen_hold_at(struct fixture *f, unsigned pod, const char *text, uint8_t host);
void foreseen_hold(struct fixture *f, unsigned pod, const char *text);
bool foreseen_is_found(struct fixture *f, unsigned pod, uint8_t host);
void foreseen_on_done(void *ctx);
void foreseen_begin(struct fixture *f, const struct built *registry);
void foreseen_turn(struct fixture *f);
void foreseen_finish(struct fixture *f);
size_t foreseen_listed(const struct fixture *f);
size_t foreseen_withdrawn(const struct fixture *f);

#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, foreseen_set_up, foreseen_tear_down)

#endif
