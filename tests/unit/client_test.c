/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/control/client.h"
#include "daemon/control/control.h"
#include "tests/unit/scratch.h"

static char request[4096]; /* what the client has sent */

static int
set_up(void **state)
{
	(void)state;
	scratch_open();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	scratch_close();
	return 0;
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
send_text(int fd, const char *text)
{
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What client_ask makes of a daemon that says reply and ends the stream. */
static int
meet(const char *reply, char *words[], size_t word_count, char **ret_out,
    struct buf *error)
{
	int pair[2], r;
	size_t size;
	FILE *out = open_memstream(ret_out, &size);

	assert_non_null(out);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	send_text(pair[1], reply);
	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	r = client_ask(pair[0], word_count, words, out, error);
	memset(request, 0, sizeof(request));
	assert_true(recv(pair[1], request, sizeof(request) - 1, MSG_DONTWAIT) >= -1);
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(close(pair[1]), 0);
	assert_int_equal(fclose(out), 0);
	return r;
}

static void
answers_errors_and_nonsense_are_told_apart(void **state)
{
	static char status[] = "status", json[] = "json";
	char *words[] = {status, json};
	char long_line[CLIENT_ERROR_MAX * 2];
	const struct {
		const char *reply;
		int result;
		const char *out, *error;
	} cases[] = {
	    {"ok\nline one\nline two", 0, "line one\nline two", ""},
	    {"ok\n", 0, "", ""},
	    {"error no such thing\n", -EREMOTEIO, "", "no such thing"},
	    {"error \n", -EREMOTEIO, "", ""},
	    {"okay\n", -EPROTO, "", ""},
	    {"error no newline", -EPROTO, "", ""},
	    {"", -EPROTO, "", ""},
	    {long_line, -EPROTO, "", ""},
	};
	struct buf error;
	char *out;

	(void)state;
	memset(long_line, 'x', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&error, CLIENT_ERROR_MAX);
		assert_int_equal(
		    meet(cases[i].reply, words, 2, &out, &error), cases[i].result);
		assert_string_equal(out, cases[i].out);
		assert_string_equal(
		    error.bytes != NULL ? error.bytes : "", cases[i].error);
		assert_string_equal(request, "status json\n");
		free(out);
		buf_done(&error);
	}
}

static void
no_request_above_the_limit_is_sent(void **state)
{
	static char word[CONTROL_REQUEST_MAX];
	char *words[CONTROL_WORDS_MAX + 1];
	struct buf error;
	char *out;

	(void)state;
	buf_init(&error, CLIENT_ERROR_MAX);
	memset(word, 'x', sizeof(word) - 1);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i] = word + sizeof(word) - 2;
	assert_int_equal(meet("", words, ARRAY_LEN(words), &out, &error), -E2BIG);
	free(out);
	words[0] = word; /* with its newline exactly the limit */
	assert_int_equal(meet("ok\n", words, 1, &out, &error), 0);
	free(out);
	assert_int_equal(meet("ok\n", words, 2, &out, &error), -E2BIG);
	free(out);
	buf_done(&error);
}

static void
an_output_that_takes_nothing_is_an_error(void **state)
{
	static char status[] = "status";
	char *words[] = {status};
	FILE *full = fopen("/dev/full", "we");
	int pair[2];

	(void)state;
	assert_non_null(full);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	send_text(pair[1], "ok\nhello\n");
	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	assert_int_equal(client_ask(pair[0], 1, words, full, NULL), -EIO);
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(close(pair[1]), 0);
	(void)fclose(full);
}

static void
an_absent_daemon_is_told_from_a_dead_one(void **state)
{
	char path[200];
	int fd;

	(void)state;
	assert_int_equal(client_open(scratch_path("none"), &fd), -ENOENT);
	bind_dead(scratch_path("dead"));
	assert_int_equal(client_open(scratch_path("dead"), &fd), -ECONNREFUSED);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(client_open(path, &fd), -ENAMETOOLONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(answers_errors_and_nonsense_are_told_apart),
	    TEST(no_request_above_the_limit_is_sent),
	    TEST(an_output_that_takes_nothing_is_an_error),
	    TEST(an_absent_daemon_is_told_from_a_dead_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
