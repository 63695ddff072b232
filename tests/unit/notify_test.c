/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/notify.h"
#include "tests/unit/scratch.h"

#define FIRST_FD 3 /* sd_listen_fds(3) */

static int manager;
static char message[1024];

static int
set_up(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)state;
	scratch_open();
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(manager >= 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%.60s/notify", scratch_folder);
	assert_int_equal(bind(manager, (void *)&at, sizeof(at)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", at.sun_path, 1), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
	assert_int_equal(close(manager), 0);
	scratch_close();
	return 0;
}

static const char *
next_message(void)
{
	ssize_t n = recv(manager, message, sizeof(message) - 1, 0);

	message[n > 0 ? n : 0] = '\0';
	return message;
}

static void
each_state_is_told_in_the_managers_words(void **state)
{
	(void)state;
	assert_int_equal(notify_ready(), 0);
	assert_string_equal(next_message(), "READY=1");
	notify_reloading(12345678901234);
	assert_string_equal(next_message(), "RELOADING=1\nMONOTONIC_USEC=12345678901234");
	notify_stopping();
	assert_string_equal(next_message(), "STOPPING=1");
	notify_watchdog();
	assert_string_equal(next_message(), "WATCHDOG=1");
	notify_status("%d pods", 7);
	assert_string_equal(next_message(), "STATUS=7 pods");
}

static void
a_status_stays_one_line(void **state)
{
	char text[2000];

	(void)state;
	notify_status("a\nREADY=1\x1b");
	assert_string_equal(next_message(), "STATUS=a READY=1 ");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	notify_status("%s", text);
	assert_int_equal(strlen(next_message()), strlen("STATUS=") + 255);
}

/* Its queue is full: READY=1 is owed, everything else is lost, and nothing waits. */
static void
a_manager_that_does_not_read_holds_up_nobody(void **state)
{
	unsigned n = 0;

	(void)state;
	while (notify_ready() == 0)
		assert_true(++n < 100000);
	assert_int_equal(notify_ready(), -EAGAIN);
	notify_reloading(1);
	notify_status("x");
	notify_watchdog();
	notify_stopping();
	while (next_message()[0] != '\0')
		assert_string_equal(message, "READY=1");
	assert_int_equal(notify_ready(), 0);
	assert_string_equal(next_message(), "READY=1");
}

static void
a_manager_may_be_in_the_abstract_namespace(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char name[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len;

	(void)state;
	assert_true(fd >= 0);
	(void)snprintf(name, sizeof(name), "@egressd-test-%d", (int)getpid());
	memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	assert_int_equal(bind(fd, (void *)&at, len), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(notify_ready(), 0);
	assert_int_equal(recv(fd, message, sizeof(message), 0), strlen("READY=1"));
	assert_int_equal(close(fd), 0);
}

static void
without_a_manager_nothing_happens(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(notify_ready(), 0);
	notify_watchdog();
	notify_status("x");
	assert_string_equal(next_message(), "");
	assert_int_equal(notify_watchdog_interval_ms(), 0);
}

static void
the_watchdog_is_served_twice_as_often_as_asked(void **state)
{
	char pid[32];

	(void)state;
	assert_int_equal(setenv("WATCHDOG_USEC", "3000000", 1), 0);
	assert_int_equal(notify_watchdog_interval_ms(), 1500);
	assert_int_equal(setenv("WATCHDOG_USEC", "1", 1), 0);
	assert_int_equal(notify_watchdog_interval_ms(), 1);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid() + 1);
	assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
	assert_int_equal(notify_watchdog_interval_ms(), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "junk", 1), 0);
	assert_int_equal(setenv("WATCHDOG_PID", "", 1), 0);
	assert_int_equal(notify_watchdog_interval_ms(), 0);
}

/*
 * Passed sockets begin at descriptor 3, so each case runs in a child that puts its own
 * there; what the child finds wrong is its exit code.
 */
typedef int (*child_fn)(void);

static int
in_child(child_fn child)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
open_loopback(int type)
{
	struct sockaddr_storage ss;
	struct endpoint e = {.port = 0};
	int fd = socket(AF_INET, type, 0);

	if (addr_parse("127.0.0.1", 9, &e.addr) < 0 || fd < 0)
		return -1;
	if (bind(fd, (void *)&ss, endpoint_to_sockaddr(&e, &ss)) < 0)
		return -1;
	return fd;
}

/* Put fds at 3, 4, ... and announce them. */
static void
announce(const int *fds, int count, const char *names)
{
	char text[32];

	for (int i = 0; i < count; i++) {
		int high = fcntl(fds[i], F_DUPFD, 100);

		(void)dup2(high, FIRST_FD + 60 + i);
		(void)close(high);
	}
	for (int i = 0; i < count; i++) {
		(void)dup2(FIRST_FD + 60 + i, FIRST_FD + i);
		(void)close(FIRST_FD + 60 + i);
	}
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", text, 1);
	(void)snprintf(text, sizeof(text), "%d", count);
	(void)setenv("LISTEN_FDS", text, 1);
	if (names != NULL)
		(void)setenv("LISTEN_FDNAMES", names, 1);
}

static bool
is_prepared(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 &&
	       (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static int
child_takes_two(void)
{
	struct notify_socket list[NOTIFY_SOCKETS_MAX];
	int fds[2] = {open_loopback(SOCK_DGRAM), open_loopback(SOCK_STREAM)};

	if (fds[0] < 0 || fds[1] < 0 || listen(fds[1], 1) < 0)
		return 1;
	announce(fds, 2, "dns-udp:dns-tcp");
	if (notify_listen(list) != 2)
		return 2;
	if (list[0].kind != NOTIFY_DATAGRAM || list[1].kind != NOTIFY_STREAM)
		return 3;
	if (strcmp(list[0].name, "dns-udp") != 0 || strcmp(list[1].name, "dns-tcp") != 0)
		return 4;
	if (!is_prepared(list[0].fd) || !is_prepared(list[1].fd))
		return 5;
	if (list[0].local.addr.family != AF_INET || list[0].local.port == 0 ||
	    list[0].fd != FIRST_FD)
		return 6;
	if (getenv("LISTEN_FDS") != NULL || notify_listen(list) != 0)
		return 7;
	return 0;
}

static int
child_takes_local(void)
{
	struct notify_socket list[NOTIFY_SOCKETS_MAX];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	announce(&fd, 1, NULL);
	if (notify_listen(list) != 1)
		return 1;
	return list[0].local.addr.family == 0 ? 0 : 2;
}

static int
child_refuses_unconnected_stream(void)
{
	struct notify_socket list[NOTIFY_SOCKETS_MAX];
	int fds[2] = {open_loopback(SOCK_DGRAM), open_loopback(SOCK_STREAM)};

	announce(fds, 2, NULL);
	if (notify_listen(list) != -EPROTOTYPE)
		return 1;
	return fcntl(FIRST_FD, F_GETFD) < 0 && fcntl(FIRST_FD + 1, F_GETFD) < 0 ? 0 : 2;
}

static int
child_refuses_file(void)
{
	struct notify_socket list[NOTIFY_SOCKETS_MAX];
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	announce(&fd, 1, NULL);
	return notify_listen(list) == -EPROTOTYPE ? 0 : 1;
}

static int
child_refuses_too_many(void)
{
	struct notify_socket list[NOTIFY_SOCKETS_MAX];
	int fds[NOTIFY_SOCKETS_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = socket(AF_UNIX, SOCK_DGRAM, 0);
	announce(fds, NOTIFY_SOCKETS_MAX + 1, NULL);
	if (notify_listen(list) != -E2BIG)
		return 1;
	return fcntl(FIRST_FD + NOTIFY_SOCKETS_MAX, F_GETFD) < 0 ? 0 : 2;
}

static void
passed_sockets_come_with_kind_name_and_address(void **state)
{
	(void)state;
	assert_int_equal(in_child(child_takes_two), 0);
	assert_int_equal(in_child(child_takes_local), 0);
}

static void
what_is_no_socket_for_us_is_refused_and_all_are_closed(void **state)
{
	(void)state;
	assert_int_equal(in_child(child_refuses_unconnected_stream), 0);
	assert_int_equal(in_child(child_refuses_file), 0);
	assert_int_equal(in_child(child_refuses_too_many), 0);
}

static void
without_passed_sockets_there_are_none(void **state)
{
	struct notify_socket list[NOTIFY_SOCKETS_MAX];

	(void)state;
	assert_int_equal(notify_listen(list), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(each_state_is_told_in_the_managers_words),
	    TEST(a_status_stays_one_line),
	    TEST(a_manager_that_does_not_read_holds_up_nobody),
	    TEST(a_manager_may_be_in_the_abstract_namespace),
	    TEST(without_a_manager_nothing_happens),
	    TEST(the_watchdog_is_served_twice_as_often_as_asked),
	    TEST(passed_sockets_come_with_kind_name_and_address),
	    TEST(what_is_no_socket_for_us_is_refused_and_all_are_closed),
	    TEST(without_passed_sockets_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
