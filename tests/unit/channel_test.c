/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/channel_bed.h"

/* Replies. */

static size_t reply_records;

static void
answers_many(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	fake_server_reply(q, reply_records, 60);
}

static void
reply_arrives_whole(void **state)
{
	/* around c-ares's 512 and up to what we ask for */
	static const size_t records[] = {0, 1, 29, 30, 31, 60, 74};

	(void)state;
	server.on_query = answers_many;
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		reply_records = records[i];
		ask(CARRIER_UDP);
		expect(0);
		assert_int_equal(job.len, WIRE_HEADER_LEN + 21 + 16 * records[i]);
		assert_memory_equal(job.msg, job.packet.bytes, 2);
		assert_int_equal(wire_check(job.msg, job.len), 0);
		assert_false(job.doubted);
	}
	assert_int_equal(channel_pool_counts(pool).mismatches, 0);
}

static void
names_of_any_bytes_are_carried(void **state)
{
	static const struct name names[] = {
	    {.len = 1, .labels = 0, .bytes = {0}},
	    {.len = 6, .labels = 1, .bytes = {4, 'a', '.', 0, 0xff, 0}},
	    {.len = 7, .labels = 2, .bytes = {2, ' ', '\\', 2, '"', '*', 0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(try_ask_name(&job, &names[i], CARRIER_UDP), 0);
		expect(0);
		assert_int_equal(try_ask_name(&job, &names[i], CARRIER_TCP), 0);
		expect(0);
	}
}

static void
truncated(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	fake_server_fail(q, WIRE_TC);
}

static void
cut_reply_is_not_given_out(void **state)
{
	(void)state;
	server.on_query = truncated;
	ask(CARRIER_UDP);
	expect(-EMSGSIZE);
	assert_int_equal(job.len, 0);
	server.on_query = answers_many;
	reply_records = 80; /* 1,313 bytes, more than we asked for */
	ask(CARRIER_UDP);
	expect(-EMSGSIZE);
}

/* What is not the reply. */

struct forgery {
	const char *what;
	size_t byte; /* changed by mask */
	uint8_t mask;
	size_t len; /* of what is sent; SIZE_MAX: all */
	bool folded;
};

static const struct forgery forgeries[] = {
    {"id", 0, 0x01, SIZE_MAX, false},
    {"id, low byte", 1, 0x80, SIZE_MAX, false},
    {"QR=0", 2, 0x80, SIZE_MAX, false},
    {"opcode", 2, 0x08, SIZE_MAX, false},
    {"no question", 5, 0x01, SIZE_MAX, false},
    {"two questions", 5, 0x03, SIZE_MAX, false},
    {"records that are not there", 9, 0x01, SIZE_MAX, false},
    {"letter case", 13, 0x20, SIZE_MAX, true},
    {"name", 13, 0x01, SIZE_MAX, false},
    {"type", 30, 0x1d, SIZE_MAX, false},
    {"class", 32, 0x02, SIZE_MAX, false},
    {"no bytes", 0, 0, 0, false},
    {"half a header", 0, 0, 6, false},
    {"header alone", 0, 0, 12, false},
    {"half a question", 0, 0, 20, false},
    {"half a record", 0, 0, 40, false},
};

static const struct forgery *forgery;
static size_t forgery_count;

/* The next one, after so long that what came before is forgotten. */
static void
next_forgery(size_t i)
{
	fake_clock_forward(SERVER_GUESSES_MS + SERVER_GUESSED_MS);
	forgery = &forgeries[i];
}

static void
send_forgery(const struct fake_query *q)
{
	uint8_t msg[600];
	size_t len = fake_reply_head(q, 0, msg);

	len = fake_reply_add(msg, len, 1, 60);
	msg[forgery->byte] ^= forgery->mask;
	fake_server_send(q, msg, MIN_OF(len, forgery->len));
}

static void
forges_then_answers(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	for (size_t i = 0; i < forgery_count; i++)
		send_forgery(q);
	fake_server_reply(q, 2, 60);
}

static void
forged_replies_are_ignored_and_the_right_one_taken(void **state)
{
	uint64_t mismatches = 0;

	(void)state;
	server.on_query = forges_then_answers;
	forgery_count = CHANNEL_WRONG_MAX - 1;
	for (size_t i = 0; i < ARRAY_LEN(forgeries); i++) {
		next_forgery(i);
		ask(CARRIER_UDP);
		expect(0);
		assert_int_equal(job.len, WIRE_HEADER_LEN + 21 + 2 * 16);
		assert_int_equal(job.doubted, forgery->folded);
		mismatches += forgery_count;
		assert_int_equal(channel_pool_counts(pool).mismatches, mismatches);
	}
}

static void
too_many_forged_replies_end_it(void **state)
{
	(void)state;
	server.on_query = forges_then_answers;
	forgery_count = CHANNEL_WRONG_MAX;
	for (size_t i = 0; i < ARRAY_LEN(forgeries); i++) {
		next_forgery(i);
		ask(CARRIER_UDP);
		expect(-EPROTO);
		assert_int_equal(job.use.wrong_left, 0);
	}
}

static void
one_wrong_reply_ends_it_where_somebody_guesses(void **state)
{
	(void)state;
	server.on_query = forges_then_answers;
	forgery_count = CHANNEL_WRONG_MAX - 1;
	next_forgery(0);
	for (size_t i = 1; i < SERVER_GUESSES_MAX / forgery_count; i++) {
		ask(CARRIER_UDP);
		expect(0);
	}
	ask(CARRIER_UDP);
	expect(-EPROTO);  /* at the last that is borne */
	ask(CARRIER_UDP); /* as one does that was under way before that was known */
	expect(-EPROTO);
	assert_int_equal(job.use.wrong_left, CHANNEL_WRONG_MAX - 1);
	assert_int_equal(list.guessed, 1);
	fake_clock_forward(SERVER_GUESSED_MS);
	ask(CARRIER_UDP);
	expect(0);
	fake_clock_forward(SERVER_GUESSES_MS);
	for (size_t i = 0; i < 2 * (size_t)SERVER_GUESSES_MAX; i++) {
		forgery = &forgeries[2 + i % 10]; /* with the id: whoever knows it */
		ask(CARRIER_UDP);
		expect(0);
	}
	assert_int_equal(list.guessed, 1);
}

static void
reply_from_another_port_is_not_seen(void **state)
{
	struct fake_server other;
	struct fake_query q;

	(void)state;
	fake_server_start(&other, base, fake_server_silent);
	server.on_query = fake_server_silent;
	ask(CARRIER_UDP);
	expect_nothing();
	q = server.last;
	q.fd = other.udp;
	fake_server_reply(&q, 1, 60);
	expect_nothing();
	assert_int_equal(channel_pool_counts(pool).mismatches, 0);
	fake_server_reply(&server.last, 1, 60);
	expect(0);
	fake_server_stop(&other);
}

static void
answers_twice(struct fake_server *f, const struct fake_query *q)
{
	fake_server_answers(f, q);
	fake_server_answers(f, q);
}

static void
doubled_reply_does_not_disturb_the_next_question(void **state)
{
	(void)state;
	server.on_query = answers_twice;
	for (size_t i = 0; i < 20; i++) {
		ask(CARRIER_UDP);
		expect(0);
	}
}

static void
icmp_error_is_a_doubt_and_no_end(void **state)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&server.endpoint, &ss);

	(void)state;
	event_del(server.udp_event);
	assert_int_equal(close(server.udp), 0);
	ask(CARRIER_UDP);
	assert_true(fake_loop_until(base, &job.doubted, SOON_MS));
	assert_int_equal(job.sign, -ECONNREFUSED);
	assert_false(job.ended);
	assert_non_null(job.use.channel);
	server.udp = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(server.udp, (struct sockaddr *)&ss, len), 0);
}

