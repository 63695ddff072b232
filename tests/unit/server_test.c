/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "resolver/server.h"
#include "tests/unit/alloc.h"

static struct event_base *base;
static struct socket_pool pool;
static struct server_list list;
static struct endpoint endpoints[RESOLVER_SERVERS_MAX + 1];

static int64_t
now_ms(void)
{
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	base = event_base_new();
	socket_pool_init(&pool, base, now_ms);
	server_list_init(&list, &pool);
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		endpoints[i].port = (uint16_t)(53 + i);
		assert_int_equal(addr_parse("192.0.2.1", 9, &endpoints[i].addr), 0);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	alloc_reset();
	assert_true(TAILQ_EMPTY(&list.servers));
	socket_pool_done(&pool);
	event_base_free(base);
	return 0;
}

static struct server_group *
group_of(size_t first, size_t count)
{
	const struct resolver_group settings = {
	    .servers = endpoints + first,
	    .server_count = count,
	};
	struct server_group *g;

	assert_int_equal(server_group_new(&list, &settings, &g), 0);
	return g;
}

static void
make_bad(struct server *s, int64_t at_ms)
{
	for (unsigned i = 0; i < SERVER_TIMEOUTS_BAD; i++)
		server_silent(s, at_ms);
}

static int
group_error(const struct endpoint *servers, size_t count)
{
	const struct resolver_group settings = {
	    .servers = servers, .server_count = count};
	struct server_group *g;

	return server_group_new(&list, &settings, &g);
}

static void
group_out_of_range_is_refused(void **state)
{
	struct endpoint bad = endpoints[0];

	(void)state;
	assert_int_equal(group_error(endpoints, 0), -EINVAL);
	assert_int_equal(group_error(endpoints, RESOLVER_SERVERS_MAX + 1), -EINVAL);
	bad.port = 0;
	assert_int_equal(group_error(&bad, 1), -EINVAL);
	bad = endpoints[0];
	bad.addr.family = 0;
	assert_int_equal(group_error(&bad, 1), -EINVAL);
	server_group_unref(group_of(0, RESOLVER_SERVERS_MAX));
}

static void
without_memory_nothing_is_left_behind(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4; n++) {
		alloc_fail_at(n);
		assert_int_equal(group_error(endpoints, 3), -ENOMEM);
		assert_true(TAILQ_EMPTY(&list.servers));
	}
}

static void
groups_share_a_server_and_its_health(void **state)
{
	struct server_group *a = group_of(0, 2), *b = group_of(1, 2);

	(void)state;
	assert_ptr_equal(a->servers[1], b->servers[0]);
	make_bad(a->servers[1], 0);
	server_group_unref(a);
	assert_false(server_ask_first(b->servers[0], 1));
	server_group_unref(b);
}

static void
group_lives_as_long_as_it_is_held(void **state)
{
	struct server_group *g = group_of(0, 1);

	(void)state;
	server_group_ref(g);
	server_group_unref(g);
	assert_int_equal(server_endpoint(g->servers[0])->port, 53);
	server_group_unref(g);
	server_group_unref(NULL);
}

static void
group_is_the_same_only_in_the_same_order(void **state)
{
	const struct endpoint turned[] = {endpoints[1], endpoints[0]};
	const struct resolver_group same = {.servers = endpoints, .server_count = 2};
	const struct resolver_group shorter = {.servers = endpoints, .server_count = 1};
	const struct resolver_group other = {.servers = turned, .server_count = 2};
	struct server_group *g = group_of(0, 2);

	(void)state;
	assert_true(server_group_same(g, &same));
	assert_false(server_group_same(g, &shorter));
	assert_false(server_group_same(g, &other));
	server_group_unref(g);
}

static void
one_silence_is_forgiven(void **state)
{
	struct server_group *g = group_of(0, 1);

	(void)state;
	server_silent(g->servers[0], 0);
	assert_true(server_ask_first(g->servers[0], 0));
	server_group_unref(g);
}

static void
bad_servers_come_last_in_their_order(void **state)
{
	struct server_group *g = group_of(0, 4);
	struct server *order[RESOLVER_SERVERS_MAX];

	(void)state;
	make_bad(g->servers[0], 0);
	make_bad(g->servers[2], 0);
	server_group_order(g, 1, order);
	assert_ptr_equal(order[0], g->servers[1]);
	assert_ptr_equal(order[1], g->servers[3]);
	assert_ptr_equal(order[2], g->servers[0]);
	assert_ptr_equal(order[3], g->servers[2]);
	server_group_unref(g);
}

