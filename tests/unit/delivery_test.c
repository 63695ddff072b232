/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/query/delivery.h"

/* Smaller than what is written, and larger than what is written of it at once. */
#define BUFFER 4096
#define GRACE_S 1
#define PATIENCE_MS 5000

struct pair {
	int ours, theirs;
	struct delivery delivery;
};

static struct pair pair;

static int
setup(void **state)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);
	const int small = BUFFER;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memset(&pair, 0, sizeof(pair));
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
	pair.theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    setsockopt(pair.theirs, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(connect(pair.theirs, (struct sockaddr *)&sa, len), 0);
	pair.ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(pair.ours >= 0);
	(void)close(listener); /* nothing waits in it */
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (pair.ours >= 0)
		(void)close(pair.ours); /* it is over */
	(void)close(pair.theirs);       /* it is over */
	return 0;
}

static bool
is_overdue(void)
{
	return delivery_is_overdue(&pair.delivery, pair.ours, 0);
}

static void
write_some(size_t len)
{
	static const uint8_t bytes[BUFFER];

	assert_int_equal(send(pair.ours, bytes, len, MSG_NOSIGNAL), len);
	pair.delivery.written += len;
}

/* What has come is acknowledged within a delayed acknowledgement's time. */
static void
settle(void)
{
	for (int i = 0; i < PATIENCE_MS && delivery_is_due(pair.ours, 0); i++)
		(void)poll(NULL, 0, 1); /* nothing can end it early */
	assert_false(delivery_is_due(pair.ours, 0));
}

/* More than they have room for. */
static void
fill(void)
{
	for (int i = 0; i < 16; i++)
		write_some(BUFFER);
	assert_true(delivery_is_held(pair.ours, 0));
}

static void
read_all(void)
{
	uint8_t bytes[BUFFER];
	uint64_t left = pair.delivery.written;
	struct pollfd p = {.fd = pair.theirs, .events = POLLIN};

	while (left > 0) {
		ssize_t n;

		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		n = recv(pair.theirs, bytes, sizeof(bytes), 0);
		assert_true(n > 0);
		left -= (uint64_t)n;
	}
	settle();
}

static void
limits_are_parts_of_the_grace(void **state)
{
	unsigned int limit_ms = 0;
	socklen_t len = sizeof(limit_ms);

	(void)state;
	assert_int_equal(delivery_limit(pair.ours, GRACE_S), 0);
	assert_int_equal(
	    getsockopt(pair.ours, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, &len), 0);
	assert_int_equal(limit_ms, 500);
	assert_int_equal(delivery_period_ms(GRACE_S), 400);
	/* the longest that may be configured */
	assert_int_equal(delivery_period_ms(3600), 1440000);
	assert_int_equal(delivery_limit(-1, GRACE_S), -EBADF);
}

static void
what_they_have_room_for_is_delivered(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		write_some(100);
		assert_false(delivery_is_held(pair.ours, 0));
		settle();
		assert_false(is_overdue());
	}
}

static void
what_they_have_no_room_for_is_overdue_the_second_time(void **state)
{
	(void)state;
	fill();
	assert_true(delivery_is_due(pair.ours, 0));
	assert_false(is_overdue());
	write_some(100);
	assert_true(is_overdue());
}

static void
what_they_read_in_between_is_not_overdue(void **state)
{
	(void)state;
	fill();
	assert_false(is_overdue());
	read_all();
	assert_false(is_overdue());
}

static void
what_the_owner_holds_counts(void **state)
{
	(void)state;
	pair.delivery.written = 100;
	assert_true(delivery_is_due(pair.ours, 100));
	assert_true(delivery_is_held(pair.ours, 100));
	assert_false(delivery_is_overdue(&pair.delivery, pair.ours, 100));
	pair.delivery.written = 150; /* and 60 of the first 100 have gone */
	assert_true(delivery_is_overdue(&pair.delivery, pair.ours, 90));
	assert_false(delivery_is_overdue(&pair.delivery, pair.ours, 0));
}

static void
what_is_abandoned_is_not_sent(void **state)
{
	uint8_t bytes[BUFFER];
	struct pollfd p = {.fd = pair.theirs, .events = POLLRDHUP};
	uint64_t count = 0;
	ssize_t n;

	(void)state;
	fill();
	delivery_abandon(pair.ours);
	(void)close(pair.ours); /* which is what is tested */
	pair.ours = -1;
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	while ((n = recv(pair.theirs, bytes, sizeof(bytes), 0)) > 0)
		count += (uint64_t)n;
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	assert_true(count < pair.delivery.written);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(limits_are_parts_of_the_grace),
	    TEST(what_they_have_room_for_is_delivered),
	    TEST(what_they_have_no_room_for_is_overdue_the_second_time),
	    TEST(what_they_read_in_between_is_not_overdue),
	    TEST(what_the_owner_holds_counts),
	    TEST(what_is_abandoned_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
