/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include "daemon/enforcer/nflog.h"
#include "daemon/enforcer/tally.h"
#include "tests/unit/owner_bed.h"

/* A datagram from a pod to port 9 of 198.51.100.80, as it comes over its interface. */
static void
send_frame(void)
{
	static const uint8_t frame[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, /* */
	    0x45, 0, 0, 29, 0, 0, 0, 0, 64, IPPROTO_UDP, 0x45, 0x54, 10, 244, 0, 5, 198,
	    51, 100, 80, 0xd4, 0x31, 0, 9, 0, 9, 0, 0, 'x'};
	struct sockaddr_ll address = {
	    .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("peer0")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&address,
			     sizeof(address)),
	    sizeof(frame));
	(void)close(fd); /* nothing waits in it */
}

static int
enter_node(void **state)
{
	return enter(state) < 0 ||
		       scene_run("ip link add veth0 address 02:00:00:00:00:01 type veth "
				 "peer name peer0 address 02:00:00:00:00:02 && "
				 "ip link set veth0 up && ip link set peer0 up && "
				 "ip route add 10.244.0.5/32 dev veth0") != 0
		   ? -1
		   : 0;
}

/* How often the owner has something to say of what was refused; the last of it is in
 * said[0]. */
static size_t
hear_refused(void)
{
	struct pollfd p = {.fd = owner_refused_fd(scene.owner), .events = POLLIN};
	size_t times = 0;

	scene.len = 0;
	while (poll(&p, 1, 0) == 1) {
		scene.len = 0;
		owner_refused(scene.owner, true);
		times += scene.len;
	}
	return times;
}

static void
what_the_table_refuses_is_said(void **state)
{
	const struct enforcer_table table = sample_table();
	const struct addr pod = sample_addr("10.244.0.5");
	const struct addr destination = sample_addr("198.51.100.80");
	const struct enforcer_message *m = &scene.said[0];

	(void)state;
	assert_int_equal(owner_refused_fd(scene.owner), -1);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(owner_refused_wait_ms(scene.owner), -1);
	send_frame();
	assert_int_equal(hear_refused(), 1);
	assert_int_equal(m->kind, ENFORCER_REFUSED);
	assert_int_equal(m->result, 0);
	assert_int_equal(m->count, 1);
	assert_int_equal(m->packets, 1);
	assert_true(addr_equal(&m->body.refused[0].source, &pod));
	assert_true(addr_equal(&m->body.refused[0].destination, &destination));
	assert_int_equal(m->body.refused[0].proto, IPPROTO_UDP);
	assert_int_equal(m->body.refused[0].port, 9);
}

static void
what_was_only_counted_is_said_in_the_end(void **state)
{
	const struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	send_frame();
	assert_int_equal(hear_refused(), 1);
	send_frame();
	assert_int_equal(hear_refused(), 0);
	assert_int_equal(owner_refused_wait_ms(scene.owner), TALLY_PERIOD_MS);
	scene.now_ms += TALLY_PERIOD_MS;
	assert_int_equal(owner_refused_wait_ms(scene.owner), 0);
	owner_refused(scene.owner, false);
	assert_int_equal(scene.len, 1);
	assert_int_equal(scene.said[0].count, 0);
	assert_int_equal(scene.said[0].packets, 1);
	assert_int_equal(owner_refused_wait_ms(scene.owner), -1);
}

static void
nothing_is_heard_while_nothing_is_refused(void **state)
{
	struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_true(owner_refused_fd(scene.owner) >= 0);
	table.enforce = 0;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(owner_refused_fd(scene.owner), -1);
	table.enforce = 1;
	assert_int_equal(put_table(&table), 0);
	send_frame();
	assert_int_equal(hear_refused(), 1);
}

static void
a_group_that_another_has_is_said_and_no_failure(void **state)
{
	const struct enforcer_table table = sample_table();
	struct nflog other;

	(void)state;
	assert_int_equal(nflog_open(&other, table.log_group), 0);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(scene.said[scene.len - 1].kind, ENFORCER_REFUSED);
	assert_int_equal(scene.said[scene.len - 1].result, -EBUSY);
	assert_int_equal(
	    put_lease(2, "a.example", sample_lease("10.244.0.5", "192.0.2.1", 3000000)),
	    0);
	nflog_close(&other);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(scene.said[scene.len - 1].kind, ENFORCER_RESULT);
	assert_true(owner_refused_fd(scene.owner) >= 0);
}

static void
nobody_may_say_it_to_us(void **state)
{
	const struct enforcer_message m = sample_message(ENFORCER_REFUSED, 1, 0);

	(void)state;
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
}

#define REFUSED_TEST(f) cmocka_unit_test_setup_teardown(f, enter_node, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REFUSED_TEST(what_the_table_refuses_is_said),
	    REFUSED_TEST(what_was_only_counted_is_said_in_the_end),
	    REFUSED_TEST(nothing_is_heard_while_nothing_is_refused),
	    REFUSED_TEST(a_group_that_another_has_is_said_and_no_failure),
	    REFUSED_TEST(nobody_may_say_it_to_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
