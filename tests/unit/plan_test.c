/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "daemon/lease/plan.h"
#include "resolver/local.h"
#include "tests/unit/alloc.h"

#define NOW INT64_C(1000000)

struct fixture {
	struct pods pods;
	struct leases *leases;
	struct config config;
	struct registry_port ports[ENFORCER_LEASES_MAX + 1];
	struct registry_host host;
	struct addr pod;
	struct name name;
	struct plan plan;
	bool switching;
	struct answer *answer;
	struct commit_request request;
};

static int
set_up(void **state)
{
	static struct fixture f;
	struct lease_limits limits = {
	    .size = 1000, .per_pod = 1000, .per_name = 200, .timeout_ms = 3601 * 1000};
	struct hash_key key = {{1, 2}};

	memset(&f, 0, sizeof(f));
	assert_int_equal(pods_init(&f.pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f.pods, &key, &f.leases), 0);
	f.config = (struct config){
	    .lease_floor_s = 30, .lease_grace_s = 10, .lease_cap_s = 3600};
	for (uint16_t i = 0; i < ARRAY_LEN(f.ports); i++)
		f.ports[i] = (struct registry_port){
		    .number = (uint16_t)(i + 1), .proto = IPPROTO_TCP};
	f.host = (struct registry_host){.ports = f.ports, .port_count = 1};
	f.pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	assert_int_equal(name_parse("a.test", 6, &f.name), 0);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	plan_drop(f->leases, &f->request);
	answer_unref(f->answer);
	leases_free(f->leases);
	pods_done(&f->pods);
	return 0;
}

/* Plan for an answer of so many addresses; what of them is kept. */
static uint64_t
make(struct fixture *f, size_t addresses, uint32_t ttl_s, bool reserve)
{
	struct addr list[ANSWER_ADDRESSES_MAX];
	uint64_t keep = UINT64_MAX >> (64 - addresses);

	for (uint8_t i = 0; i < addresses; i++)
		list[i] = addr_make(AF_INET, (uint8_t[]){198, 51, 100, i});
	answer_unref(f->answer);
	assert_int_equal(
	    local_answer(&f->name, 1, list, addresses, ttl_s, NOW, &f->answer), 0);
	f->plan = (struct plan){
	    .leases = f->leases,
	    .config = &f->config,
	    .pod = &f->pod,
	    .name = &f->name,
	    .host = &f->host,
	    .answer = f->answer,
	    .ttl_s = ttl_s,
	    .switching = f->switching,
	    .reserve = reserve,
	};
	plan_make(&f->plan, NOW, &keep, &f->request);
	return keep;
}

/* The kernel takes what was planned. */
static void
settle(struct fixture *f)
{
	int64_t end_ms = NOW + f->request.timeout_ms;

	for (size_t i = 0; i < f->request.len; i++) {
		(void)lease_ask(f->leases, f->request.leases[i], NOW,
		    end_ms); /* what it gives is not used */
		lease_settle(f->leases, f->request.leases[i], true, end_ms);
	}
	f->request.len = 0;
}

static void
test_all_that_is_short_is_reserved_and_then_stands(void **state)
{
	struct fixture *f = *state;

	f->host.port_count = 2;
	assert_int_equal(make(f, 3, 60, true), 7);
	assert_int_equal(f->request.len, 6);
	assert_false(f->request.renew[0]);
	settle(f);
	assert_int_equal(make(f, 3, 60, true), 7);
	assert_int_equal(f->request.len, 0);
}

static void
test_lease_lives_for_the_floor_or_the_ttl_and_the_grace(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f, 1, 5, true), 1);
	assert_int_equal(f->request.timeout_ms, (30 + 10 + 1) * 1000);
	plan_drop(f->leases, &f->request);
	assert_int_equal(leases_counts(f->leases).leases, 0);
	assert_int_equal(make(f, 1, 300, true), 1);
	assert_int_equal(f->request.timeout_ms, (300 + 10 + 1) * 1000);
}

/* What came otherwise stays recognizable until it has been judged. */
static void
test_grant_remembers_where_its_first_address_came_from(void **state)
{
	struct fixture *f = *state;
	struct grant *g = lease_grant(f->leases, &f->pod, &f->name);

	assert_non_null(g);
	f->host.origin = 7;
	assert_int_equal(make(f, 1, 30, true), 1);
	settle(f);
	assert_int_equal(g->origin, 7);
	f->host.origin = 8;
	assert_int_equal(make(f, 2, 30, true), 3);
	settle(f);
	assert_int_equal(g->origin, 7);
	lease_grant_release(f->leases, g);
}

static void
test_longer_ttl_renews(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f, 1, 30, true), 1);
	settle(f);
	assert_int_equal(make(f, 1, 31, true), 1);
	assert_int_equal(f->request.len, 0); /* the second more */
	assert_int_equal(make(f, 1, 32, true), 1);
	assert_int_equal(f->request.len, 1);
	assert_true(f->request.renew[0]);
}

static void
test_address_is_kept_on_all_ports_or_not_at_all(void **state)
{
	struct fixture *f = *state;

	f->host.port_count = 50; /* two of them fit into one commit */
	assert_int_equal(make(f, 3, 60, true), 3);
	assert_int_equal(f->request.len, 100);
	settle(f);
	assert_int_equal(make(f, 3, 60, true), 7);
	assert_int_equal(f->request.len, 50);
}

static void
test_more_ports_than_one_commit_takes_keep_nothing(void **state)
{
	struct fixture *f = *state;

	f->host.port_count = ENFORCER_LEASES_MAX + 1;
	assert_int_equal(make(f, 1, 60, true), 0);
	assert_int_equal(f->request.len, 0);
	assert_int_equal(leases_counts(f->leases).leases, 0);
}

