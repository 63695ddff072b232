/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/upstream_bed.h"

static void
first_server_is_asked_once(void **state)
{
	(void)state;
	ask();
	expect_answer();
	assert_int_equal(servers[0].udp_count, 1);
	assert_int_equal(servers[1].udp_count, 0);
	assert_int_equal(upstream.counts.questions, 1);
	assert_int_equal(upstream.counts.tries, 1);
}

static uint16_t fail_flags;

static void
fails(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	fake_server_fail(q, fail_flags);
}

static void
failure_rcode_leads_to_the_next_server(void **state)
{
	static const uint16_t rcodes[] = {
	    RCODE_FORMERR, RCODE_SERVFAIL, RCODE_NOTIMP, RCODE_REFUSED, 9};

	(void)state;
	servers[0].on_query = fails;
	for (size_t i = 0; i < ARRAY_LEN(rcodes); i++) {
		fail_flags = rcodes[i];
		ask();
		expect_answer();
		assert_int_equal(servers[1].udp_count, i + 1);
	}
	assert_int_equal(upstream.counts.timeouts, 0);
	assert_int_equal(upstream.counts.bare, 2); /* FORMERR and NOTIMP may mean EDNS */
}

static void
cannot_bear_edns(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	if (q->bare)
		fake_server_reply(q, 1, 60);
	else
		fake_server_fail(q, fail_flags);
}

/* And is asked with it the next time: nothing is remembered (RFC 6891 section 7). */
static void
item_49_server_without_edns_is_asked_without(void **state)
{
	static const uint16_t rcodes[] = {RCODE_FORMERR, RCODE_NOTIMP};

	(void)state;
	use_servers(1);
	servers[0].on_query = cannot_bear_edns;
	for (size_t i = 0; i < ARRAY_LEN(rcodes); i++) {
		fail_flags = rcodes[i];
		ask();
		expect_answer();
		assert_int_equal(servers[0].udp_count, 2 * (i + 1));
		assert_int_equal(upstream.counts.bare, i + 1);
	}
	fail_flags = RCODE_REFUSED;
	ask();
	expect(-EREMOTEIO);
	assert_int_equal(servers[0].udp_count, 5);
}

static void
contradictory(struct fake_server *f, const struct fake_query *q)
{
	uint8_t msg[600];
	size_t len = fake_reply_head(q, 0, msg), link = len;

	(void)f;
	/* The name is an alias of itself. */
	len = fake_reply_add(msg, len, 1, 60);
	wire_put_u16(msg + link + 2, TYPE_CNAME);
	wire_put_u16(msg + link + 10, 2);
	wire_put_u16(msg + link + 12, 0xc000 | WIRE_HEADER_LEN);
	fake_server_send(q, msg, len - 2);
}

static void
contradictory_answer_leads_to_the_next_server(void **state)
{
	(void)state;
	servers[0].on_query = contradictory;
	ask();
	expect_answer();
	assert_int_equal(servers[0].udp_count, 1);
	assert_int_equal(servers[1].udp_count, 1);
}

static void
all_failing_end_it_at_once(void **state)
{
	(void)state;
	fail_flags = RCODE_SERVFAIL;
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		servers[i].on_query = fails;
	ask();
	expect(-EREMOTEIO);
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		assert_int_equal(servers[i].udp_count, 1);
	assert_true(ended_ms - began_ms < TRY_MS);
}

static void
nxdomain_is_an_answer(void **state)
{
	(void)state;
	servers[0].on_query = fails;
	fail_flags = RCODE_NXDOMAIN;
	ask();
	expect(0);
	assert_int_equal(end_answer->rcode, RCODE_NXDOMAIN);
	assert_int_equal(servers[1].udp_count, 0);
}

static void
silence_leads_to_the_next_server(void **state)
{
	(void)state;
	servers[0].on_query = fake_server_silent;
	ask();
	expect_answer();
	assert_true(ended_ms - began_ms >= TRY_MS - 1);
	assert_int_equal(servers[1].udp_count, 1);
	assert_int_equal(upstream.counts.timeouts, 1);
}

