/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/monitor.h"
#include "daemon/enforcer/netlink.h"
#include "tests/unit/scene.h"

static struct {
	struct netlink nl;
	int fd;
} scene;

static int
put_layout(void)
{
	const struct layout_found none = {0};
	const struct layout_way way = {0};

	netlink_begin(&scene.nl);
	layout_put(&scene.nl, 1000, &none, &way);
	return netlink_commit(&scene.nl, NULL);
}

static int
enter(void **state)
{
	(void)state;
	scene_enter();
	if (netlink_open(&scene.nl) < 0)
		return -1;
	return monitor_open(scene.nl.port, &scene.fd);
}

static int
leave(void **state)
{
	(void)state;
	netlink_close(&scene.nl);
	return close(scene.fd);
}

static bool
readable(int timeout_ms)
{
	struct pollfd p = {.fd = scene.fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

static void
our_own_changes_do_not_even_wake_us(void **state)
{
	(void)state;
	assert_int_equal(put_layout(), 0);
	assert_false(readable(0)); /* notifications are there before the commit returns */
	assert_false(monitor_read(scene.fd));
}

static void
a_change_by_another_is_seen(void **state)
{
	(void)state;
	assert_int_equal(put_layout(), 0);
	assert_int_equal(scene_run("nft add rule inet egressd pod counter"), 0);
	assert_true(readable(60000));
	assert_true(monitor_read(scene.fd));
	assert_false(monitor_read(scene.fd)); /* once */
	assert_int_equal(scene_run("nft delete table inet egressd"), 0);
	assert_true(monitor_read(scene.fd));
}

/* The kernel joins all notifications of a transaction in one packet. */
static void
a_change_in_the_middle_of_others_is_seen(void **state)
{
	(void)state;
	assert_int_equal(put_layout(), 0);
	assert_int_equal(scene_run("nft 'add table inet first; add chain inet first c; "
				   "delete table inet egressd; add table inet last'"),
	    0);
	assert_true(monitor_read(scene.fd));
}

static void
other_tables_are_none_of_our_business(void **state)
{
	(void)state;
	assert_int_equal(put_layout(), 0);
	assert_int_equal(scene_run("nft 'add table inet egressd2; add table ip egressd; "
				   "add chain ip egressd pod; delete table ip egressd'"),
	    0);
	assert_true(readable(60000));
	assert_false(monitor_read(scene.fd));
}

static void
a_lost_notification_may_have_been_ours(void **state)
{
	const int small = 1;

	(void)state;
	assert_int_equal(put_layout(), 0);
	assert_int_equal(
	    setsockopt(scene.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(
	    scene_run("for i in 1 2 3 4 5 6 7 8 9; do nft add table inet t$i; "
		      "done"),
	    0);
	assert_true(monitor_read(scene.fd));
}

static void
it_never_blocks_and_is_not_inherited(void **state)
{
	(void)state;
	assert_true(fcntl(scene.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(scene.fd, F_GETFD) & FD_CLOEXEC);
}

#define MONITOR_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    MONITOR_TEST(our_own_changes_do_not_even_wake_us),
	    MONITOR_TEST(a_change_by_another_is_seen),
	    MONITOR_TEST(a_change_in_the_middle_of_others_is_seen),
	    MONITOR_TEST(other_tables_are_none_of_our_business),
	    MONITOR_TEST(a_lost_notification_may_have_been_ours),
	    MONITOR_TEST(it_never_blocks_and_is_not_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
