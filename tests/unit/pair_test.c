/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/enforcer/pair.h"

#define HEAD_LEN offsetof(struct enforcer_message, body)

static struct {
	int near, far;
	struct enforcer_message messages[PAIR_SEND_MAX];
	struct iovec list[PAIR_SEND_MAX];
	struct pair_inbox inbox;
	struct enforcer_message taken;
} bed;

/* As where the first user namespace's CAP_NET_ADMIN is missing; 0: as it is. */
static int wmem_max;

int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (wmem_max > 0 && name == SO_SNDBUFFORCE) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_setsockopt, fd, level, name,
	    wmem_max > 0 && name == SO_SNDBUF ? &wmem_max : value, len);
}

static int
set_up(void **state)
{
	int fds[2];

	(void)state;
	memset(&bed, 0, sizeof(bed));
	assert_int_equal(pair_new(fds), 0);
	bed.near = fds[0];
	bed.far = fds[1];
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	if (bed.near >= 0)
		(void)close(bed.near); /* the test is over */
	if (bed.far >= 0)
		(void)close(bed.far); /* as above */
	return 0;
}

/* Messages with ids from 1 on, each with so many leases. */
static void
make(size_t count, uint16_t leases)
{
	for (size_t i = 0; i < count; i++) {
		bed.messages[i] = (struct enforcer_message){
		    .id = (uint32_t)i + 1, .kind = ENFORCER_LEASES, .count = leases};
		bed.list[i] = (struct iovec){
		    .iov_base = &bed.messages[i],
		    .iov_len = enforcer_size(&bed.messages[i]),
		};
	}
}

/* Bytes as a packet of its own. */
static void
put(const void *bytes, size_t len)
{
	assert_int_equal(send(bed.near, bytes, len, MSG_DONTWAIT), len);
}

static int
take(void)
{
	return pair_take(&bed.inbox, bed.far, MSG_DONTWAIT, &bed.taken);
}

/* The messages of the next packet, whose ids go on from *last; how many. */
static size_t
packet(uint32_t *last)
{
	size_t n = 0;

	while ((n == 0 || pair_left(&bed.inbox)) && take() > 0) {
		n++;
		assert_in_range(bed.inbox.len, 1, PAIR_PACKET_MAX);
		assert_int_equal(bed.taken.id, ++*last);
		assert_memory_equal(&bed.taken, &bed.messages[*last - 1],
		    enforcer_size(&bed.messages[*last - 1]));
	}
	return n;
}

static void
test_what_is_sent_together_is_one_packet(void **state)
{
	uint32_t last = 0;

	(void)state;
	make(PAIR_MESSAGES_MAX, 2);
	assert_int_equal(pair_send(bed.near, bed.list, PAIR_MESSAGES_MAX, MSG_DONTWAIT),
	    PAIR_MESSAGES_MAX);
	assert_int_equal(packet(&last), PAIR_MESSAGES_MAX);
	assert_int_equal(packet(&last), 0);
}

static void
test_a_packet_has_its_limits(void **state)
{
	size_t n, fit;
	uint32_t last = 0;

	(void)state;
	make(PAIR_SEND_MAX, 0);
	assert_int_equal(
	    pair_send(bed.near, bed.list, PAIR_SEND_MAX, MSG_DONTWAIT), PAIR_SEND_MAX);
	for (size_t i = 0; i < PAIR_SEND_MAX; i += PAIR_MESSAGES_MAX)
		assert_int_equal(packet(&last), PAIR_MESSAGES_MAX);
	make(PAIR_SEND_MAX, ENFORCER_LEASES_MAX);
	assert_int_equal(
	    pair_send(bed.near, bed.list, PAIR_SEND_MAX, MSG_DONTWAIT), PAIR_SEND_MAX);
	fit = PAIR_PACKET_MAX / bed.list[0].iov_len;
	for (last = 0; last < PAIR_SEND_MAX;) {
		n = MIN_OF(fit, PAIR_SEND_MAX - last);
		assert_int_equal(packet(&last), n);
	}
	assert_int_equal(packet(&last), 0);
}

static void
test_a_full_pair_takes_no_more(void **state)
{
	uint32_t sent = 0, taken = 0;
	int n;

	(void)state;
	make(PAIR_SEND_MAX, ENFORCER_LEASES_MAX);
	do {
		n = pair_send(bed.near, bed.list, PAIR_SEND_MAX, MSG_DONTWAIT);
		assert_in_range(n + EAGAIN, 0, EAGAIN + PAIR_SEND_MAX);
		sent += n > 0 ? (uint32_t)n : 0;
	} while (n > 0);
	assert_int_equal(n, -EAGAIN);
	assert_int_equal(pair_send(bed.near, bed.list, 1, MSG_DONTWAIT), -EAGAIN);
	for (; take() > 0; taken++)
		assert_memory_equal(
		    &bed.taken, &bed.messages[bed.taken.id - 1], sizeof(bed.taken));
	assert_int_equal(taken, sent);
}

