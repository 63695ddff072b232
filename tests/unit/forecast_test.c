/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "daemon/enforcer/enforcer.h"
#include "tests/unit/alloc.h"
#include "tests/unit/forecast_bed.h"

static void
a_registry_that_changes_nothing_names_nothing(void **state)
{
	struct fixture *f = *state;

	foreseen_hold(f, 2, "x.a.test");
	foreseen_hold(f, 2, "x.b.test");
	foreseen_begin(f, &f->both);
	assert_false(forecast_is_whole(f->forecast));
	foreseen_finish(f);
	assert_true(forecast_is_whole(f->forecast));
	assert_int_equal(foreseen_listed(f), 0);
	assert_int_equal(foreseen_withdrawn(f), 0);
}

/* A change empties the kernel's map of the ports that targetPort leads to. */
static void
what_leads_elsewhere_is_named_whatever_changes(void **state)
{
	struct fixture *f = *state;
	struct built led;

	foreseen_hold(f, 2, "x.a.test");
	assert_int_equal(
	    built_from(&led,
		"apiVersion: networking.istio.io/v1\n"
		"kind: ServiceEntry\n"
		"metadata: {name: a}\n"
		"spec: {hosts: [x.a.test], resolution: DNS, ports: [{number: 443,\n"
		"  name: https, protocol: HTTPS, targetPort: 8443}]}\n"),
	    0);
	foreseen_begin(f, &led);
	foreseen_finish(f);
	assert_int_equal(foreseen_listed(f), 1);
	built_close(&led);
}

static void
what_the_registry_withdraws_is_named_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned pod = 1; pod <= 50; pod++) {
		foreseen_hold(f, pod, "x.a.test");
		foreseen_hold(f, pod, "x.b.test");
	}
	foreseen_begin(f, &f->one);
	foreseen_finish(f);
	assert_int_equal(foreseen_listed(f), 50);
	for (size_t i = 0; i < 50; i++)
		forecast_add(f->forecast, forecast_grant(f->forecast, i));
	assert_int_equal(foreseen_listed(f), 50);
}

static void
the_loop_turns_between_the_parts(void **state)
{
	struct fixture *f = *state;
	int turns = 0;

	for (unsigned pod = 1; pod <= LEASES_MAX / 2; pod++)
		foreseen_hold(f, pod, "x.b.test");
	foreseen_begin(f, &f->one);
	for (; f->done == 0; turns++)
		foreseen_turn(f);
	assert_true(turns >= (int)(LEASES_MAX / FORECAST_WORK));
	assert_int_equal(foreseen_listed(f), 0);
	assert_int_equal(foreseen_withdrawn(f), LEASES_MAX / 2);
}

/* Wherever in the table it lies: before, in or behind what was looked at. */
static void
a_claim_that_comes_meanwhile_is_named(void **state)
{
	struct fixture *f = *state;

	for (unsigned pod = 1; pod <= 100; pod++)
		foreseen_hold(f, pod, "x.a.test");
	foreseen_begin(f, &f->one);
	foreseen_turn(f);
	foreseen_turn(f);
	for (unsigned pod = 1; pod <= 100; pod++)
		foreseen_hold(f, pod, "y.b.test");
	foreseen_finish(f);
	for (unsigned pod = 101; pod <= 200; pod++)
		foreseen_hold(f, pod, "y.b.test");
	assert_int_equal(foreseen_listed(f), 200);
	assert_true(forecast_is_whole(f->forecast));
}

/* Its grant is still held. */
static void
a_lease_that_ends_is_not_withdrawn(void **state)
{
	struct fixture *f = *state;

	foreseen_hold(f, 2, "x.b.test");
	foreseen_begin(f, &f->one);
	foreseen_finish(f);
	assert_int_equal(foreseen_withdrawn(f), 1);
	for (int64_t s = 0; s < 120; s++)
		leases_sweep(f->leases, NOW + s * 1000);
	assert_int_equal(leases_counts(f->leases).leases, 0);
	assert_int_equal(foreseen_withdrawn(f), 0);
	assert_int_equal(leases_counts(f->leases).grants, 1);
	forecast_free(f->forecast);
	f->forecast = NULL;
	assert_int_equal(leases_counts(f->leases).grants, 0);
}

