/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases of one pod by two names, written down, asked for and settled by hand.
 */
#ifndef TESTS_UNIT_LEASE_BED_H
#define TESTS_UNIT_LEASE_BED_H

#include <string.h>

#include "daemon/lease/claim.h"
#include "daemon/lease/lease.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1000000)
#define LONGEST_MS (25 * 3600 * 1000)

struct fixture {
	struct pods pods;
	struct leases *leases;
	struct addr pod;
	struct name google, other;
};

static inline void
parse(const char *text, struct name *name)
{
	assert_int_equal(name_parse(text, strlen(text), name), 0);
}

static inline int
set_up(void **state)
{
	static struct fixture f;
	struct lease_limits limits = {
	    .size = 8, .per_pod = 6, .per_name = 4, .timeout_ms = LONGEST_MS};
	struct hash_key key = {{1, 2}};

	memset(&f, 0, sizeof(f));
	assert_int_equal(pods_init(&f.pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f.pods, &key, &f.leases), 0);
	f.pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	parse("google.com", &f.google);
	parse("other.test", &f.other);
	*state = &f;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;

	leases_free(f->leases);
	pods_done(&f->pods);
	return 0;
}

static inline struct lease_target
target(uint8_t host, uint16_t port)
{
	return (struct lease_target){
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = port,
	    .proto = IPPROTO_TCP,
	};
}

static inline struct lease *
reserve(
    struct fixture *f, const struct name *name, const struct lease_target *t, bool *renew)
{
	struct grant *g = lease_grant(f->leases, &f->pod, name);
	struct lease *lease;

	assert_non_null(g);
	lease = lease_reserve(f->leases, g, t, renew);
	lease_grant_release(f->leases, g);
	return lease;
}

static inline enum lease_cover
check(struct fixture *f, const struct name *name, const struct lease_target *t,
    int64_t until_ms)
{
	struct grant *g = lease_grant(f->leases, &f->pod, name);
	enum lease_cover cover;

	assert_non_null(g);
	cover = lease_check(f->leases, g, t, until_ms, NULL);
	lease_grant_release(f->leases, g);
	return cover;
}

static inline struct claim *
first_claim(struct fixture *f, const struct name *name)
{
	struct grant *g = lease_grant(f->leases, &f->pod, name);
	struct claim *c = LIST_FIRST(&g->claims);

	lease_grant_release(f->leases, g);
	return c;
}

static inline void
commit(struct fixture *f, const struct name *name, const struct lease_target *t,
    int64_t end_ms)
{
	bool renew;
	struct lease *lease = reserve(f, name, t, &renew);

	assert_non_null(lease);
	(void)lease_ask(f->leases, lease, NOW, end_ms); /* what it gives is not used */
	lease_settle(f->leases, lease, true, end_ms);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