static void
test_a_buffer_holds_a_packet(void **state)
{
	const int enough = PAIR_PACKET_MAX, less = PAIR_PACKET_MAX / 4;
	uint32_t last = 0;
	int fds[2];

	(void)state;
	wmem_max = less;
	assert_int_equal(pair_new(fds), -ENOBUFS);
	wmem_max = enough;
	(void)tear_down(state);
	assert_int_equal(set_up(state), 0);
	make(PAIR_SEND_MAX, ENFORCER_LEASES_MAX);
	assert_true(pair_send(bed.near, bed.list, PAIR_SEND_MAX, MSG_DONTWAIT) > 0);
	assert_true(packet(&last) > 0);
	wmem_max = 0;
}

/* As when the enforcer ends for what it cannot read, behind what it has told. */
static void
test_what_was_sent_before_the_end_is_taken(void **state)
{
	(void)state;
	make(2, 1);
	put(&bed.messages[0], bed.list[0].iov_len);
	assert_int_equal(pair_send(bed.near, bed.list, 2, 0), 2);
	assert_int_equal(pair_send(bed.far, bed.list, 1, 0), 1);
	(void)close(bed.near); /* with something unread in it */
	bed.near = -1;
	for (uint32_t id = 1; id <= 3; id++) {
		assert_int_equal(take(), 1);
		assert_int_equal(bed.taken.id, id == 1 ? 1 : id - 1);
	}
	assert_int_equal(take(), -EPIPE);
}

static void
test_a_closed_pair_is_told(void **state)
{
	(void)state;
	make(1, 1);
	assert_int_equal(take(), 0);
	assert_int_equal(pair_send(bed.far, bed.list, 1, 0), 1);
	assert_int_equal(close(bed.far), 0);
	bed.far = -1;
	assert_int_equal(pair_take(&bed.inbox, bed.near, 0, &bed.taken), 1);
	assert_int_equal(
	    pair_take(&bed.inbox, bed.near, MSG_DONTWAIT, &bed.taken), -EPIPE);
	assert_int_equal(pair_take(&bed.inbox, bed.near, 0, &bed.taken), -EPIPE);
	assert_int_equal(pair_send(bed.near, bed.list, 1, 0), -EPIPE);
}

/* What stands in front of it is a message all the same. */
static void
test_a_cut_message_is_none(void **state)
{
	uint8_t bytes[2 * sizeof(struct enforcer_message)];
	size_t len;

	(void)state;
	make(2, 3);
	len = bed.list[0].iov_len;
	memcpy(bytes, &bed.messages[0], len);
	memcpy(bytes + len, &bed.messages[1], len);
	for (size_t cut = 1; cut < len; cut++) {
		put(bytes, len + cut);
		assert_int_equal(take(), 1);
		assert_memory_equal(&bed.taken, &bed.messages[0], len);
		assert_int_equal(take(), -EPROTO);
		assert_int_equal(take(), 0);
	}
}

static void
test_a_message_out_of_bounds_is_none(void **state)
{
	struct enforcer_message m = {
	    .kind = ENFORCER_LEASES, .count = ENFORCER_LEASES_MAX + 1};
	uint8_t longer[PAIR_PACKET_MAX + 2 * HEAD_LEN] = {0};

	(void)state;
	put(&m, sizeof(m));
	assert_int_equal(take(), -EPROTO);
	m = (struct enforcer_message){.kind = UINT16_MAX};
	put(&m, HEAD_LEN);
	assert_int_equal(take(), -EPROTO);
	m.kind = ENFORCER_END;
	for (size_t at = 0; at + HEAD_LEN <= sizeof(longer); at += HEAD_LEN)
		memcpy(longer + at, &m, HEAD_LEN);
	put(longer, PAIR_PACKET_MAX / HEAD_LEN * HEAD_LEN);
	for (size_t i = 0; i < PAIR_PACKET_MAX / HEAD_LEN; i++)
		assert_int_equal(take(), 1);
	assert_int_equal(take(), 0);
	put(longer, (PAIR_PACKET_MAX / HEAD_LEN + 1) * HEAD_LEN);
	assert_int_equal(take(), -EPROTO);
	assert_int_equal(take(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_is_sent_together_is_one_packet),
	    TEST(test_a_packet_has_its_limits),
	    TEST(test_a_full_pair_takes_no_more),
	    TEST(test_a_buffer_holds_a_packet),
	    TEST(test_what_was_sent_before_the_end_is_taken),
	    TEST(test_a_closed_pair_is_told),
	    TEST(test_a_cut_message_is_none),
	    TEST(test_a_message_out_of_bounds_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