static void
a_lease_goes_with_all_its_names(void **state)
{
	struct fixture *f = *state;
	const struct addr second = foreseen_pod_at(2);

	foreseen_hold(f, 1, "x.b.test");
	foreseen_hold(f, 1, "y.b.test");
	foreseen_hold(f, 2, "x.b.test");
	foreseen_hold(f, 2, "x.a.test");
	foreseen_begin(f, &f->one);
	foreseen_finish(f);
	assert_int_equal(foreseen_withdrawn(f), 1);
	/* of the other lease only the name goes: that is written by the switch */
	assert_int_equal(foreseen_listed(f), 1);
	assert_true(addr_equal(&forecast_grant(f->forecast, 0)->pod->addr, &second));
}

static void
a_lease_of_many_names_is_left_to_the_switch(void **state)
{
	struct fixture *f = *state;
	char text[] = "a.b.test";

	for (size_t i = 0; i <= FORECAST_CLAIMS_MAX; i++, text[0]++)
		foreseen_hold(f, 1, text);
	foreseen_begin(f, &f->one);
	foreseen_finish(f);
	assert_int_equal(foreseen_withdrawn(f), 0);
	assert_int_equal(foreseen_listed(f), FORECAST_CLAIMS_MAX + 1);
}

/* One that stays by the new registry too, or not: the switch is to see. */
static void
a_lease_that_another_name_claims_is_taken_back(void **state)
{
	static const struct enforcer_lease nothing;
	static const struct enforcer_cut none;
	struct fixture *f = *state;
	const size_t at = sizeof(uint32_t) + offsetof(struct enforcer_message, body);
	const struct withdrawal *w;

	foreseen_hold(f, 1, "x.b.test");
	foreseen_hold(f, 1, "y.b.test");
	foreseen_begin(f, &f->one);
	foreseen_finish(f);
	w = forecast_withdrawal(f->forecast);
	assert_memory_not_equal(w->revokes.bytes + at, &nothing, sizeof(nothing));
	assert_memory_not_equal(w->cuts.bytes + at, &none, sizeof(none));
	foreseen_hold(f, 1, "x.a.test");
	assert_int_equal(foreseen_withdrawn(f), 0);
	assert_int_equal(foreseen_listed(f), 4); /* the new name twice */
	assert_memory_equal(w->revokes.bytes + at, &nothing, sizeof(nothing));
	assert_memory_equal(w->cuts.bytes + at, &none, sizeof(none));
}

static void
without_memory_for_the_list_it_is_not_whole(void **state)
{
	struct fixture *f = *state;

	foreseen_hold(f, 2, "x.b.test");
	alloc_fail_at(0);
	assert_int_equal(forecast_new(f->base, f->leases, f->one.registry, true,
			     foreseen_on_done, f, &f->forecast),
	    -ENOMEM);
	alloc_reset();
	foreseen_begin(f, &f->one);
	alloc_fail_at(0);
	foreseen_finish(f);
	assert_false(forecast_is_whole(f->forecast));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_registry_that_changes_nothing_names_nothing),
	    TEST(what_leads_elsewhere_is_named_whatever_changes),
	    TEST(what_the_registry_withdraws_is_named_once),
	    TEST(the_loop_turns_between_the_parts),
	    TEST(a_claim_that_comes_meanwhile_is_named),
	    TEST(a_lease_that_ends_is_not_withdrawn),
	    TEST(a_lease_goes_with_all_its_names),
	    TEST(a_lease_of_many_names_is_left_to_the_switch),
	    TEST(a_lease_that_another_name_claims_is_taken_back),
	    TEST(without_memory_for_the_list_it_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
