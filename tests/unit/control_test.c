/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/client.h"
#include "daemon/control.h"
#include "tests/unit/scratch.h"

#define TURNS 200
#define LARGE ((size_t)8 * 1024 * 1024)
#define NOBODY 65534

struct bed {
	struct event_base *base;
	struct control *control;
	char path[100];
	unsigned asked;
	size_t word_count;
	char words[CONTROL_WORDS_MAX][CONTROL_REQUEST_MAX];
	char reply[4096];
};

static struct bed bed;
static time_t clock_offset_s;

/* libevent's clock, which a test can put forward: no test waits. */
int
clock_gettime(clockid_t id, struct timespec *ts)
{
	long r = syscall(SYS_clock_gettime, id, ts);

	if (r == 0 && id != CLOCK_REALTIME)
		ts->tv_sec += clock_offset_s;
	return (int)r;
}

static int
answer(void *ctx, size_t word_count, char **words, struct buf *out)
{
	assert_ptr_equal(ctx, &bed);
	bed.asked++;
	bed.word_count = word_count;
	for (size_t i = 0; i < word_count; i++)
		(void)snprintf(bed.words[i], sizeof(bed.words[i]), "%s", words[i]);
	if (strcmp(words[0], "refuse") == 0) {
		buf_text(out, "not\nnow");
		return -EBUSY;
	}
	if (strcmp(words[0], "fail") == 0)
		return -ENOENT;
	if (strcmp(words[0], "burst") == 0)
		out->limit = 4;
	if (strcmp(words[0], "large") == 0)
		for (size_t i = 0; i < LARGE / 8; i++)
			buf_append(out, "12345678", 8);
	if (strcmp(words[0], "silent") != 0)
		buf_text(out, "hello\n");
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	clock_offset_s = 0;
	scratch_open();
	(void)snprintf(bed.path, sizeof(bed.path), "%s", scratch_path("sock"));
	bed.base = event_base_new();
	assert_non_null(bed.base);
	assert_int_equal(control_new(bed.base, bed.path, answer, &bed, &bed.control), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	control_free(bed.control);
	event_base_free(bed.base);
	scratch_close();
	return 0;
}

static void
turn(unsigned times)
{
	while (times-- > 0)
		assert_true(event_base_loop(bed.base, EVLOOP_NONBLOCK) >= 0);
}

static int
connect_client(void)
{
	int fd;

	assert_int_equal(client_open(bed.path, &fd), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void
send_text(int fd, const char *text)
{
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Everything up to the end of the stream, which must come. */
static const char *
reply_of(int fd)
{
	size_t len = 0;
	ssize_t n = -1;

	for (unsigned i = 0; i < TURNS && n != 0; i++) {
		turn(1);
		n = recv(fd, bed.reply + len, sizeof(bed.reply) - 1 - len, 0);
		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		len += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(n, 0);
	bed.reply[len] = '\0';
	return bed.reply;
}

static const char *
ask(const char *text)
{
	int fd = connect_client();
	const char *reply;

	send_text(fd, text);
	reply = reply_of(fd);
	assert_int_equal(close(fd), 0);
	turn(2);
	return reply;
}

static bool
is_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void
words_go_in_and_ok_with_the_answer_comes_back(void **state)
{
	(void)state;
	assert_string_equal(ask("status \t json\n"), "ok\nhello\n");
	assert_int_equal(bed.word_count, 2);
	assert_string_equal(bed.words[0], "status");
	assert_string_equal(bed.words[1], "json");
	assert_string_equal(ask("silent\r\n"), "ok\n");
	assert_string_equal(bed.words[0], "silent");
}

static void
errors_are_one_line(void **state)
{
	(void)state;
	assert_string_equal(ask("refuse\n"), "error not now\n");
	assert_string_equal(ask("fail\n"), "error No such file or directory\n");
	assert_string_equal(
	    ask("burst\n"), "error the answer is too large, or memory has run out\n");
}

static void
bad_requests_never_reach_the_daemon(void **state)
{
	char line[CONTROL_REQUEST_MAX + 2];

	(void)state;
	assert_string_equal(ask("\n"), "error the request is empty\n");
	assert_string_equal(ask(" \t\n"), "error the request is empty\n");
	assert_string_equal(ask("a\x01\n"), "error control bytes in the request\n");
	assert_string_equal(
	    ask("1 2 3 4 5 6 7 8 9\n"), "error too many words in the request\n");
	memset(line, 'x', sizeof(line));
	line[CONTROL_REQUEST_MAX] = '\n';
	line[CONTROL_REQUEST_MAX + 1] = '\0';
	assert_string_equal(ask(line), "error the request is too long\n");
	line[CONTROL_REQUEST_MAX] = '\0';
	assert_string_equal(ask(line), "error the request is too long\n");
	assert_int_equal(bed.asked, 0);
}

static void
the_longest_request_and_the_most_words_are_taken(void **state)
{
	char line[CONTROL_REQUEST_MAX + 1];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[CONTROL_REQUEST_MAX - 1] = '\n';
	line[CONTROL_REQUEST_MAX] = '\0';
	assert_string_equal(ask(line), "ok\nhello\n");
	assert_int_equal(strlen(bed.words[0]), CONTROL_REQUEST_MAX - 1);
	assert_string_equal(ask("1 2 3 4 5 6 7 8\n"), "ok\nhello\n");
	assert_int_equal(bed.word_count, CONTROL_WORDS_MAX);
}

static void
what_follows_the_request_is_thrown_away(void **state)
{
	(void)state;
	assert_string_equal(ask("one\ntwo\nthree\n"), "ok\nhello\n");
	assert_int_equal(bed.asked, 1);
	assert_string_equal(bed.words[0], "one");
}

static void
a_request_may_come_byte_by_byte(void **state)
{
	int fd = connect_client();

	(void)state;
	for (const char *p = "status\n"; *p != '\0'; p++) {
		assert_int_equal(send(fd, p, 1, MSG_NOSIGNAL), 1);
		turn(2);
	}
	assert_string_equal(reply_of(fd), "ok\nhello\n");
	assert_int_equal(close(fd), 0);
}

static void
a_slow_client_is_closed_however_busy_it_looks(void **state)
{
	int fd = connect_client();

	(void)state;
	for (int i = 0; i < CONTROL_IDLE_S - 1; i++) {
		send_text(fd, "x");
		clock_offset_s++;
		turn(2);
	}
	assert_false(is_closed(fd));
	clock_offset_s += 2;
	turn(2);
	assert_true(is_closed(fd));
	assert_int_equal(close(fd), 0);
	assert_int_equal(bed.asked, 0);
}

static void
one_client_too_many_is_closed_at_once(void **state)
{
	int fds[CONTROL_CLIENTS_MAX], extra;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = connect_client();
	turn(20);
	extra = connect_client();
	turn(4);
	assert_true(is_closed(extra));
	assert_int_equal(close(extra), 0);
	assert_false(is_closed(fds[CONTROL_CLIENTS_MAX - 1]));
	assert_int_equal(close(fds[0]), 0);
	turn(4);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
	for (size_t i = 1; i < ARRAY_LEN(fds); i++)
		assert_int_equal(close(fds[i]), 0);
}

static void
places_come_back_after_the_deadline(void **state)
{
	int fds[CONTROL_CLIENTS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = connect_client();
	turn(20);
	clock_offset_s += CONTROL_IDLE_S + 1;
	turn(20);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		assert_true(is_closed(fds[i]));
		assert_int_equal(close(fds[i]), 0);
	}
}

static void
a_client_that_does_not_read_holds_up_nobody(void **state)
{
	int fd = connect_client();

	(void)state;
	send_text(fd, "large\n");
	turn(20);
	assert_int_equal(bed.asked, 1);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
	clock_offset_s += CONTROL_IDLE_S + 1;
	turn(4);
	assert_int_equal(close(fd), 0);
}

static void
a_large_answer_arrives_whole(void **state)
{
	int fd = connect_client();
	static char chunk[65536];
	size_t len = 0;
	ssize_t n = -1;

	(void)state;
	send_text(fd, "large\n");
	for (unsigned i = 0; i < 100000 && n != 0; i++) {
		turn(1);
		n = recv(fd, chunk, sizeof(chunk), 0);
		len += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(n, 0);
	assert_int_equal(len, strlen("ok\n") + LARGE + strlen("hello\n"));
	assert_int_equal(close(fd), 0);
}

static void
clients_that_leave_early_do_no_harm(void **state)
{
	int fd;

	(void)state;
	fd = connect_client();
	assert_int_equal(close(fd), 0);
	fd = connect_client();
	send_text(fd, "stat");
	assert_int_equal(close(fd), 0);
	fd = connect_client();
	send_text(fd, "large\n");
	assert_int_equal(close(fd), 0);
	turn(20);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
}

/* A half line and the end: no request. */
static void
a_request_without_its_newline_is_none(void **state)
{
	int fd = connect_client();

	(void)state;
	send_text(fd, "status");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_string_equal(reply_of(fd), "");
	assert_int_equal(bed.asked, 0);
	assert_int_equal(close(fd), 0);
}

static void
other_users_are_not_heard_whatever_the_mode(void **state)
{
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(bed.path, 0666), 0);
	assert_int_equal(chmod(scratch_folder, 0755), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	fd = connect_client();
	assert_int_equal(seteuid(0), 0);
	turn(4);
	assert_true(is_closed(fd));
	assert_int_equal(close(fd), 0);
	assert_int_equal(bed.asked, 0);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
}

static void
the_socket_is_private_and_the_umask_stays(void **state)
{
	struct stat st;
	mode_t mask = umask(022);

	(void)state;
	control_free(bed.control);
	assert_int_equal(control_new(bed.base, bed.path, answer, &bed, &bed.control), 0);
	assert_int_equal(stat(bed.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(umask(mask), 022);
}

static void
a_living_daemon_is_not_replaced(void **state)
{
	struct control *second = NULL;

	(void)state;
	assert_int_equal(
	    control_new(bed.base, bed.path, answer, &bed, &second), -EADDRINUSE);
	assert_null(second);
	turn(4);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
}

/* Somebody listens, and has as many waiting as the kernel takes. */
static void
a_daemon_with_a_full_backlog_is_a_living_one(void **state)
{
	struct control *second = NULL;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fds[64];
	size_t count = 0;

	(void)state;
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", bed.path);
	do {
		fds[count] =
		    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		assert_true(fds[count] >= 0);
		count++;
	} while (connect(fds[count - 1], (void *)&to, sizeof(to)) == 0 &&
		 count < ARRAY_LEN(fds));
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(
	    control_new(bed.base, bed.path, answer, &bed, &second), -EADDRINUSE);
	while (count > 0)
		assert_int_equal(close(fds[--count]), 0);
}

static void
bind_dead(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&at, sizeof(at)), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_dead_socket_is_replaced(void **state)
{
	(void)state;
	control_free(bed.control);
	bed.control = NULL;
	bind_dead(bed.path);
	assert_int_equal(control_new(bed.base, bed.path, answer, &bed, &bed.control), 0);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
}

static void
nothing_but_a_socket_is_replaced(void **state)
{
	const char *file = scratch_file("precious", "data");
	struct control *c = NULL;
	char path[200];

	(void)state;
	assert_int_equal(control_new(bed.base, file, answer, &bed, &c), -EEXIST);
	assert_int_equal(access(file, F_OK), 0);
	scratch_link("nowhere", "dangling");
	assert_int_equal(
	    control_new(bed.base, scratch_path("dangling"), answer, &bed, &c), -EEXIST);
	assert_int_equal(
	    control_new(bed.base, scratch_path("no/folder"), answer, &bed, &c), -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(control_new(bed.base, path, answer, &bed, &c), -ENAMETOOLONG);
	assert_null(c);
}

static void
the_end_removes_our_file_and_no_other(void **state)
{
	(void)state;
	control_free(bed.control);
	assert_int_equal(access(bed.path, F_OK), -1);
	assert_int_equal(control_new(bed.base, bed.path, answer, &bed, &bed.control), 0);
	assert_int_equal(unlink(bed.path), 0);
	(void)scratch_file("sock", "somebody else's");
	control_free(bed.control);
	bed.control = NULL;
	assert_int_equal(access(bed.path, F_OK), 0);
	control_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(words_go_in_and_ok_with_the_answer_comes_back),
	    TEST(errors_are_one_line),
	    TEST(bad_requests_never_reach_the_daemon),
	    TEST(the_longest_request_and_the_most_words_are_taken),
	    TEST(what_follows_the_request_is_thrown_away),
	    TEST(a_request_may_come_byte_by_byte),
	    TEST(a_slow_client_is_closed_however_busy_it_looks),
	    TEST(one_client_too_many_is_closed_at_once),
	    TEST(places_come_back_after_the_deadline),
	    TEST(a_client_that_does_not_read_holds_up_nobody),
	    TEST(a_large_answer_arrives_whole),
	    TEST(clients_that_leave_early_do_no_harm),
	    TEST(a_request_without_its_newline_is_none),
	    TEST(other_users_are_not_heard_whatever_the_mode),
	    TEST(the_socket_is_private_and_the_umask_stays),
	    TEST(a_living_daemon_is_not_replaced),
	    TEST(a_daemon_with_a_full_backlog_is_a_living_one),
	    TEST(a_dead_socket_is_replaced),
	    TEST(nothing_but_a_socket_is_replaced),
	    TEST(the_end_removes_our_file_and_no_other),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon does: daemon/control.h */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