static void
server_that_keeps_silent_is_asked_later(void **state)
{
	(void)state;
	servers[0].on_query = fake_server_silent;
	for (unsigned i = 0; i < SERVER_TIMEOUTS_BAD; i++) {
		ask();
		expect_answer();
	}
	ask();
	expect_answer();
	assert_int_equal(servers[0].udp_count, SERVER_TIMEOUTS_BAD);
	assert_true(ended_ms - began_ms < TRY_MS);
}

static void
all_silent_time_out_by_the_deadline(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		servers[i].on_query = fake_server_silent;
	ask();
	expect(-ETIMEDOUT);
	assert_in_range(
	    ended_ms - began_ms, DEADLINE_MS - UPSTREAM_TRY_MIN_MS - 1, DEADLINE_MS + 50);
	/* all in turn, then from the first again */
	assert_in_range(servers[0].udp_count, 2, 3);
	assert_int_equal(servers[2].udp_count, 2);
	assert_int_not_equal(servers[0].ids[0], servers[0].ids[1]);
	assert_int_not_equal(servers[0].ports[0], servers[0].ports[1]);
}

static void
lone_silent_server_is_asked_again(void **state)
{
	(void)state;
	use_servers(1);
	servers[0].on_query = fake_server_silent;
	ask();
	while (servers[0].udp_count < 2)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	fake_server_reply(&servers[0].last, 1, 60);
	expect_answer();
}

/* Every other query is lost. */
static void
answers_the_second(struct fake_server *f, const struct fake_query *q)
{
	if (f->udp_count % 2 == 0)
		fake_server_reply(q, 1, 60);
}

static void
reply_makes_up_for_silence(void **state)
{
	(void)state;
	use_servers(1);
	servers[0].on_query = answers_the_second;
	for (unsigned i = 0; i < SERVER_TIMEOUTS_BAD; i++) {
		ask();
		expect_answer();
	}
	assert_int_equal(upstream.counts.timeouts, SERVER_TIMEOUTS_BAD);
	assert_true(server_ask_first(group->servers[0], fake_clock_ms()));
}

static void
silence_after_failure_is_told_as_failure(void **state)
{
	(void)state;
	use_servers(2);
	servers[0].on_query = fails;
	fail_flags = RCODE_REFUSED;
	servers[1].on_query = fake_server_silent;
	ask();
	expect(-EREMOTEIO);
	assert_int_equal(servers[0].udp_count, 1);
	assert_true(servers[1].udp_count > 1);
}

/* The end. */

static void
cancelled_question_is_never_heard_of(void **state)
{
	(void)state;
	servers[0].on_query = fake_server_silent;
	ask();
	upstream_cancel(&question);
	upstream_cancel(&question);
	ask();
	assert_false(fake_loop_until(base, &ended, QUIET_MS));
	upstream_cancel(&question);
	fake_server_reply(&servers[0].last, 1, 60);
	assert_false(fake_loop_until(base, &ended, 2 * TRY_MS));
	assert_int_equal(channel_pool_counts(channels).used, 0);
}

static void
question_outlives_its_group(void **state)
{
	(void)state;
	ask();
	use_servers(1);
	expect_answer();
}

static void
shortage_ends_it(void **state)
{
	(void)state;
	fill_result = -EIO;
	assert_int_equal(try_ask(), -ENOMEM);
	fill_result = 0;
	alloc_fail_at(0);
	assert_int_equal(try_ask(), -ENOMEM);
	alloc_reset();
	servers[0].on_query = fake_server_silent;
	ask();
	assert_false(fake_loop_until(base, &ended, QUIET_MS));
	fake_server_reply(&servers[0].last, 1, 60);
	alloc_fail_at(0); /* the answer */
	expect(-ENOMEM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(first_server_is_asked_once),
	    TEST(failure_rcode_leads_to_the_next_server),
	    TEST(item_49_server_without_edns_is_asked_without),
	    TEST(contradictory_answer_leads_to_the_next_server),
	    TEST(all_failing_end_it_at_once),
	    TEST(nxdomain_is_an_answer),
	    TEST(silence_leads_to_the_next_server),
	    TEST(server_that_keeps_silent_is_asked_later),
	    TEST(all_silent_time_out_by_the_deadline),
	    TEST(lone_silent_server_is_asked_again),
	    TEST(reply_makes_up_for_silence),
	    TEST(silence_after_failure_is_told_as_failure),
	    TEST(cancelled_question_is_never_heard_of),
	    TEST(question_outlives_its_group),
	    TEST(shortage_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
