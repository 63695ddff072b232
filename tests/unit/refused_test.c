/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "daemon/enforcer/refused.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"

#define GROUP 5
/* More than the buffer of the socket holds. */
#define FLOOD 20000

static struct {
	struct refused refused;
	int64_t now_ms;
	size_t said;
	uint64_t flows, packets, lost;
	struct enforcer_refused last;
	int result;
} scene;

static void
hear(void *ctx, const struct enforcer_message *m)
{
	(void)ctx;
	assert_int_equal(m->kind, ENFORCER_REFUSED);
	assert_true(enforcer_size(m) > 0);
	scene.said++;
	scene.flows += m->count;
	scene.packets += m->packets;
	scene.lost += m->lost;
	scene.result = m->result;
	if (m->count != 0)
		scene.last = m->body.refused[m->count - 1];
}

/* Packets that a rule logs are those to port 9 of this host, and nobody listens there. */
static int
enter(void **state)
{
	(void)state;
	scene_enter();
	memset(&scene, 0, sizeof(scene));
	scene.now_ms = 5000;
	refused_init(&scene.refused, hear, NULL);
	return scene_run(
	    "ip link set lo up && ip addr add fd00:244::5/128 dev lo nodad && "
	    "nft 'add table inet t; add chain inet t c {type filter hook output priority "
	    "0;}; add rule inet t c udp dport 9 log prefix \"x\" group 5 snaplen 128'");
}

static int
leave(void **state)
{
	(void)state;
	refused_done(&scene.refused);
	return 0;
}

static void
send_to(const char *from, const char *to, size_t count)
{
	struct endpoint source = {.addr = sample_addr(from)};
	struct endpoint destination = {.addr = sample_addr(to), .port = 9};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&source, &ss);
	int fd = socket(source.addr.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = endpoint_to_sockaddr(&destination, &ss);
	for (size_t i = 0; i < count; i++)
		/* it was logged before it may be told that nobody is there */
		(void)sendto(fd, "", 1, 0, (struct sockaddr *)&ss, len);
	(void)close(fd); /* nothing waits in it */
}

