/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/channel_bed.h"

/* Ports and ids. */

static void
questions_in_flight_have_ports_of_their_own(void **state)
{
	static struct job jobs[50];

	(void)state;
	server.on_query = fake_server_silent;
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		assert_int_equal(try_ask(&jobs[i], CARRIER_UDP), 0);
	while (server.udp_count < ARRAY_LEN(jobs))
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(server.ports[i], server.ports[k]);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		channel_cancel(&jobs[i].use);
}

static void
a_port_serves_eight_questions_at_most(void **state)
{
	static uint8_t served[65536];
	size_t ports = 0;

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		ask(CARRIER_UDP);
		expect(0);
	}
	for (size_t i = 0; i < server.udp_count; i++) {
		if (++served[server.ports[i]] == 1)
			ports++;
		/* the kernel may pick a port twice, but hardly so */
		assert_true(served[server.ports[i]] <= 2 * SOCKET_POOL_QUESTIONS_MAX);
	}
	assert_in_range(ports, 200 / SOCKET_POOL_QUESTIONS_MAX - 2, 200);
	assert_int_equal(channel_pool_counts(pool).idle, 1);
}

static void
port_of_a_cancelled_question_is_closed(void **state)
{
	(void)state;
	ask(CARRIER_UDP);
	expect(0);
	assert_int_equal(channel_pool_sockets(pool)->idle_count, 1);
	server.on_query = fake_server_silent;
	for (size_t i = 0; i < 10; i++) {
		ask(CARRIER_UDP);
		expect_nothing();
		channel_cancel(&job.use);
		assert_int_equal(channel_pool_sockets(pool)->idle_count, 0);
	}
	for (size_t i = 2; i <= 10; i++)
		assert_int_not_equal(server.ports[i], server.ports[i - 1]);
}

/* The pool. */

static void
cancelled_question_is_never_heard_of(void **state)
{
	(void)state;
	server.on_query = fake_server_silent;
	for (int transport = CARRIER_UDP; transport <= CARRIER_TCP; transport++) {
		ask((enum carrier_transport)transport);
		channel_cancel(&job.use); /* before anything has happened */
		ask((enum carrier_transport)transport);
		expect_nothing();
		channel_cancel(&job.use);
		channel_cancel(&job.use);
		fake_server_reply(&server.last, 1, 60);
		expect_nothing();
	}
	assert_int_equal(channel_pool_counts(pool).used, 0);
}

static void
channels_are_kept_and_freed_when_idle(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		ask(CARRIER_UDP);
		expect(0);
	}
	assert_int_equal(channel_pool_counts(pool).idle, 1);
	ask(CARRIER_TCP);
	expect(0);
	assert_int_equal(channel_pool_counts(pool).idle, 2);
	channel_pool_sweep(pool, fake_clock_ms() + CHANNEL_IDLE_MAX_MS / 2);
	assert_int_equal(channel_pool_counts(pool).idle, 2);
	channel_pool_sweep(pool, fake_clock_ms() + CHANNEL_IDLE_MAX_MS);
	assert_int_equal(channel_pool_counts(pool).idle, 0);
}

static void
channels_are_bounded(void **state)
{
	struct job *jobs = calloc(RESOLVER_PENDING_MAX, sizeof(*jobs));

	(void)state;
	fake_allow_files(RESOLVER_PENDING_MAX + 100);
	server.on_query = fake_server_silent;
	assert_non_null(jobs);
	for (size_t i = 0; i < RESOLVER_PENDING_MAX; i++)
		assert_int_equal(try_ask(&jobs[i], CARRIER_UDP), 0);
	assert_int_equal(try_ask(&job, CARRIER_UDP), -EBUSY);
	assert_int_equal(channel_pool_counts(pool).used, RESOLVER_PENDING_MAX);
	channel_cancel(&jobs[0].use);
	assert_int_equal(try_ask(&job, CARRIER_TCP), 0); /* takes the idle one's place */
	for (size_t i = 1; i < RESOLVER_PENDING_MAX; i++)
		channel_cancel(&jobs[i].use);
	free(jobs);
}

static void
without_memory_nothing_is_asked(void **state)
{
	struct channel_pool *p;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(channel_pool_new(base, fake_clock_ms, &p), -ENOMEM);
	for (size_t n = 0; n < 2; n++) {
		alloc_fail_at(n);
		assert_int_equal(try_ask(&job, CARRIER_UDP), -ENOMEM);
		assert_int_equal(channel_pool_counts(pool).used, 0);
	}
	alloc_reset();
	ask(CARRIER_TCP);
	alloc_fail_at(0); /* the copy of the reply */
	expect(-ENOMEM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(questions_in_flight_have_ports_of_their_own),
	    TEST(a_port_serves_eight_questions_at_most),
	    TEST(port_of_a_cancelled_question_is_closed),
	    TEST(cancelled_question_is_never_heard_of),
	    TEST(channels_are_kept_and_freed_when_idle),
	    TEST(channels_are_bounded),
	    TEST(without_memory_nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