static void
all_bad_are_all_asked(void **state)
{
	struct server_group *g = group_of(0, 2);
	struct server *order[RESOLVER_SERVERS_MAX];
	size_t all, bad;

	(void)state;
	make_bad(g->servers[0], 0);
	make_bad(g->servers[1], 0);
	server_group_order(g, 1, order);
	assert_ptr_equal(order[0], g->servers[0]);
	assert_ptr_equal(order[1], g->servers[1]);
	assert_true(server_group_is_bad(g));
	server_list_count(&list, &all, &bad);
	assert_int_equal(all, 2);
	assert_int_equal(bad, 2);
	server_replied(g->servers[1], -1);
	assert_false(server_group_is_bad(g));
	server_list_count(&list, &all, &bad);
	assert_int_equal(bad, 1);
	server_group_unref(g);
}

static void
bad_server_is_tried_once_in_a_growing_penalty(void **state)
{
	struct server_group *g = group_of(0, 1);
	struct server *s = g->servers[0];
	int64_t at_ms = 0, penalty_ms = SERVER_PENALTY_MIN_MS;

	(void)state;
	make_bad(s, at_ms);
	for (size_t i = 0; i < 10; i++) {
		assert_false(server_ask_first(s, at_ms + penalty_ms - 1));
		at_ms += penalty_ms;
		assert_true(server_ask_first(s, at_ms));
		assert_false(server_ask_first(s, at_ms));
		server_silent(s, at_ms);
		penalty_ms = MIN_OF(2 * penalty_ms, SERVER_PENALTY_MAX_MS);
	}
	assert_int_equal(penalty_ms, SERVER_PENALTY_MAX_MS);
	server_group_unref(g);
}

static void
reply_makes_a_server_good(void **state)
{
	struct server_group *g = group_of(0, 1);

	(void)state;
	make_bad(g->servers[0], 0);
	server_replied(g->servers[0], -1);
	assert_true(server_ask_first(g->servers[0], 0));
	server_silent(g->servers[0], 0);
	assert_true(server_ask_first(g->servers[0], 0));
	server_group_unref(g);
}

static void
failures_make_a_server_bad_until_it_answers(void **state)
{
	struct server_group *g = group_of(0, 1);
	struct server *s = g->servers[0];

	(void)state;
	for (unsigned i = 1; i < SERVER_FAILURES_BAD; i++)
		server_failed(s, 0);
	assert_true(server_ask_first(s, 0));
	server_failed(s, 0);
	assert_false(server_ask_first(s, 0));
	server_replied(s, 1); /* it is there, and as useless as before */
	assert_false(server_ask_first(s, SERVER_PENALTY_MIN_MS - 1));
	assert_true(server_ask_first(s, SERVER_PENALTY_MIN_MS));
	server_answered(s);
	assert_true(server_ask_first(s, SERVER_PENALTY_MIN_MS));
	server_group_unref(g);
}

static void
slow_servers_come_later_but_are_looked_at_again(void **state)
{
	struct server_group *g = group_of(0, 3);
	struct server *order[RESOLVER_SERVERS_MAX];

	(void)state;
	server_replied(g->servers[0], 2 + 2 * SERVER_SLOW_MS);
	server_replied(g->servers[1], 2);
	make_bad(g->servers[2], 1000);
	server_group_order(g, 1000, order); /* once it is looked at */
	assert_ptr_equal(order[0], g->servers[0]);
	for (int64_t ms = 0; ms < SERVER_PENALTY_MAX_MS; ms += 500) {
		make_bad(g->servers[2], 1000 + ms);
		g->servers[2]->retry_at_ms = INT64_MAX;
		server_group_order(g, 1000 + ms, order);
		assert_ptr_equal(order[0], g->servers[1]);
		assert_ptr_equal(order[1], g->servers[0]);
		assert_ptr_equal(order[2], g->servers[2]);
	}
	server_group_order(g, 1000 + SERVER_PENALTY_MAX_MS, order);
	assert_ptr_equal(order[0], g->servers[0]);
	for (unsigned i = 0; i < 30; i++)
		server_replied(g->servers[0], 2); /* it has become quick */
	server_group_order(g, 1001 + SERVER_PENALTY_MAX_MS, order);
	assert_ptr_equal(order[0], g->servers[0]);
	server_group_unref(g);
}