static void
unreachable_server_is_told_at_once(void **state)
{
	struct endpoint broadcast = {.port = 53};
	struct resolver_group settings = {.servers = &broadcast, .server_count = 1};

	(void)state;
	assert_int_equal(addr_parse("255.255.255.255", 15, &broadcast.addr), 0);
	server_group_unref(group);
	assert_int_equal(server_group_new(&list, &settings, &group), 0);
	assert_true(try_ask(&job, CARRIER_UDP) < 0);
	assert_true(try_ask(&job, CARRIER_TCP) < 0);
	assert_false(job.ended);
	assert_int_equal(channel_pool_counts(pool).used, 0);
}

/* TCP. */

static void
large_reply_comes_over_tcp(void **state)
{
	(void)state;
	server.on_query = answers_many;
	reply_records = 4000;
	ask(CARRIER_TCP);
	expect(0);
	assert_int_equal(job.len, WIRE_HEADER_LEN + 21 + 16 * reply_records);
	assert_int_equal(server.tcp_count, 1);
	assert_int_equal(server.udp_count, 0);
}

static void
answers_folded(struct fake_server *f, const struct fake_query *q)
{
	struct fake_query folded = *q;

	(void)f;
	for (size_t i = WIRE_HEADER_LEN; i < q->len; i++)
		folded.bytes[i] = name_fold(q->bytes[i]);
	fake_server_reply(&folded, 1, 60);
}

static void
folded_reply_is_believed_over_tcp(void **state)
{
	(void)state;
	server.on_query = answers_folded;
	ask(CARRIER_TCP);
	expect(0);
	assert_int_equal(channel_pool_counts(pool).mismatches, 0);
}

static void
sends_one_forgery(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	send_forgery(q);
}

static void
wrong_reply_over_tcp_ends_it(void **state)
{
	(void)state;
	server.on_query = sends_one_forgery;
	for (size_t i = 0; i < ARRAY_LEN(forgeries); i++) {
		forgery = &forgeries[i]; /* some c-ares lets through, some it passes by */
		ask(CARRIER_TCP);
		expect(forgery->folded ? 0 : -EPROTO);
	}
	server.on_query = truncated;
	ask(CARRIER_TCP);
	expect(-EPROTO);
}

static void
hangs_up(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	(void)shutdown(q->fd, SHUT_RDWR); /* the connection is there */
}

static void
lost_and_refused_connections_are_errors(void **state)
{
	(void)state;
	server.on_query = hangs_up;
	ask(CARRIER_TCP);
	expect(-ECONNRESET);
	fake_server_no_tcp(&server);
	ask(CARRIER_TCP);
	expect(-ECONNREFUSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(reply_arrives_whole),
	    TEST(names_of_any_bytes_are_carried),
	    TEST(cut_reply_is_not_given_out),
	    TEST(forged_replies_are_ignored_and_the_right_one_taken),
	    TEST(too_many_forged_replies_end_it),
	    TEST(one_wrong_reply_ends_it_where_somebody_guesses),
	    TEST(reply_from_another_port_is_not_seen),
	    TEST(doubled_reply_does_not_disturb_the_next_question),
	    TEST(icmp_error_is_a_doubt_and_no_end),
	    TEST(unreachable_server_is_told_at_once),
	    TEST(large_reply_comes_over_tcp),
	    TEST(folded_reply_is_believed_over_tcp),
	    TEST(wrong_reply_over_tcp_ends_it),
	    TEST(lost_and_refused_connections_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
