/* SPDX-License-Identifier: Apache-2.0 */
/* Old answers while the servers fail (RFC 8767), and popular ones asked for in time. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>

#include "resolver/failure.h"
#include "tests/unit/resolver_bed.h"

#define PATIENCE_MS 20
#define OVER_MS 60000 /* the bed's TTL */
#define NEARLY_MS 55000

static void
tune(int64_t patience_ms)
{
	settings.times.patience_ms = patience_ms;
	assert_int_equal(resolver_tune(resolver, &settings.times, &settings.cache), 0);
}

/* With an answer in the cache that is over. */
static void
grow_old(void)
{
	struct client c = {0};

	ask(&c);
	expect(&c, 0);
	clock_ahead_ms += OVER_MS;
	assert_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
}

static void
expect_old(struct client *c)
{
	assert_true(fake_loop_until(base, &c->told, SOON_MS));
	assert_int_equal(c->result, 0);
	assert_true(c->waiter.old);
	assert_int_equal(c->answer->address_count, 1);
	forget(c);
}

static void
wait_asked(size_t count)
{
	while (server.udp_count < count)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
}

static void
item_57_servers_that_fail_are_stood_in_for(void **state)
{
	struct client c = {0};

	(void)state;
	grow_old();
	server.on_query = fake_server_fails;
	ask(&c);
	expect_old(&c);
	assert_int_equal(server.udp_count, 2);
	ask(&c); /* the failure is remembered: nobody is asked */
	expect_old(&c);
	assert_int_equal(server.udp_count, 2);
	assert_int_equal(counts().old, 2);
	server.on_query = answers;
	clock_ahead_ms += FAILURE_KEPT_MS;
	ask(&c);
	expect(&c, 0);
	assert_false(c.waiter.old);
	assert_int_equal(counts().old, 2);
}

static void
item_57_without_patience_silence_is_waited_out(void **state)
{
	struct client c = {0};
	int64_t began_ms = fake_clock_ms();

	(void)state;
	grow_old();
	server.on_query = fake_server_silent;
	ask(&c);
	expect_old(&c);
	assert_true(fake_clock_ms() - began_ms >= settings.times.deadline_ms - 10);
	assert_int_equal(counts().pending, 0);
}

static void
item_57_silence_is_not_waited_out(void **state)
{
	struct client c = {0}, later = {0};

	(void)state;
	settings.times.deadline_ms = SOON_MS;
	tune(PATIENCE_MS);
	grow_old();
	server.on_query = fake_server_silent;
	ask(&c);
	expect_old(&c);
	assert_int_equal(counts().pending, 1);
	ask(&later); /* and whoever comes then does not wait at all */
	expect_old(&later);
	assert_int_equal(counts().pending, 1);
	server.on_query = answers; /* the next try */
	while (counts().pending > 0)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	assert_non_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
	assert_int_equal(counts().failures, 0);
}

/* It would be told for ever if those who join were told in the same round. */
static void
who_is_told_early_may_ask_again(void **state)
{
	struct client c[2] = {{.told = false}};

	(void)state;
	tune(PATIENCE_MS);
	grow_old();
	server.on_query = fake_server_silent;
	c[0].next = &c[1];
	c[0].victim = &c[1];
	ask(&c[0]);
	ask(&c[1]);
	expect_old(&c[0]);
	assert_false(c[1].told);
	expect_old(&c[1]);
}

static void
nothing_old_is_nothing_to_serve(void **state)
{
	struct client c = {0};

	(void)state;
	tune(PATIENCE_MS);
	server.on_query = fake_server_silent;
	ask(&c);
	expect(&c, -ETIMEDOUT);
	clock_ahead_ms += FAILURE_KEPT_MS;
	server.on_query = answers;
	grow_old();
	clock_ahead_ms += (int64_t)settings.cache.old_max_s * 1000;
	server.on_query = fake_server_fails;
	ask(&c);
	expect(&c, -EREMOTEIO);
	assert_int_equal(counts().old, 0);
}

static void
item_57_may_be_switched_off(void **state)
{
	struct client c = {0};

	(void)state;
	settings.cache.old_max_s = 0;
	tune(PATIENCE_MS);
	grow_old();
	server.on_query = fake_server_fails;
	ask(&c);
	expect(&c, -EREMOTEIO);
}

/* Nobody has to wait any more, and nobody has to ask for somebody to find out that the
 * server is back. */
static void
item_57_servers_known_to_be_bad_are_not_waited_for(void **state)
{
	struct client c = {0};
	struct name elsewhere;

	(void)state;
	grow_old();
	assert_null(resolver_find_old(resolver, 0, &name, TYPE_A, now_ms()));
	server.on_query = fake_server_silent;
	ask(&c);
	expect_old(&c);
	assert_non_null(resolver_find_old(resolver, 0, &name, TYPE_A, now_ms()));
	assert_int_equal(counts().old, 2);
	assert_int_equal(counts().pending, 0); /* it has failed just now */
	name_parent(&name, &elsewhere);
	assert_null(resolver_find_old(resolver, 0, &elsewhere, TYPE_A, now_ms()));
	assert_null(resolver_find_old(resolver, 1, &name, TYPE_A, now_ms()));
	assert_null(resolver_find_old(resolver, 2, &name, TYPE_A, now_ms()));
	clock_ahead_ms += FAILURE_KEPT_MS;
	server.on_query = answers;
	assert_non_null(resolver_find_old(resolver, 0, &name, TYPE_A, now_ms()));
	assert_int_equal(counts().refreshes, 1);
	while (counts().pending > 0)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	assert_non_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
	assert_null(resolver_find_old(resolver, 0, &name, TYPE_A, now_ms()));
}

