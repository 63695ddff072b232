/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/lease/claim.h"
#include "tests/unit/alloc.h"
#include "tests/unit/renewal_bed.h"

static void
what_lives_is_renewed_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	renewal_hold(f, "a.test", 1, 800);
	renewal_hold(f, "a.test", 2, 900);
	renewal_hold(f, "a.test", 3, WINDOW_MS + 1);
	assert_int_equal(renewal_question(f), 2);
	assert_false(renewal_is_asked(f, 3));
	renewal_tell_live(f, f->asked[0].destination.bytes[3] == 1 ? 0 : 1, 1, 0, 0);
	assert_int_equal(renewal_next(f), ENFORCER_LEASES);
	assert_string_equal(f->m.name, "a.test");
	assert_int_equal(f->m.count, 1);
	assert_int_equal(f->m.body.leases[0].destination.bytes[3], 1);
	assert_int_equal(f->m.body.leases[0].renew, 1);
	assert_int_equal(f->m.body.leases[0].timeout_ms, FLOOR_S * 1000);
	assert_int_equal(renewal_left_ms(f, 1), 800); /* not before the acknowledgement */
	renewal_answer(f, f->m.id, 0);
	assert_int_equal(renewal_left_ms(f, 1), FLOOR_S * 1000);
	assert_int_equal(renewal_left_ms(f, 2), 900);
	assert_int_equal(renewal_next(f), 0);
	assert_int_equal(renewal_counts(f->renewal).asked, 2);
	assert_int_equal(renewal_counts(f->renewal).renewed, 1);
	assert_int_equal(renewal_counts(f->renewal).failed, 0);
	assert_int_equal(renewal_counts(f->renewal).flows, 7);
}

static void
a_name_that_is_no_longer_registered_renews_nothing(void **state)
{
	struct fixture *f = *state;

	renewal_hold(f, "b.test", 1, 800);
	assert_int_equal(renewal_question(f), 1);
	f->registry = f->one.registry;
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), 0);
	assert_int_equal(renewal_counts(f->renewal).renewed, 0);
}

static void
a_port_that_is_no_longer_registered_renews_nothing(void **state)
{
	struct fixture *f = *state;
	struct built other;

	assert_int_equal(
	    built_from(&other, "apiVersion: networking.istio.io/v1\n"
			       "kind: ServiceEntry\nmetadata: {name: a}\n"
			       "spec: {hosts: [a.test], resolution: DNS,\n"
			       "  ports: [{number: 80, name: h, protocol: HTTP}]}\n"),
	    0);
	renewal_hold(f, "a.test", 1, 800);
	assert_int_equal(renewal_question(f), 1);
	f->registry = other.registry;
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), 0);
	f->registry = f->both.registry;
	built_close(&other);
}

static void
of_several_names_one_that_is_registered_renews(void **state)
{
	struct fixture *f = *state;

	renewal_hold(f, "b.test", 1, 800);
	renewal_hold(f, "a.test", 1, 800);
	renewal_hold(f, "gone.test", 1, 800);
	f->registry = f->one.registry;
	assert_int_equal(renewal_question(f), 1);
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), ENFORCER_LEASES);
	assert_string_equal(f->m.name, "a.test");
	renewal_answer(f, f->m.id, 0);
}

static void
it_ends_with_the_hard_maximum(void **state)
{
	struct fixture *f = *state;

	f->config.lease_flows_s = 1;
	renewal_hold(f, "a.test", 1, 800);
	assert_int_equal(renewal_question(f), 1);
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), ENFORCER_LEASES);
	assert_int_equal(f->m.body.leases[0].timeout_ms, 1800);
	renewal_answer(f, f->m.id, 0);
	f->now_ms += 1000;
	assert_int_equal(renewal_left_ms(f, 1), 800);
	assert_true(renewal_is_silent(f)); /* nothing may be renewed any more */
}

/* Of a lookup that nobody has been answered: no time to count from. */
static void
what_no_answer_needs_is_not_renewed(void **state)
{
	struct fixture *f = *state;
	struct addr who = renewal_pod(244, 2);
	struct lease_target t = renewal_target(1);
	struct name name;
	struct grant *g;
	struct lease *lease;
	bool renew;

	assert_int_equal(name_parse("a.test", 6, &name), 0);
	g = lease_grant(f->leases, &who, &name);
	lease = lease_reserve(f->leases, g, &t, &renew);
	lease_grant_release(f->leases, g);
	(void)lease_ask(f->leases, lease, f->now_ms, f->now_ms + 800);
	lease_settle(f->leases, lease, true, f->now_ms + 800);
	assert_true(renewal_is_silent(f));
	lease_need(f->leases, LIST_FIRST(&lease->claims)->grant, &t, f->now_ms + 700);
	assert_int_equal(renewal_question(f), 1);
}

