/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <unistd.h>

#include "tests/unit/upstream_bed.h"

/* To TCP. */

static void
truncates(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	if (q->tcp)
		fake_server_reply(q, 64, 60);
	else
		fake_server_fail(q, WIRE_TC);
}

static void
truncated_reply_is_asked_for_over_tcp(void **state)
{
	(void)state;
	servers[0].on_query = truncates;
	ask();
	expect(0);
	assert_int_equal(end_answer->address_count, 64);
	assert_int_equal(servers[0].udp_count, 1);
	assert_int_equal(servers[0].tcp_count, 1);
	assert_int_equal(servers[1].udp_count, 0);
	assert_int_equal(upstream.counts.truncated, 1);
	assert_int_equal(upstream.counts.tries, 2);
}

static void
truncating_server_without_tcp_leads_to_the_next_over_tcp(void **state)
{
	(void)state;
	servers[0].on_query = truncates;
	fake_server_no_tcp(&servers[0]);
	ask();
	expect_answer();
	assert_int_equal(servers[1].tcp_count, 1);
	assert_int_equal(servers[1].udp_count, 0);
}

static void
truncates_and_is_silent(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	if (!q->tcp)
		fake_server_fail(q, WIRE_TC);
}

static void
tcp_has_the_same_deadline(void **state)
{
	(void)state;
	use_servers(1);
	servers[0].on_query = truncates_and_is_silent;
	ask();
	expect(-EREMOTEIO);
	assert_true(ended_ms - began_ms <= DEADLINE_MS + 50);
}

static void
folds(struct fake_server *f, const struct fake_query *q)
{
	struct fake_query folded = *q;

	(void)f;
	for (size_t i = WIRE_HEADER_LEN; i < q->len; i++)
		folded.bytes[i] = name_fold(q->bytes[i]);
	fake_server_reply(&folded, 1, 60);
}

static void
use_one_that_folds(void)
{
	use_servers(1);
	upstream.settings.deadline_ms = 2000; /* 400 ms are too short for the pauses */
	upstream.settings.try_ms = 1000;
	servers[0].on_query = folds;
}

static void
server_that_folds_the_case_is_asked_in_small_letters(void **state)
{
	(void)state;
	use_one_that_folds();
	fake_server_no_tcp(&servers[0]);
	for (size_t i = 1; i <= SERVER_FOLDED_MAX; i++) {
		assert_int_equal(list.folding, 0);
		ask();
		expect_answer();
		assert_int_equal(servers[0].udp_count, 2 * i);
		assert_true(ended_ms - began_ms >= UPSTREAM_PAUSE_MS - 1);
	}
	assert_int_equal(list.folding, 1);
	ask(); /* from now on at once */
	expect_answer();
	assert_int_equal(servers[0].udp_count, 2 * SERVER_FOLDED_MAX + 1);
	assert_true(server_ask_first(group->servers[0], fake_clock_ms()));
	assert_int_equal(upstream.counts.timeouts, 0);
}

/* Letters in other case however they are sent. */
static void
shouts(struct fake_server *f, const struct fake_query *q)
{
	struct fake_query loud = *q;

	(void)f;
	for (size_t i = WIRE_HEADER_LEN; i < WIRE_HEADER_LEN + q->question_len - 4; i++)
		if (loud.bytes[i] >= 'a' && loud.bytes[i] <= 'z')
			loud.bytes[i] = (uint8_t)(loud.bytes[i] - 'a' + 'A');
	fake_server_reply(&loud, 1, 60);
}

static void
server_that_changes_small_letters_is_asked_over_tcp(void **state)
{
	(void)state;
	use_one_that_folds();
	servers[0].on_query = shouts;
	ask();
	expect_answer();
	assert_int_equal(servers[0].udp_count, CHANNEL_WRONG_MAX);
	assert_int_equal(servers[0].tcp_count, 1);
	assert_true(server_ask_first(group->servers[0], fake_clock_ms()));
}

static void
right_reply_behind_a_folded_one_is_taken(void **state)
{
	(void)state;
	use_one_that_folds();
	ask();
	while (servers[0].udp_count == 0)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	fake_server_reply(&servers[0].last, 1, 60);
	expect_answer();
	assert_int_equal(servers[0].udp_count, 1);
	assert_int_equal(group->servers[0]->folded, 0);
}

