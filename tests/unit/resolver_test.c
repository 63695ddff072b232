/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "resolver/failure.h"
#include "tests/unit/resolver_bed.h"

static void
answer_comes_and_is_found_from_then_on(void **state)
{
	struct client c = {0};

	(void)state;
	assert_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
	ask(&c);
	expect(&c, 0);
	assert_non_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
	assert_null(resolver_find(resolver, 1, &name, TYPE_A, now_ms(), NULL));
	assert_null(resolver_find(resolver, 0, &name, TYPE_AAAA, now_ms(), NULL));
	assert_int_equal(counts().pending, 0);
	assert_int_equal(counts().questions, 1);
	assert_int_equal(counts().tries, 1);
	assert_int_equal(counts().channels, 1);
	assert_int_equal(counts().failures, 0);
	assert_int_equal(counts().cache.answers, 1);
}

static void
one_packet_serves_all_who_wait(void **state)
{
	static struct client clients[1000];

	(void)state;
	memset(clients, 0, sizeof(clients));
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		ask(&clients[i]);
	assert_int_equal(counts().pending, 1);
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		expect(&clients[i], 0);
	assert_int_equal(server.udp_count, 1);
	assert_int_equal(counts().joined, ARRAY_LEN(clients) - 1);
}

static void
type_group_and_name_are_questions_of_their_own(void **state)
{
	struct client c[4] = {{.told = false}};
	struct name parent;

	(void)state;
	name_parent(&name, &parent);
	assert_int_equal(try_ask(&c[0], 0, &name, TYPE_A), 0);
	assert_int_equal(try_ask(&c[1], 0, &name, TYPE_AAAA), 0);
	assert_int_equal(try_ask(&c[2], 1, &name, TYPE_A), 0);
	assert_int_equal(try_ask(&c[3], 0, &parent, TYPE_A), 0);
	assert_int_equal(counts().pending, 4);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		assert_true(fake_loop_until(base, &c[i].told, SOON_MS));
		forget(&c[i]);
	}
	assert_int_equal(server.udp_count, 3);
	assert_int_equal(other.udp_count, 1);
}

static void
answer_of_ttl_zero_is_for_those_who_wait_only(void **state)
{
	struct client c[2] = {{.told = false}};

	(void)state;
	ttl_s = 0;
	ask(&c[0]);
	ask(&c[1]);
	expect(&c[0], 0);
	expect(&c[1], 0);
	assert_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
	ask(&c[0]);
	expect(&c[0], 0);
	assert_int_equal(server.udp_count, 2);
}

static void
failure_is_remembered_for_a_second(void **state)
{
	struct client c = {0};

	(void)state;
	server.on_query = fake_server_fails;
	ask(&c);
	expect(&c, -EREMOTEIO);
	server.on_query = answers;
	for (size_t i = 0; i < 5; i++) {
		ask(&c);
		expect(&c, -EREMOTEIO);
	}
	assert_int_equal(server.udp_count, 1);
	assert_int_equal(counts().failures, 1);
	clock_ahead_ms += FAILURE_KEPT_MS;
	ask(&c);
	expect(&c, 0);
}

static void
dead_server_times_out_and_is_left_alone(void **state)
{
	struct client c = {0};
	size_t tries;

	(void)state;
	server.on_query = fake_server_silent;
	ask(&c);
	expect(&c, -ETIMEDOUT);
	tries = server.udp_count;
	ask(&c);
	expect(&c, -ETIMEDOUT);
	assert_int_equal(server.udp_count, tries);
	assert_int_equal(counts().timeouts, tries);
}

static void
unsendable_question_ends_from_the_loop(void **state)
{
	struct endpoint broadcast = {.port = 53};
	struct resolver_group group = {.servers = &broadcast, .server_count = 1};
	struct client c[2] = {{.told = false}};

	(void)state;
	assert_int_equal(addr_parse("255.255.255.255", 15, &broadcast.addr), 0);
	assert_int_equal(resolver_set_groups(resolver, &group, 1), 0);
	ask(&c[0]);
	ask(&c[1]);
	c[0].next = &c[0];
	assert_int_equal(counts().pending, 1);
	assert_true(fake_loop_until(base, &c[1].told, SOON_MS));
	assert_int_equal(c[1].result, -ENETUNREACH);
	c[0].next = NULL;
	resolver_cancel(resolver, &c[0].waiter);
}

/* Cancelling. */

static void
cancelled_waiter_is_not_told_and_the_answer_kept(void **state)
{
	struct client c = {0};

	(void)state;
	ask(&c);
	resolver_cancel(resolver, &c.waiter);
	resolver_cancel(resolver, &c.waiter);
	while (counts().pending > 0)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	assert_false(c.told);
	assert_non_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
}

static void
waiter_may_cancel_another_when_told(void **state)
{
	struct client c[3] = {{.told = false}};

	(void)state;
	c[0].victim = &c[1];
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		ask(&c[i]);
	expect(&c[0], 0);
	expect(&c[2], 0);
	assert_false(c[1].told);
}

static void
waiter_may_ask_again_when_told(void **state)
{
	struct client c[2] = {{.told = false}};

	(void)state;
	ttl_s = 0;
	c[0].next = &c[1];
	ask(&c[0]);
	expect(&c[0], 0);
	expect(&c[1], 0);
	assert_int_equal(server.udp_count, 2);
}

/* New groups. */