static void
a_lookup_that_renews_it_goes_first(void **state)
{
	struct fixture *f = *state;
	struct addr who = renewal_pod(244, 2);
	struct lease_target t = renewal_target(1);
	struct lease *lease;
	struct name name;
	struct grant *g;
	bool renew;

	renewal_hold(f, "a.test", 1, 800);
	assert_int_equal(renewal_question(f), 1);
	assert_int_equal(name_parse("a.test", 6, &name), 0);
	g = lease_grant(f->leases, &who, &name);
	lease = lease_reserve(f->leases, g, &t, &renew);
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), 0);
	lease_settle(f->leases, lease, false, 0);
	lease_grant_release(f->leases, g);
}

static void
what_has_ended_meanwhile_stays_ended(void **state)
{
	struct fixture *f = *state;

	renewal_hold(f, "a.test", 1, 800);
	assert_int_equal(renewal_question(f), 1);
	f->now_ms += 800;
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), 0);
}

static void
what_nobody_asked_about_is_left_alone(void **state)
{
	struct fixture *f = *state;

	renewal_hold(f, "a.test", 1, 800);
	assert_int_equal(renewal_question(f), 1);
	f->asked[0].pod = renewal_pod(244, 3);
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), 0);
}

static void
a_commit_that_fails_is_tried_with_the_next_question(void **state)
{
	struct fixture *f = *state;

	renewal_hold(f, "a.test", 1, 800);
	assert_int_equal(renewal_question(f), 1);
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), ENFORCER_LEASES);
	renewal_answer(f, f->m.id, -ENFILE);
	assert_int_equal(renewal_left_ms(f, 1), 800);
	assert_int_equal(renewal_counts(f->renewal).failed, 1);
	assert_int_equal(renewal_question(f), 1);
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), ENFORCER_LEASES);
	renewal_answer(f, f->m.id, 0);
	assert_int_equal(renewal_left_ms(f, 1), FLOOR_S * 1000);
}

static void
a_question_that_fails_is_counted_and_the_next_one_comes(void **state)
{
	struct fixture *f = *state;

	renewal_hold(f, "a.test", 1, 800);
	assert_int_equal(renewal_question(f), 1);
	renewal_tell_live(f, 0, 0, -ENOENT, 0);
	assert_int_equal(renewal_counts(f->renewal).failed, 1);
	assert_int_equal(renewal_question(f), 1);
}

static void
without_memory_nothing_is_asked_and_the_next_question_comes(void **state)
{
	struct fixture *f = *state;

	renewal_hold(f, "a.test", 1, 800);
	alloc_fail_at(0);
	while (renewal_counts(f->renewal).failed == 0)
		assert_true(event_base_loop(f->base, EVLOOP_ONCE) >= 0);
	alloc_reset();
	assert_int_equal(renewal_next(f), 0);
	assert_int_equal(renewal_question(f), 1);
	alloc_fail_at(0); /* for what is found */
	renewal_tell_live(f, 0, 1, 0, 0);
	alloc_reset();
	assert_int_equal(renewal_next(f), 0);
	assert_int_equal(renewal_counts(f->renewal).failed, 2);
	assert_int_equal(renewal_question(f), 1);
}

static void
one_pod_has_a_share_of_a_question(void **state)
{
	struct fixture *f = *state;

	for (uint16_t i = 0; i < RENEWAL_POD_MAX + 5; i++)
		renewal_hold(f, "a.test", i, 800);
	renewal_hold_for(f, renewal_pod(244, 3), "a.test", 1, 900);
	assert_int_equal(renewal_question(f), RENEWAL_POD_MAX + 1);
	assert_int_equal(renewal_counts(f->renewal).left, 5);
}

static void
so_many_are_committed_at_a_time(void **state)
{
	struct fixture *f = *state;
	uint32_t ids[RENEWAL_COMMITS];

	for (uint16_t i = 0; i < RENEWAL_COMMITS + 5; i++)
		renewal_hold(f, "a.test", i, 800);
	assert_int_equal(renewal_question(f), RENEWAL_COMMITS + 5);
	renewal_tell_live(f, 0, RENEWAL_COMMITS + 5, 0, 0);
	for (size_t i = 0; i < RENEWAL_COMMITS; i++) {
		assert_int_equal(renewal_next(f), ENFORCER_LEASES);
		ids[i] = f->m.id;
	}
	assert_int_equal(renewal_next(f), 0);
	for (size_t i = 0; i < RENEWAL_COMMITS; i++)
		renewal_answer(f, ids[i], 0);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(renewal_next(f), ENFORCER_LEASES);
		renewal_answer(f, f->m.id, 0);
	}
	assert_int_equal(renewal_next(f), 0);
	assert_int_equal(renewal_counts(f->renewal).renewed, RENEWAL_COMMITS + 5);
}