static size_t wrong_count;

static void
answers_wrong_first(struct fake_server *f, const struct fake_query *q)
{
	struct fake_query wrong = *q;

	(void)f;
	wrong.bytes[0] ^= 1;
	for (size_t i = 0; i < wrong_count && !q->tcp; i++)
		fake_server_reply(&wrong, 1, 60);
	fake_server_reply(q, 1, 60);
}

static void
many_wrong_replies_lead_to_tcp(void **state)
{
	(void)state;
	servers[0].on_query = answers_wrong_first;
	wrong_count = CHANNEL_WRONG_MAX;
	ask();
	expect_answer();
	assert_int_equal(servers[0].tcp_count, 1);
	assert_int_equal(channel_pool_counts(channels).mismatches, CHANNEL_WRONG_MAX);
	assert_int_equal(upstream.counts.truncated, 0);
	wrong_count = 1;
	ask();
	expect_answer();
	assert_int_equal(servers[0].tcp_count, 1);
}

static void
answers_wrong(struct fake_server *f, const struct fake_query *q)
{
	struct fake_query wrong = *q;

	(void)f;
	wrong.bytes[0] ^= 1;
	fake_server_reply(q->tcp ? q : &wrong, 1, 60);
}

static void
wrong_replies_count_over_all_tries(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		servers[i].on_query = answers_wrong;
	ask();
	expect_answer();
	assert_int_equal(
	    servers[0].udp_count + servers[1].udp_count + servers[2].udp_count,
	    CHANNEL_WRONG_MAX);
	assert_int_equal(servers[2].tcp_count, 1);
}

/* Signs of absence. */

static void
closed_port_leads_to_the_next_server_after_a_pause(void **state)
{
	(void)state;
	upstream.settings.deadline_ms = 2000;
	upstream.settings.try_ms = 1000;
	event_del(servers[0].udp_event);
	assert_int_equal(close(servers[0].udp), 0);
	ask();
	expect_answer();
	assert_in_range(ended_ms - began_ms, UPSTREAM_PAUSE_MS - 1, 900);
	servers[0].udp = dup(servers[1].udp); /* for the end of the test to close */
}

static void
closed_port_is_not_hammered(void **state)
{
	(void)state;
	use_servers(1);
	upstream.settings.deadline_ms = 2000;
	upstream.settings.try_ms = 1000;
	event_del(servers[0].udp_event);
	assert_int_equal(close(servers[0].udp), 0);
	ask();
	expect(-ETIMEDOUT);
	assert_int_equal(upstream.counts.tries, UPSTREAM_TRIES_MAX);
	assert_true(ended_ms - began_ms < 1900);
	servers[0].udp = dup(servers[1].udp); /* for the end of the test to close */
}

static void
group_without_a_way_is_unreachable_at_once(void **state)
{
	struct endpoint broadcast = {.port = 53};
	struct resolver_group settings = {.servers = &broadcast, .server_count = 1};

	(void)state;
	assert_int_equal(addr_parse("255.255.255.255", 15, &broadcast.addr), 0);
	server_group_unref(group);
	assert_int_equal(server_group_new(&list, &settings, &group), 0);
	assert_int_equal(try_ask(), -ENETUNREACH);
	assert_false(fake_loop_until(base, &ended, QUIET_MS));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(truncated_reply_is_asked_for_over_tcp),
	    TEST(truncating_server_without_tcp_leads_to_the_next_over_tcp),
	    TEST(tcp_has_the_same_deadline),
	    TEST(server_that_folds_the_case_is_asked_in_small_letters),
	    TEST(server_that_changes_small_letters_is_asked_over_tcp),
	    TEST(right_reply_behind_a_folded_one_is_taken),
	    TEST(many_wrong_replies_lead_to_tcp),
	    TEST(wrong_replies_count_over_all_tries),
	    TEST(closed_port_leads_to_the_next_server_after_a_pause),
	    TEST(closed_port_is_not_hammered),
	    TEST(group_without_a_way_is_unreachable_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