static void
same_groups_change_nothing(void **state)
{
	struct client c = {0};

	(void)state;
	ask(&c);
	expect(&c, 0);
	assert_int_equal(resolver_set_groups(resolver, groups, ARRAY_LEN(groups)), 0);
	assert_non_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
}

static void
new_groups_clear_cache_and_failures(void **state)
{
	struct client c = {0};

	(void)state;
	ask(&c);
	expect(&c, 0);
	other.on_query = fake_server_fails;
	assert_int_equal(try_ask(&c, 1, &name, TYPE_A), 0);
	expect(&c, -EREMOTEIO);
	other.on_query = answers;
	groups[0] = groups[1];
	assert_int_equal(resolver_set_groups(resolver, groups, ARRAY_LEN(groups)), 0);
	assert_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
	assert_int_equal(try_ask(&c, 1, &name, TYPE_A), 0);
	expect(&c, 0);
}

/* The old question ends as it began, is not joined, and its answer is not kept. */
static void
question_under_way_is_of_the_old_groups(void **state)
{
	struct client before = {0}, after = {0};

	(void)state;
	server.on_query = fake_server_silent;
	ask(&before);
	while (server.udp_count == 0)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	groups[0] = groups[1];
	assert_int_equal(resolver_set_groups(resolver, groups, ARRAY_LEN(groups)), 0);
	ask(&after);
	assert_int_equal(counts().pending, 2);
	expect(&after, 0);
	assert_int_equal(resolver_set_groups(resolver, groups, 1), 0);
	fake_server_reply(&server.last, 1, 60);
	expect(&before, 0);
	assert_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
}

static void
bad_groups_change_nothing(void **state)
{
	struct resolver_group bad[2] = {groups[0], {.server_count = 0}};
	struct client c = {0};

	(void)state;
	ask(&c);
	expect(&c, 0);
	assert_int_equal(resolver_set_groups(resolver, bad, 0), -EINVAL);
	assert_int_equal(resolver_set_groups(resolver, bad, 2), -EINVAL);
	bad[1] = groups[0];
	alloc_fail_at(1);
	assert_int_equal(resolver_set_groups(resolver, bad, 2), -ENOMEM);
	alloc_reset();
	assert_non_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
}

/* Memory. */

static void
freeing_with_questions_in_flight_is_safe(void **state)
{
	struct client c[3] = {{.told = false}};

	(void)state;
	server.on_query = fake_server_silent;
	ask(&c[0]);
	assert_int_equal(try_ask(&c[1], 1, &name, TYPE_A), 0);
	expect(&c[1], 0);
	server.on_query = fake_server_fails;
	assert_int_equal(try_ask(&c[2], 0, &name, TYPE_AAAA), 0);
	expect(&c[2], -EREMOTEIO);
	assert_int_equal(try_ask(&c[2], 0, &name, TYPE_AAAA), 0); /* about to be told */
	resolver_cancel(resolver, &c[0].waiter);
	resolver_cancel(resolver, &c[2].waiter);
	resolver_free(resolver);
	resolver = NULL;
	fake_server_reply(&server.last, 1, 60);
	assert_false(fake_loop_until(base, &c[0].told, QUIET_MS));
}

static void
every_failed_allocation_of_birth_is_survived(void **state)
{
	struct resolver *r;
	int result = -ENOMEM;
	size_t n;

	(void)state;
	for (n = 0; result != 0 && n < 100; n++) {
		alloc_fail_at(n);
		result = resolver_new(base, &settings, &r);
		alloc_reset();
		assert_true(result == 0 || result == -ENOMEM);
	}
	assert_in_range(n, 5, 50);
	resolver_free(r);
}

static void
every_failed_allocation_of_a_question_is_survived(void **state)
{
	struct client c = {0};
	int r, result = -ENOMEM;
	size_t n;

	(void)state;
	for (n = 0; result != 0 && n < 100; n++) {
		alloc_fail_at(n);
		r = try_ask(&c, 0, &name, TYPE_A);
		if (r == 0) {
			assert_true(fake_loop_until(base, &c.told, SOON_MS));
			result = c.result;
			forget(&c);
		}
		alloc_reset();
		assert_true(r == 0 || r == -ENOMEM);
		assert_true(result == 0 || result == -ENOMEM);
	}
	assert_in_range(n, 3, 50);
	assert_int_equal(counts().pending, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(answer_comes_and_is_found_from_then_on),
	    TEST(one_packet_serves_all_who_wait),
	    TEST(type_group_and_name_are_questions_of_their_own),
	    TEST(answer_of_ttl_zero_is_for_those_who_wait_only),
	    TEST(failure_is_remembered_for_a_second),
	    TEST(dead_server_times_out_and_is_left_alone),
	    TEST(unsendable_question_ends_from_the_loop),
	    TEST(cancelled_waiter_is_not_told_and_the_answer_kept),
	    TEST(waiter_may_cancel_another_when_told),
	    TEST(waiter_may_ask_again_when_told),
	    TEST(same_groups_change_nothing),
	    TEST(new_groups_clear_cache_and_failures),
	    TEST(question_under_way_is_of_the_old_groups),
	    TEST(bad_groups_change_nothing),
	    TEST(freeing_with_questions_in_flight_is_safe),
	    TEST(every_failed_allocation_of_birth_is_survived),
	    TEST(every_failed_allocation_of_a_question_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