static bool
readable(void)
{
	struct pollfd p = {.fd = refused_fd(&scene.refused), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void
work(void)
{
	while (readable())
		refused_work(&scene.refused, scene.now_ms);
}

static void
a_packet_is_told_at_once(void **state)
{
	const struct addr source = sample_addr("127.0.0.1");
	const struct addr destination = sample_addr("127.0.0.9");

	(void)state;
	refused_listen(&scene.refused, GROUP);
	assert_int_equal(scene.said, 0);
	send_to("127.0.0.1", "127.0.0.9", 1);
	assert_true(readable());
	work();
	assert_int_equal(scene.said, 1);
	assert_int_equal(scene.flows, 1);
	assert_int_equal(scene.packets, 1);
	assert_int_equal(scene.lost, 0);
	assert_true(addr_equal(&scene.last.source, &source));
	assert_true(addr_equal(&scene.last.destination, &destination));
	assert_int_equal(scene.last.proto, IPPROTO_UDP);
	assert_int_equal(scene.last.port, 9);
	send_to("fd00:244::5", "fd00:244::5", 1);
	work();
	assert_int_equal(scene.flows, 2);
	assert_int_equal(scene.last.source.family, AF_INET6);
	assert_int_equal(scene.last.port, 9);
}

static void
the_same_again_is_only_counted(void **state)
{
	int64_t until_ms;

	(void)state;
	refused_listen(&scene.refused, GROUP);
	assert_false(refused_is_due(&scene.refused, &until_ms));
	send_to("127.0.0.1", "127.0.0.9", 10);
	work();
	send_to("127.0.0.1", "127.0.0.9", 10);
	work();
	assert_int_equal(scene.said, 1);
	assert_int_equal(scene.flows, 1);
	assert_true(refused_is_due(&scene.refused, &until_ms));
	assert_int_equal(until_ms, scene.now_ms + TALLY_PERIOD_MS);
	scene.now_ms = until_ms;
	refused_work(&scene.refused, scene.now_ms);
	assert_int_equal(scene.packets, 20);
	assert_int_equal(scene.lost, 0);
	assert_false(refused_is_due(&scene.refused, &until_ms));
}

/* Nothing is lost without being counted, and few of them are ever read. */
static void
who_floods_is_muted_and_others_are_heard(void **state)
{
	const struct addr quiet[] = {
	    sample_addr("127.0.0.2"), sample_addr("fd00:244::5")};

	(void)state;
	refused_listen(&scene.refused, GROUP);
	send_to("127.0.0.1", "127.0.0.9", TALLY_SOURCE_PACKETS);
	work();
	assert_int_equal(scene.flows, 1);
	send_to("127.0.0.1", "127.0.0.9", FLOOD);
	assert_false(readable());
	send_to("127.0.0.2", "127.0.0.9", 1);
	work();
	assert_int_equal(scene.flows, 2);
	assert_true(addr_equal(&scene.last.source, &quiet[0]));
	assert_int_equal(scene.packets, TALLY_SOURCE_PACKETS + FLOOD + 1);
	assert_int_equal(scene.lost, FLOOD);
	send_to("fd00:244::5", "fd00:244::5", TALLY_SOURCE_PACKETS);
	work();
	assert_true(addr_equal(&scene.last.source, &quiet[1]));
	send_to("fd00:244::5", "fd00:244::5", 1);
	assert_false(readable());
	/* the next second everybody is heard again */
	scene.now_ms += TALLY_PERIOD_MS;
	refused_work(&scene.refused, scene.now_ms);
	send_to("127.0.0.1", "127.0.0.9", 1);
	work();
	assert_int_equal(scene.flows, 4);
}

static void
too_many_that_flood_are_too_many(void **state)
{
	char source[32];
	int64_t until_ms;

	(void)state;
	refused_listen(&scene.refused, GROUP);
	for (int i = 0; i <= MUTE_MAX; i++) {
		(void)snprintf(source, sizeof(source), "127.0.1.%d", i + 1);
		assert_true(refused_fd(&scene.refused) >= 0);
		send_to(source, "127.0.0.9", TALLY_SOURCE_PACKETS + 10);
		work();
	}
	assert_int_equal(refused_fd(&scene.refused), -1);
	assert_true(refused_is_due(&scene.refused, &until_ms));
	scene.now_ms = until_ms;
	refused_work(&scene.refused, scene.now_ms);
	assert_true(refused_fd(&scene.refused) >= 0);
	send_to("127.0.0.1", "127.0.0.9", 1);
	work();
	scene.now_ms += TALLY_PERIOD_MS;
	refused_work(&scene.refused, scene.now_ms);
	assert_int_equal(scene.packets, (MUTE_MAX + 1) * (TALLY_SOURCE_PACKETS + 10) + 1);
}

static void
a_full_buffer_loses_and_counts(void **state)
{
	(void)state;
	refused_listen(&scene.refused, GROUP);
	send_to("127.0.0.1", "127.0.0.9", FLOOD);
	work();
	scene.now_ms += TALLY_PERIOD_MS;
	refused_work(&scene.refused, scene.now_ms);
	send_to("127.0.0.2", "127.0.0.9", 1);
	work();
	assert_int_equal(scene.packets, FLOOD + 1);
	assert_true(scene.lost > 0);
	assert_int_equal(scene.flows, 2);
}

static void
a_group_that_another_has_is_said(void **state)
{
	struct nflog other;

	(void)state;
	assert_int_equal(nflog_open(&other, GROUP), 0);
	refused_listen(&scene.refused, GROUP);
	assert_int_equal(scene.said, 1);
	assert_int_equal(scene.result, -EBUSY);
	assert_int_equal(refused_fd(&scene.refused), -1);
	refused_work(&scene.refused, scene.now_ms);
	nflog_close(&other);
	refused_listen(&scene.refused, GROUP);
	assert_int_equal(scene.said, 1);
	assert_true(refused_fd(&scene.refused) >= 0);
	/* and it is ours now */
	assert_int_equal(nflog_open(&other, GROUP), -EBUSY);
	refused_stop(&scene.refused);
	assert_int_equal(refused_fd(&scene.refused), -1);
	assert_int_equal(nflog_open(&other, GROUP), 0);
	nflog_close(&other);
	refused_without(&scene.refused, -EOPNOTSUPP);
	assert_int_equal(scene.result, -EOPNOTSUPP);
}

static void
listening_again_loses_nothing(void **state)
{
	(void)state;
	refused_listen(&scene.refused, GROUP);
	send_to("127.0.0.1", "127.0.0.9", 3);
	refused_listen(&scene.refused, GROUP);
	work();
	scene.now_ms += TALLY_PERIOD_MS;
	refused_work(&scene.refused, scene.now_ms);
	assert_int_equal(scene.packets, 3);
}

#define REFUSED_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REFUSED_TEST(a_packet_is_told_at_once),
	    REFUSED_TEST(the_same_again_is_only_counted),
	    REFUSED_TEST(who_floods_is_muted_and_others_are_heard),
	    REFUSED_TEST(too_many_that_flood_are_too_many),
	    REFUSED_TEST(a_full_buffer_loses_and_counts),
	    REFUSED_TEST(a_group_that_another_has_is_said),
	    REFUSED_TEST(listening_again_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
