/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "resolver/socket_pool.h"
#include "tests/unit/alloc.h"
#include "tests/unit/fake_server.h"

static struct event_base *base;
static struct fake_server server;
static struct socket_pool pool;
static struct socket_shelf shelf;
static int64_t clock_ms;
static bool was_readable;
static bool server_asked;

static int64_t
now_ms(void)
{
	return clock_ms;
}

static void
on_query(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	(void)q;
	server_asked = true;
}

static void
readable(struct pool_socket *s, void *arg)
{
	char bytes[64];

	assert_ptr_equal(arg, &shelf);
	(void)recv(s->fd, bytes, sizeof(bytes), 0); /* errors are fetched by it, too */
	was_readable = true;
}

static int
setup(void **state)
{
	(void)state;
	clock_ms = 5000;
	was_readable = false;
	server_asked = false;
	base = event_base_new();
	fake_server_start(&server, base, on_query);
	socket_pool_init(&pool, base, now_ms);
	socket_shelf_init(&shelf, &pool, &server.endpoint);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	alloc_reset();
	socket_shelf_done(&shelf);
	socket_pool_done(&pool);
	fake_server_stop(&server);
	event_base_free(base);
	return 0;
}

static struct pool_socket *
take(void)
{
	struct pool_socket *s;

	assert_int_equal(socket_pool_take(&shelf, clock_ms, readable, &shelf, &s), 0);
	return s;
}

static uint16_t
port_of(const struct pool_socket *s)
{
	struct sockaddr_storage ss;
	struct endpoint e;
	socklen_t len = sizeof(ss);

	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &e), 0);
	return e.port;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
socket_is_nonblocking_and_close_on_exec(void **state)
{
	struct pool_socket *s = take();

	(void)state;
	assert_true(fcntl(s->fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(s->fd, F_GETFD) & FD_CLOEXEC);
	socket_pool_drop(s);
}

static void
sockets_in_use_have_different_ports(void **state)
{
	struct pool_socket *s[50];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(s); i++) {
		s[i] = take();
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(port_of(s[i]), port_of(s[k]));
	}
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		socket_pool_give(s[i], clock_ms);
	assert_int_equal(pool.idle_count, ARRAY_LEN(s));
}

static void
socket_serves_eight_questions_then_closes(void **state)
{
	struct pool_socket *s = take(), *same;
	int fd = s->fd;

	(void)state;
	for (size_t i = 1; i < SOCKET_POOL_QUESTIONS_MAX; i++) {
		socket_pool_give(s, clock_ms);
		same = take();
		assert_ptr_equal(same, s);
		assert_int_equal(s->fd, fd);
	}
	socket_pool_give(s, clock_ms);
	assert_int_equal(pool.idle_count, 0);
	assert_false(is_open(fd));
}

static void
old_socket_is_not_taken_back(void **state)
{
	struct pool_socket *s = take();

	(void)state;
	clock_ms += SOCKET_POOL_AGE_MAX_MS;
	socket_pool_give(s, clock_ms);
	assert_int_equal(pool.idle_count, 0);
}

static void
idle_socket_is_not_given_out_when_old(void **state)
{
	struct pool_socket *s = take();

	(void)state;
	socket_pool_give(s, clock_ms);
	clock_ms += SOCKET_POOL_AGE_MAX_MS;
	s = take();
	assert_int_equal(s->born_ms, clock_ms);
	assert_int_equal(pool.idle_count, 0);
	socket_pool_drop(s);
}

static void
idle_socket_is_closed_by_the_clock(void **state)
{
	struct pool_socket *s = take();
	bool never = false;
	int fd = s->fd;

	(void)state;
	socket_pool_give(s, clock_ms);
	clock_ms += SOCKET_POOL_AGE_MAX_MS;
	event_active(&pool.sweep, EV_TIMEOUT, 0);
	assert_false(fake_loop_until(base, &never, 0));
	assert_int_equal(pool.idle_count, 0);
	assert_false(is_open(fd));
}

static void
younger_socket_survives_the_sweep(void **state)
{
	struct pool_socket *s = take();
	bool never = false;

	(void)state;
	socket_pool_give(s, clock_ms);
	clock_ms += SOCKET_POOL_AGE_MAX_MS - 1;
	event_active(&pool.sweep, EV_TIMEOUT, 0);
	assert_false(fake_loop_until(base, &never, 0));
	assert_int_equal(pool.idle_count, 1);
	assert_true(evtimer_pending(&pool.sweep, NULL));
}

static void
idle_sockets_are_bounded(void **state)
{
	static struct pool_socket *s[SOCKET_POOL_IDLE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		s[i] = take();
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		socket_pool_give(s[i], clock_ms);
	assert_int_equal(pool.idle_count, SOCKET_POOL_IDLE_MAX);
}

static void
readable_is_told_while_in_use(void **state)
{
	struct pool_socket *s = take();

	(void)state;
	assert_int_equal(
	    send(s->fd, "0123456789012345678901234567890123456789", 40, 0), 40);
	assert_true(fake_loop_until(base, &server_asked, 2000));
	fake_server_send(&server.last, (const uint8_t *)"x", 1);
	assert_true(fake_loop_until(base, &was_readable, 2000));
	socket_pool_drop(s);
}

static void
datagram_on_an_idle_socket_closes_it(void **state)
{
	struct pool_socket *s = take();
	int fd = s->fd;
	bool never = false;

	(void)state;
	assert_int_equal(
	    send(s->fd, "0123456789012345678901234567890123456789", 40, 0), 40);
	socket_pool_give(s, clock_ms);
	assert_true(fake_loop_until(base, &server_asked, 2000));
	fake_server_send(&server.last, (const uint8_t *)"x", 1);
	for (int i = 0; i < 100 && pool.idle_count > 0; i++)
		(void)fake_loop_until(base, &never, 1);
	assert_int_equal(pool.idle_count, 0);
	assert_false(is_open(fd));
	assert_false(was_readable);
}

static void
dropped_socket_is_closed(void **state)
{
	struct pool_socket *s = take();
	int fd = s->fd;

	(void)state;
	socket_pool_drop(s);
	assert_false(is_open(fd));
	assert_int_equal(pool.idle_count, 0);
}

static void
unreachable_server_is_an_error(void **state)
{
	struct endpoint broadcast = {.port = 53};
	struct socket_shelf other;
	struct pool_socket *s;

	(void)state;
	assert_int_equal(addr_parse("255.255.255.255", 15, &broadcast.addr), 0);
	socket_shelf_init(&other, &pool, &broadcast);
	assert_true(socket_pool_take(&other, clock_ms, readable, NULL, &s) < 0);
	socket_shelf_done(&other);
}

static void
without_memory_there_is_no_socket(void **state)
{
	struct pool_socket *s;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(
	    socket_pool_take(&shelf, clock_ms, readable, &shelf, &s), -ENOMEM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(socket_is_nonblocking_and_close_on_exec),
	    TEST(sockets_in_use_have_different_ports),
	    TEST(socket_serves_eight_questions_then_closes),
	    TEST(old_socket_is_not_taken_back),
	    TEST(idle_socket_is_not_given_out_when_old),
	    TEST(idle_socket_is_closed_by_the_clock),
	    TEST(younger_socket_survives_the_sweep),
	    TEST(idle_sockets_are_bounded),
	    TEST(readable_is_told_while_in_use),
	    TEST(datagram_on_an_idle_socket_closes_it),
	    TEST(dropped_socket_is_closed),
	    TEST(unreachable_server_is_an_error),
	    TEST(without_memory_there_is_no_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
