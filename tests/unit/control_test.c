/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/control/stream_server.h"
#include "tests/unit/control_bed.h"
#include "tests/unit/scratch.h"

#define NOBODY 65534

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
	for (int i = 0; i < STREAM_SERVER_IDLE_S - 1; i++) {
		send_text(fd, "x");
		fake_clock_forward(1000);
		turn(2);
	}
	assert_false(is_closed(fd));
	fake_clock_forward(2000);
	turn(2);
	assert_true(is_closed(fd));
	assert_int_equal(close(fd), 0);
	assert_int_equal(bed.asked, 0);
}

static void
one_client_too_many_is_closed_at_once(void **state)
{
	int fds[STREAM_SERVER_CLIENTS_MAX], extra;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = connect_client();
	turn(20);
	extra = connect_client();
	turn(4);
	assert_true(is_closed(extra));
	assert_int_equal(close(extra), 0);
	assert_false(is_closed(fds[STREAM_SERVER_CLIENTS_MAX - 1]));
	assert_int_equal(close(fds[0]), 0);
	turn(4);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
	for (size_t i = 1; i < ARRAY_LEN(fds); i++)
		assert_int_equal(close(fds[i]), 0);
}

static void
places_come_back_after_the_deadline(void **state)
{
	int fds[STREAM_SERVER_CLIENTS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = connect_client();
	turn(20);
	fake_clock_forward((STREAM_SERVER_IDLE_S + 1) * 1000);
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
	fake_clock_forward((STREAM_SERVER_IDLE_S + 1) * 1000);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