static void
wait_is_as_long_as_replies_take(void **state)
{
	struct server_group *g = group_of(0, 1);
	struct server *s = g->servers[0];

	(void)state;
	assert_int_equal(server_wait_ms(s, 800), 800); /* nothing is known */
	server_replied(s, 1);
	assert_int_equal(server_wait_ms(s, 800), 400);
	server_replied(s, -1); /* over TCP: says nothing */
	assert_int_equal(server_wait_ms(s, 800), 400);
	server_silent(s, 0);
	assert_int_equal(server_wait_ms(s, 800), 800); /* back off */
	for (unsigned i = 0; i < 100; i++)
		server_replied(s, 500);
	assert_in_range(server_wait_ms(s, 800), 500, 520);
	server_replied(s, 5000);
	assert_int_equal(server_wait_ms(s, 800), 800);
	server_group_unref(g);
}

static void
folding_is_noticed_for_a_time(void **state)
{
	struct server_group *g = group_of(0, 1);
	struct server *s = g->servers[0];

	(void)state;
	for (unsigned i = 1; i < SERVER_FOLDED_MAX; i++)
		server_folded(s, 5);
	server_kept_case(s); /* it was something else then */
	for (unsigned i = 1; i < SERVER_FOLDED_MAX; i++)
		server_folded(s, 5);
	assert_true(server_keeps_case(s, 5));
	assert_int_equal(list.folding, 0);
	server_folded(s, 5);
	server_folded(s, 6); /* one that was under way */
	assert_false(server_keeps_case(s, 5 + SERVER_AS_IS_MS - 1));
	assert_true(server_keeps_case(s, 5 + SERVER_AS_IS_MS));
	assert_int_equal(list.folding, 1);
	server_folded(s, 5 + SERVER_AS_IS_MS);
	assert_false(server_keeps_case(s, 5 + SERVER_AS_IS_MS));
	assert_int_equal(list.folding, 2);
	server_group_unref(g);
}

static void
guesses_are_noticed_for_a_time(void **state)
{
	struct server_group *g = group_of(0, 1);
	struct server *s = g->servers[0];

	(void)state;
	for (unsigned i = 1; i < SERVER_GUESSES_MAX; i++)
		server_wrong(s, 5);
	server_wrong(s, 5 + SERVER_GUESSES_MS); /* those before are too old */
	for (unsigned i = 2; i < SERVER_GUESSES_MAX; i++)
		server_wrong(s, 5 + SERVER_GUESSES_MS);
	assert_false(server_is_guessed(s, 5 + SERVER_GUESSES_MS));
	assert_int_equal(list.guessed, 0);
	server_wrong(s, 4 + 2 * SERVER_GUESSES_MS);
	server_wrong(s, 5 + 2 * SERVER_GUESSES_MS); /* to one that was under way */
	assert_true(server_is_guessed(s, 3 + 2 * SERVER_GUESSES_MS + SERVER_GUESSED_MS));
	assert_false(server_is_guessed(s, 4 + 2 * SERVER_GUESSES_MS + SERVER_GUESSED_MS));
	assert_int_equal(list.guessed, 1);
	server_group_unref(g);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(group_out_of_range_is_refused),
	    TEST(without_memory_nothing_is_left_behind),
	    TEST(groups_share_a_server_and_its_health),
	    TEST(group_lives_as_long_as_it_is_held),
	    TEST(group_is_the_same_only_in_the_same_order),
	    TEST(one_silence_is_forgiven),
	    TEST(bad_servers_come_last_in_their_order),
	    TEST(all_bad_are_all_asked),
	    TEST(bad_server_is_tried_once_in_a_growing_penalty),
	    TEST(reply_makes_a_server_good),
	    TEST(failures_make_a_server_bad_until_it_answers),
	    TEST(slow_servers_come_later_but_are_looked_at_again),
	    TEST(wait_is_as_long_as_replies_take),
	    TEST(folding_is_noticed_for_a_time),
	    TEST(guesses_are_noticed_for_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