static void
what_is_no_pod_is_not_asked_about(void **state)
{
	struct fixture *f = *state;

	renewal_hold_for(f, renewal_pod(245, 2), "a.test", 1, 800);
	assert_true(renewal_is_silent(f));
}

static void
none_is_asked_where_nothing_is_to_be_renewed(void **state)
{
	struct fixture *f = *state;
	struct built open;

	renewal_hold(f, "a.test", 1, 800);
	f->config.lease_flows_s = 0;
	assert_true(renewal_is_silent(f));
	f->config.lease_flows_s = 3600;
	built_open(&open);
	open.settings.outbound = OUTBOUND_ALLOW_ANY;
	assert_int_equal(built_finish(&open), 0);
	f->registry = open.registry;
	assert_true(renewal_is_silent(f));
	f->registry = f->both.registry;
	assert_int_equal(renewal_question(f), 1);
	built_close(&open);
}

/* A look that took 20 ms of the enforcer's time: the next one comes after 400, and looks
 * farther ahead, and what it finds lives until the one after it. */
static void
what_is_dear_is_done_less_often(void **state)
{
	struct fixture *f = *state;

	f->config.lease_floor_s = 1;
	renewal_hold(f, "a.test", 1, 900);
	renewal_hold(f, "a.test", 2, 1250);
	assert_int_equal(renewal_question(f), 1);
	renewal_tell_live(f, 0, 0, 0, 20000);
	assert_true(renewal_is_silent(f));
	assert_int_equal(renewal_question(f), 2);
	renewal_tell_live(f, 0, 1, 0, 20000);
	assert_int_equal(renewal_next(f), ENFORCER_LEASES);
	assert_int_equal(f->m.body.leases[0].timeout_ms, 1300);
	renewal_answer(f, f->m.id, 0);
}

static void
it_may_end_at_any_time(void **state)
{
	struct fixture *f = *state;

	renewal_hold(f, "a.test", 1, 800);
	assert_int_equal(renewal_question(f), 1);
	renewal_tell_live(f, 0, 1, 0, 0);
	assert_int_equal(renewal_next(f), ENFORCER_LEASES);
	renewal_free(f->renewal);
	f->renewal = NULL;
	renewal_answer(f, f->m.id, 0); /* of a commit that nobody waits for any more */
	assert_int_equal(renewal_left_ms(f, 1), FLOOR_S * 1000);
}

static void
it_cannot_begin_without_memory(void **state)
{
	struct fixture *f = *state;

	alloc_fail_at(0);
	assert_int_equal(renewal_begin(f), -ENOMEM);
	alloc_reset();
	assert_null(f->renewal);
}

#define TEST(f)                                                                          \
	cmocka_unit_test_setup_teardown(f, renewal_set_up_begun, renewal_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_lives_is_renewed_and_nothing_else),
	    TEST(a_name_that_is_no_longer_registered_renews_nothing),
	    TEST(a_port_that_is_no_longer_registered_renews_nothing),
	    TEST(of_several_names_one_that_is_registered_renews),
	    TEST(it_ends_with_the_hard_maximum),
	    TEST(what_no_answer_needs_is_not_renewed),
	    TEST(a_lookup_that_renews_it_goes_first),
	    TEST(what_has_ended_meanwhile_stays_ended),
	    TEST(what_nobody_asked_about_is_left_alone),
	    TEST(a_commit_that_fails_is_tried_with_the_next_question),
	    TEST(a_question_that_fails_is_counted_and_the_next_one_comes),
	    TEST(without_memory_nothing_is_asked_and_the_next_question_comes),
	    TEST(one_pod_has_a_share_of_a_question),
	    TEST(so_many_are_committed_at_a_time),
	    TEST(what_is_no_pod_is_not_asked_about),
	    TEST(none_is_asked_where_nothing_is_to_be_renewed),
	    TEST(what_is_dear_is_done_less_often),
	    TEST(it_may_end_at_any_time),
	    cmocka_unit_test_setup_teardown(
		it_cannot_begin_without_memory, renewal_set_up, renewal_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
