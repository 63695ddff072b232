/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/log/journal.h"
#include "tests/unit/scratch.h"

static int journal;
static char datagram[65536];

static int
set_up(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)state;
	scratch_open();
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(journal >= 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%.60s/journal", scratch_folder);
	assert_int_equal(bind(journal, (void *)&at, sizeof(at)), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	assert_int_equal(close(journal), 0);
	scratch_close();
	return 0;
}

/* A sender's buffer that takes the head of the record but not its fields. */
static void
a_record_above_the_sockets_limit_goes_without_its_fields(void **state)
{
	char text[LOG_VALUE_MAX + 1];
	struct log_field f[8];
	struct record *r;
	int small = 4096, fd;
	ssize_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		f[i] = (struct log_field){"NAME", text};
	r = record_new(LOG_FAULT, LOG_PRIORITY_ERROR, 0, "kept", f, ARRAY_LEN(f));
	assert_non_null(r);
	assert_int_equal(journal_open(&fd), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	assert_int_equal(journal_send(fd, scratch_path("journal"), r), 0);
	n = recv(journal, datagram, sizeof(datagram) - 1, 0);
	assert_true(n > 0);
	datagram[n] = '\0';
	assert_true(strstr(datagram, "\nMESSAGE=kept\n") != NULL);
	assert_null(strstr(datagram, "EGRESSD_NAME"));
	assert_int_equal(close(fd), 0);
	record_free(r);
}

static void
a_value_with_a_newline_is_sent_with_its_length(void **state)
{
	static const char want[] = "KEY\n\x03\0\0\0\0\0\0\0a\nb\n";
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	journal_field(&b, "KEY", "a\nb", 3);
	assert_int_equal(b.len, sizeof(want) - 1);
	assert_memory_equal(b.bytes, want, sizeof(want) - 1);
	buf_clear(&b);
	journal_field(&b, "KEY", "ab", 2);
	assert_string_equal(b.bytes, "KEY=ab\n");
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(a_record_above_the_sockets_limit_goes_without_its_fields),
	    TEST(a_value_with_a_newline_is_sent_with_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