static void
servers_of_before_a_reload_are_not_stood_in_for(void **state)
{
	struct client c = {0};

	(void)state;
	tune(PATIENCE_MS);
	grow_old();
	server.on_query = fake_server_silent;
	ask(&c);
	groups[0] = groups[1];
	assert_int_equal(resolver_set_groups(resolver, groups, ARRAY_LEN(groups)), 0);
	expect(&c, -ETIMEDOUT);
}

/* Asking in time. */

static void
make_popular(void)
{
	for (size_t i = 0; i < CACHE_POPULAR; i++)
		assert_non_null(
		    resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
}

static void
popular_answer_is_asked_for_before_it_is_over(void **state)
{
	struct client c = {0};

	(void)state;
	ask(&c);
	expect(&c, 0);
	make_popular();
	assert_int_equal(counts().refreshes, 0);
	clock_ahead_ms += NEARLY_MS;
	make_popular();
	assert_int_equal(counts().refreshes, 1);
	assert_int_equal(counts().pending, 1);
	while (counts().pending > 0)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	assert_int_equal(server.udp_count, 2);
	clock_ahead_ms += OVER_MS - NEARLY_MS;
	assert_non_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
}

static void
answer_nobody_asks_for_is_left_to_end(void **state)
{
	struct client c = {0};

	(void)state;
	ask(&c);
	expect(&c, 0);
	clock_ahead_ms += NEARLY_MS;
	for (size_t i = 1; i < CACHE_POPULAR; i++)
		assert_non_null(
		    resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
	assert_int_equal(counts().refreshes, 0);
	assert_int_equal(counts().pending, 0);
}

static void
who_comes_meanwhile_joins(void **state)
{
	struct client c = {0};

	(void)state;
	tune(PATIENCE_MS);
	ask(&c);
	expect(&c, 0);
	server.on_query = fake_server_silent;
	clock_ahead_ms += NEARLY_MS;
	make_popular();
	clock_ahead_ms += OVER_MS - NEARLY_MS;
	ask(&c);
	assert_int_equal(counts().joined, 1);
	expect_old(&c);
	wait_asked(2);
	ask(&c);
	fake_server_reply(&server.last, 1, 60);
	assert_true(fake_loop_until(base, &c.told, SOON_MS));
	forget(&c);
}

static void
refreshes_are_bounded(void **state)
{
	struct client c = {0};
	struct name names[RESOLVER_REFRESH_MAX + 1];
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(text, sizeof(text), "n%zu.example", i);
		assert_int_equal(name_parse(text, strlen(text), &names[i]), 0);
		assert_int_equal(try_ask(&c, 0, &names[i], TYPE_A), 0);
		expect(&c, 0);
	}
	clock_ahead_ms += NEARLY_MS;
	for (size_t k = 0; k < CACHE_POPULAR; k++)
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			assert_non_null(resolver_find(
			    resolver, 0, &names[i], TYPE_A, now_ms(), NULL));
	assert_int_equal(counts().refreshes, RESOLVER_REFRESH_MAX);
	assert_int_equal(counts().pending, RESOLVER_REFRESH_MAX);
	while (counts().pending > 0)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	grow_old(); /* and are free again */
}

static void
hit_takes_no_memory_and_refresh_may_fail(void **state)
{
	struct client c = {0};

	(void)state;
	ask(&c);
	expect(&c, 0);
	alloc_fail_at(0);
	make_popular();
	assert_int_equal(alloc_count(), 0);
	clock_ahead_ms += NEARLY_MS;
	make_popular();
	alloc_reset();
	while (counts().pending > 0)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	assert_int_equal(counts().refreshes, 1);
	assert_int_equal(counts().failures, 1);
	assert_non_null(resolver_find(resolver, 0, &name, TYPE_A, now_ms(), NULL));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(item_57_servers_that_fail_are_stood_in_for),
	    TEST(item_57_without_patience_silence_is_waited_out),
	    TEST(item_57_silence_is_not_waited_out),
	    TEST(who_is_told_early_may_ask_again),
	    TEST(nothing_old_is_nothing_to_serve),
	    TEST(item_57_may_be_switched_off),
	    TEST(item_57_servers_known_to_be_bad_are_not_waited_for),
	    TEST(servers_of_before_a_reload_are_not_stood_in_for),
	    TEST(popular_answer_is_asked_for_before_it_is_over),
	    TEST(answer_nobody_asks_for_is_left_to_end),
	    TEST(who_comes_meanwhile_joins),
	    TEST(refreshes_are_bounded),
	    TEST(hit_takes_no_memory_and_refresh_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
