/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <event2/event.h>

#include "daemon/lease/forecast.h"
#include "tests/unit/alloc.h"
#include "tests/unit/built.h"
#include <errno.h>

#define NOW INT64_C(1000000)
#define LEASES_MAX ((size_t)4 * FORECAST_BUCKETS)
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

static int
set_up(void **state)
{
	static struct fixture f;
	struct lease_limits limits = {
	    .size = LEASES_MAX, .per_pod = 64, .per_name = 64, .timeout_ms = 3600 * 1000};
	struct hash_key key = {{1, 2}};

	memset(&f, 0, sizeof(f));
	f.base = event_base_new();
	assert_non_null(f.base);
	assert_int_equal(pods_init(&f.pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f.pods, &key, &f.leases), 0);
	assert_int_equal(
	    built_from(&f.both, ENTRY("a", "*.a.test") ENTRY("b", "*.b.test")), 0);
	assert_int_equal(built_from(&f.one, ENTRY("a", "*.a.test")), 0);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	alloc_reset();
	forecast_free(f->forecast);
	leases_free(f->leases);
	pods_done(&f->pods);
	built_close(&f->both);
	built_close(&f->one);
	event_base_free(f->base);
	return 0;
}

/* What the kernel was found to hold, as it stands under "both". */
static void
hold(struct fixture *f, unsigned pod, const char *text)
{
	const struct registry_host *host;
	struct addr source =
	    addr_make(AF_INET, (uint8_t[]){10, 244, (uint8_t)(pod >> 8), (uint8_t)pod});
	struct lease_target target = {
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, 1}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
	struct verdict verdict;
	struct grant *g;
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	registry_judge(f->both.registry, NULL, &name, &verdict);
	host = verdict.host;
	assert_int_equal(
	    lease_restore(f->leases, &source, &name, &target, NOW + 60000), 0);
	g = lease_grant(f->leases, &source, &name);
	g->origin = host->origin;
	lease_grant_release(f->leases, g);
}

static void
on_done(void *ctx)
{
	struct fixture *f = ctx;

	f->done++;
}

static void
begin(struct fixture *f, const struct built *registry)
{
	assert_int_equal(forecast_new(f->base, f->leases, registry->registry, on_done, f,
			     &f->forecast),
	    0);
}

static void
turn(struct fixture *f)
{
	assert_true(event_base_loop(f->base, EVLOOP_ONCE) >= 0);
}

static void
finish(struct fixture *f)
{
	while (f->done == 0)
		turn(f);
	assert_int_equal(f->done, 1);
}

static size_t
listed(const struct fixture *f)
{
	size_t n = 0;

	while (forecast_grant(f->forecast, n) != NULL)
		n++;
	return n;
}

static void
a_registry_that_changes_nothing_names_nothing(void **state)
{
	struct fixture *f = *state;

	hold(f, 2, "x.a.test");
	hold(f, 2, "x.b.test");
	begin(f, &f->both);
	assert_false(forecast_is_whole(f->forecast));
	finish(f);
	assert_true(forecast_is_whole(f->forecast));
	assert_int_equal(listed(f), 0);
}

/* A change empties the kernel's map of the ports that targetPort leads to. */
static void
what_leads_elsewhere_is_named_whatever_changes(void **state)
{
	struct fixture *f = *state;
	struct built led;

	hold(f, 2, "x.a.test");
	assert_int_equal(
	    built_from(&led,
		"apiVersion: networking.istio.io/v1\n"
		"kind: ServiceEntry\n"
		"metadata: {name: a}\n"
		"spec: {hosts: [x.a.test], resolution: DNS, ports: [{number: 443,\n"
		"  name: https, protocol: HTTPS, targetPort: 8443}]}\n"),
	    0);
	begin(f, &led);
	finish(f);
	assert_int_equal(listed(f), 1);
	built_close(&led);
}

static void
what_the_registry_withdraws_is_named_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned pod = 1; pod <= 50; pod++) {
		hold(f, pod, "x.a.test");
		hold(f, pod, "x.b.test");
	}
	begin(f, &f->one);
	finish(f);
	assert_int_equal(listed(f), 50);
	for (size_t i = 0; i < 50; i++)
		forecast_add(f->forecast, forecast_grant(f->forecast, i));
	assert_int_equal(listed(f), 50);
}

static void
the_loop_turns_between_the_parts(void **state)
{
	struct fixture *f = *state;
	int turns = 0;

	for (unsigned pod = 1; pod <= LEASES_MAX / 2; pod++)
		hold(f, pod, "x.b.test");
	begin(f, &f->one);
	for (; f->done == 0; turns++)
		turn(f);
	assert_true(turns >= (int)(LEASES_MAX / FORECAST_BUCKETS));
	assert_int_equal(listed(f), LEASES_MAX / 2);
}

/* Wherever in the table it lies: before, in or behind what was looked at. */
static void
a_claim_that_comes_meanwhile_is_named(void **state)
{
	struct fixture *f = *state;

	for (unsigned pod = 1; pod <= 100; pod++)
		hold(f, pod, "x.a.test");
	begin(f, &f->one);
	turn(f);
	turn(f);
	for (unsigned pod = 1; pod <= 100; pod++)
		hold(f, pod, "y.b.test");
	finish(f);
	for (unsigned pod = 101; pod <= 200; pod++)
		hold(f, pod, "y.b.test");
	assert_int_equal(listed(f), 200);
	assert_true(forecast_is_whole(f->forecast));
}

/* Its lease ends; the forecast still points at it. */
static void
a_grant_that_ends_stays_readable(void **state)
{
	struct fixture *f = *state;

	hold(f, 2, "x.b.test");
	begin(f, &f->one);
	finish(f);
	for (int64_t s = 0; s < 120; s++)
		leases_sweep(f->leases, NOW + s * 1000);
	assert_int_equal(leases_counts(f->leases).leases, 0);
	assert_int_equal(forecast_grant(f->forecast, 0)->len, 0);
	forecast_free(f->forecast);
	f->forecast = NULL;
	assert_int_equal(leases_counts(f->leases).grants, 0);
}

static void
without_memory_for_the_list_it_is_not_whole(void **state)
{
	struct fixture *f = *state;

	hold(f, 2, "x.b.test");
	alloc_fail_at(0);
	assert_int_equal(
	    forecast_new(f->base, f->leases, f->one.registry, on_done, f, &f->forecast),
	    -ENOMEM);
	alloc_reset();
	begin(f, &f->one);
	alloc_fail_at(0);
	finish(f);
	assert_false(forecast_is_whole(f->forecast));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_registry_that_changes_nothing_names_nothing),
	    TEST(what_leads_elsewhere_is_named_whatever_changes),
	    TEST(what_the_registry_withdraws_is_named_once),
	    TEST(the_loop_turns_between_the_parts),
	    TEST(a_claim_that_comes_meanwhile_is_named),
	    TEST(a_grant_that_ends_stays_readable),
	    TEST(without_memory_for_the_list_it_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