static void
test_without_reserving_only_what_stands_is_kept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f, 2, 60, true), 3);
	settle(f);
	assert_int_equal(make(f, 4, 60, false), 3);
	assert_int_equal(f->request.len, 0);
	assert_int_equal(leases_counts(f->leases).leases, 2);
}

static void
test_limit_of_a_name_trims(void **state)
{
	struct fixture *f = *state;
	struct lease_limits limits = {
	    .size = 1000, .per_pod = 1000, .per_name = 2, .timeout_ms = 3601 * 1000};

	leases_set_limits(f->leases, &limits);
	assert_int_equal(make(f, 2, 60, true), 3);
	settle(f);
	assert_int_equal(make(f, 3, 60, true), 3);
}

static void
test_longest_lease_is_what_the_enforcer_takes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(plan_cap_s(&f->config), 3600);
	f->config.lease_cap_s = 24 * 3600;
	assert_true((plan_cap_s(&f->config) + 1) * 1000 <= ENFORCER_TIMEOUT_MAX_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* What a zone answers from the internal ranges is open as it is; nothing else is. */
static void
test_a_zone_needs_no_lease_for_internal_ranges(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(prefix_parse("198.51.100.0/31", 15, &f->config.internal[0]), 0);
	f->config.internal_count = 1;
	f->host.in_zone = true;
	assert_int_equal(make(f, 3, 60, true), 7);
	assert_int_equal(f->request.len, 1);
	plan_drop(f->leases, &f->request);
	f->switching = true;
	assert_int_equal(make(f, 3, 60, true), 7);
	assert_int_equal(f->request.len, 3);
	plan_drop(f->leases, &f->request);
	f->switching = false;
	f->host.in_zone = false;
	assert_int_equal(make(f, 3, 60, true), 7);
	assert_int_equal(f->request.len, 3);
}

/* As hints are: addresses of both families, each for the pod's address of its own. */
static uint64_t
make_mixed(struct fixture *f, const struct addr *other)
{
	struct answer_address addresses[2] = {
	    {.addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, 1})},
	    {.addr = addr_make(AF_INET6, (uint8_t[16]){0x20, 1, 0xd, 0xb8})}};
	struct answer a = {.address_count = 2, .addresses = addresses};
	uint64_t keep = 3;

	(void)make(f, 1, 60, false);
	f->plan.answer = &a;
	f->plan.other = other;
	f->plan.reserve = true;
	plan_make(&f->plan, NOW, &keep, &f->request);
	return keep;
}

static void
test_each_family_is_leased_for_the_pods_address_of_it(void **state)
{
	struct fixture *f = *state;
	struct addr other = addr_make(AF_INET6, (uint8_t[16]){0xfd, [15] = 2});

	assert_int_equal(make_mixed(f, &other), 3);
	assert_int_equal(f->request.len, 2);
	assert_true(addr_equal(&f->request.leases[0]->pod->addr, &f->pod));
	assert_true(addr_equal(&f->request.leases[1]->pod->addr, &other));
	settle(f);
	assert_int_equal(make_mixed(f, &other), 3);
	assert_int_equal(f->request.len, 0);
}

static void
test_a_family_that_the_pod_lacks_is_not_kept(void **state)
{
	struct fixture *f = *state;
	struct addr none = {0};

	assert_int_equal(make_mixed(f, &none), 1);
	assert_int_equal(f->request.len, 1);
	plan_drop(f->leases, &f->request);
	assert_int_equal(make_mixed(f, NULL), 1);
	plan_drop(f->leases, &f->request);
	f->pod = none;
	assert_int_equal(make_mixed(f, NULL), 0);
	assert_int_equal(f->request.len, 0);
	assert_int_equal(leases_counts(f->leases).grants, 0);
}

static void
test_without_memory_nothing_is_kept(void **state)
{
	struct fixture *f = *state;
	struct addr other = addr_make(AF_INET6, (uint8_t[16]){0xfd, [15] = 2});
	uint64_t keep = 0;

	for (size_t n = 0; keep != 3; n++) {
		size_t before;

		/* make() itself allocates an answer, and plans without reserving */
		alloc_reset();
		(void)make(f, 1, 60, false);
		before = alloc_count();
		alloc_fail_at(before + n);
		keep = make_mixed(f, &other);
		alloc_reset();
		assert_int_equal(f->request.len, __builtin_popcountll(keep));
		plan_drop(f->leases, &f->request);
		assert_int_equal(leases_counts(f->leases).grants, 0);
		assert_in_range(n, 0, 20);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_all_that_is_short_is_reserved_and_then_stands),
	    TEST(test_lease_lives_for_the_floor_or_the_ttl_and_the_grace),
	    TEST(test_grant_remembers_where_its_first_address_came_from),
	    TEST(test_longer_ttl_renews),
	    TEST(test_address_is_kept_on_all_ports_or_not_at_all),
	    TEST(test_more_ports_than_one_commit_takes_keep_nothing),
	    TEST(test_without_reserving_only_what_stands_is_kept),
	    TEST(test_limit_of_a_name_trims),
	    TEST(test_a_zone_needs_no_lease_for_internal_ranges),
	    TEST(test_each_family_is_leased_for_the_pods_address_of_it),
	    TEST(test_a_family_that_the_pod_lacks_is_not_kept),
	    TEST(test_without_memory_nothing_is_kept),
	    TEST(test_longest_lease_is_what_the_enforcer_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
