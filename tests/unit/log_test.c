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
#include <unistd.h>

#include "daemon/log/json_line.h"
#include "daemon/log/log.h"
#include "tests/unit/scratch.h"

#define DATAGRAM_MAX 65536

/* A stand-in for journald, and a pipe in the place of standard error. */
struct bed {
	char path[100];
	int journal; /* -1: nobody listens */
	int error_out, saved_error;
	char datagram[DATAGRAM_MAX + 1];
	char line[JSON_LINE_MAX * 4];
};

static struct bed bed;

static void
journal_appears(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	bed.journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(bed.journal >= 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", bed.path);
	assert_int_equal(bind(bed.journal, (void *)&at, sizeof(at)), 0);
}

static void
journal_vanishes(void)
{
	assert_int_equal(close(bed.journal), 0);
	assert_int_equal(unlink(bed.path), 0);
	bed.journal = -1;
}

static void
error_to_pipe(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	bed.saved_error = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	assert_int_equal(close(ends[1]), 0);
	bed.error_out = ends[0];
}

static int
set_up(void **state)
{
	(void)state;
	scratch_open();
	(void)snprintf(bed.path, sizeof(bed.path), "%s", scratch_path("journal"));
	journal_appears();
	error_to_pipe();
	log_open(bed.path);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	log_close();
	assert_true(dup2(bed.saved_error, STDERR_FILENO) >= 0);
	assert_int_equal(close(bed.saved_error), 0);
	if (bed.error_out >= 0)
		assert_int_equal(close(bed.error_out), 0);
	if (bed.journal >= 0)
		journal_vanishes();
	scratch_close();
	return 0;
}

/* The next datagram, NULL without one. */
static const char *
next_datagram(void)
{
	ssize_t n = recv(bed.journal, bed.datagram, DATAGRAM_MAX, 0);

	if (n < 0)
		return NULL;
	bed.datagram[n] = '\0';
	return bed.datagram;
}

/* All that standard error got, "" for nothing. */
static const char *
error_text(void)
{
	ssize_t n = read(bed.error_out, bed.line, sizeof(bed.line) - 1);

	bed.line[n > 0 ? n : 0] = '\0';
	return bed.line;
}

static void
say(const char *message)
{
	log_event(LOG_STARTED, LOG_PRIORITY_INFO, NULL, 0, "%s", message);
}

/* Until the receiver's queue is full: net.unix.max_dgram_qlen and one more. */
static unsigned
fill_journal(void)
{
	unsigned n = 0;

	while (log_counts().waiting == 0) {
		say("filler");
		n++;
		assert_true(n < 100000);
	}
	return n;
}

static bool
has_line(const char *datagram, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = datagram; p != NULL && *p != '\0'; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, line, len) == 0 && p[len] == '\n')
			return true;
	}
	return false;
}

static void
a_record_has_priority_identifier_id_and_fields(void **state)
{
	struct log_field fields[] = {{"NAME", "evil.test"}, {"POD", NULL}, {"TYPE", "A"}};
	const char *d;

	(void)state;
	log_event(LOG_REFUSED_LOOKUP, LOG_PRIORITY_NOTICE, fields, 3, "refused %s", "x");
	d = next_datagram();
	assert_non_null(d);
	assert_true(has_line(d, "PRIORITY=5"));
	assert_true(has_line(d, "SYSLOG_IDENTIFIER=egressd"));
	assert_true(has_line(d, "MESSAGE_ID=b08d81d41b4f464894affcd73d7e5b8a"));
	assert_true(has_line(d, "MESSAGE=refused x"));
	assert_true(has_line(d, "EGRESSD_EVENT=refused_lookup"));
	assert_true(has_line(d, "EGRESSD_NAME=evil.test"));
	assert_true(has_line(d, "EGRESSD_TYPE=A"));
	assert_null(strstr(d, "EGRESSD_POD"));
	assert_int_equal(log_counts().written, 1);
	assert_string_equal(error_text(), "");
}

static void
a_value_cannot_begin_a_line_of_its_own(void **state)
{
	struct log_field f = {"NAME", "a\nMESSAGE=forged\x1b[31m\x7f\xff"};
	const char *d;

	(void)state;
	log_event(LOG_FAULT, LOG_PRIORITY_ERROR, &f, 1, "one\ntwo\r%s", "\nPRIORITY=0");
	d = next_datagram();
	assert_non_null(d);
	assert_true(has_line(d, "EGRESSD_NAME=a\\010MESSAGE=forged\\027[31m\\127\\255"));
	assert_true(has_line(d, "MESSAGE=one\\010two\\013\\010PRIORITY=0"));
	assert_false(has_line(d, "MESSAGE=forged"));
	assert_false(has_line(d, "PRIORITY=0"));
}

static void
long_values_and_messages_are_cut(void **state)
{
	char text[3 * LOG_VALUE_MAX];
	struct log_field f = {"NAME", text};
	const char *d, *value;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_event(LOG_FAULT, LOG_PRIORITY_ERROR, &f, 1, "%s", text);
	d = next_datagram();
	assert_non_null(d);
	value = strstr(d, "EGRESSD_NAME=");
	assert_non_null(value);
	value += strlen("EGRESSD_NAME=");
	assert_int_equal(strcspn(value, "\n"), LOG_VALUE_MAX);
	assert_memory_equal(value + LOG_VALUE_MAX - 4, "x...", 4);
	value = strstr(d, "\nMESSAGE=") + strlen("\nMESSAGE=");
	assert_int_equal(strcspn(value, "\n"), LOG_VALUE_MAX);
}

static void
debug_records_need_to_be_asked_for(void **state)
{
	(void)state;
	log_event(LOG_STARTED, LOG_PRIORITY_DEBUG, NULL, 0, "quiet");
	assert_null(next_datagram());
	log_set_debug(true);
	log_event(LOG_STARTED, LOG_PRIORITY_DEBUG, NULL, 0, "loud");
	assert_true(has_line(next_datagram(), "MESSAGE=loud"));
}

static void
errno_survives_logging(void **state)
{
	(void)state;
	errno = ENOTTY;
	fill_journal();
	assert_int_equal(errno, ENOTTY);
}

static void
a_receiver_that_does_not_read_blocks_nobody(void **state)
{
	uint64_t written, dropped;

	(void)state;
	(void)fill_journal();
	written = log_counts().written;
	for (unsigned i = 1; i < LOG_QUEUE_MAX + 25; i++)
		say("filler");
	assert_int_equal(log_counts().waiting, LOG_QUEUE_MAX);
	assert_int_equal(log_counts().dropped, 25);
	assert_int_equal(log_counts().written, written);
	assert_true(log_flush());
	dropped = log_counts().dropped;
	assert_int_equal(dropped, 25);
	assert_string_equal(error_text(), ""); /* a full journal is not an absent one */
}

static void
the_loss_is_told_once_when_there_is_room_again(void **state)
{
	unsigned told = 0, flushes = 0;
	const char *d;

	(void)state;
	(void)fill_journal();
	for (unsigned i = 1; i < LOG_QUEUE_MAX + 8; i++)
		say("filler");
	assert_int_equal(log_counts().dropped, 8);
	do {
		while ((d = next_datagram()) != NULL)
			if (has_line(d, "EGRESSD_COUNT=8")) {
				assert_true(has_line(d, "EGRESSD_EVENT=dropped"));
				told++;
			}
		assert_true(++flushes < 10000);
	} while (log_flush());
	while ((d = next_datagram()) != NULL)
		told += has_line(d, "EGRESSD_COUNT=8");
	assert_int_equal(told, 1);
	assert_false(log_flush());
	assert_null(next_datagram());
	assert_int_equal(log_counts().waiting, 0);
}

static void
order_is_kept_behind_a_full_queue(void **state)
{
	char text[32], want[64];
	const char *d;
	unsigned next = 0;

	(void)state;
	(void)fill_journal();
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof(text), "number %u", i);
		say(text);
	}
	do {
		while ((d = next_datagram()) != NULL) {
			(void)snprintf(want, sizeof(want), "MESSAGE=number %u", next);
			if (strstr(d, "MESSAGE=number") == NULL)
				continue;
			assert_true(has_line(d, want));
			next++;
		}
	} while (log_flush());
	while (next_datagram() != NULL)
		next++;
	assert_int_equal(next, 20);
}

static void
without_journald_standard_error_gets_json(void **state)
{
	struct log_field f = {"NAME", "a\"b"};
	const char *line;

	(void)state;
	journal_vanishes();
	log_event(LOG_REFUSED_LOOKUP, LOG_PRIORITY_WARNING, &f, 1, "hello");
	line = error_text();
	assert_non_null(
	    strstr(line, ",\"level\":\"warning\",\"event\":\"refused_lookup\","
			 "\"message\":\"hello\",\"EGRESSD_NAME\":\"a\\\"b\"}\n"));
	assert_memory_equal(line, "{\"time\":\"2", 10);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
a_journald_that_comes_back_is_found(void **state)
{
	(void)state;
	journal_vanishes();
	say("while away");
	assert_non_null(strstr(error_text(), "while away"));
	journal_appears();
	say("back");
	assert_true(has_line(next_datagram(), "MESSAGE=back"));
	assert_string_equal(error_text(), "");
}

/* A socket file without a process behind it. */
static void
a_dead_journald_is_as_an_absent_one(void **state)
{
	(void)state;
	assert_int_equal(close(bed.journal), 0);
	bed.journal = -1;
	say("nobody");
	assert_non_null(strstr(error_text(), "nobody"));
	assert_int_equal(log_counts().written, 1);
}

static void
what_waited_goes_to_standard_error_when_journald_dies(void **state)
{
	(void)state;
	(void)fill_journal();
	say("last words");
	journal_vanishes();
	assert_false(log_flush());
	assert_non_null(strstr(error_text(), "last words"));
	assert_int_equal(log_counts().dropped, 0);
}

static void
a_full_pipe_blocks_nobody(void **state)
{
	unsigned n = 0;

	(void)state;
	journal_vanishes();
	while (log_counts().dropped == 0 && n++ < 100000)
		say("filler");
	assert_int_equal(log_counts().waiting, LOG_QUEUE_MAX);
	assert_int_equal(log_counts().dropped, 1);
	assert_true(log_flush());
	while (error_text()[0] != '\0')
		continue;
	(void)log_flush();
	assert_true(log_counts().waiting < LOG_QUEUE_MAX);
}

static void
a_closed_pipe_loses_records_and_nothing_else(void **state)
{
	(void)state;
	journal_vanishes();
	assert_int_equal(close(bed.error_out), 0);
	bed.error_out = -1;
	say("into the void");
	assert_int_equal(log_counts().dropped, 1);
	assert_false(log_flush());
	assert_false(log_flush());
	assert_int_equal(log_counts().waiting, 0);
}

static void
a_path_too_long_for_a_socket_means_standard_error(void **state)
{
	char path[300];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	log_open(path);
	say("here");
	assert_non_null(strstr(error_text(), "here"));
}

static void
closing_forgets_everything(void **state)
{
	(void)state;
	(void)fill_journal();
	log_close();
	assert_int_equal(log_counts().waiting, 0);
	assert_int_equal(log_counts().written, 0);
	say("unopened");
	assert_non_null(strstr(error_text(), "unopened"));
	log_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(a_record_has_priority_identifier_id_and_fields),
	    TEST(a_value_cannot_begin_a_line_of_its_own),
	    TEST(long_values_and_messages_are_cut),
	    TEST(debug_records_need_to_be_asked_for),
	    TEST(errno_survives_logging),
	    TEST(a_receiver_that_does_not_read_blocks_nobody),
	    TEST(the_loss_is_told_once_when_there_is_room_again),
	    TEST(order_is_kept_behind_a_full_queue),
	    TEST(without_journald_standard_error_gets_json),
	    TEST(a_journald_that_comes_back_is_found),
	    TEST(a_dead_journald_is_as_an_absent_one),
	    TEST(what_waited_goes_to_standard_error_when_journald_dies),
	    TEST(a_full_pipe_blocks_nobody),
	    TEST(a_closed_pipe_loses_records_and_nothing_else),
	    TEST(a_path_too_long_for_a_socket_means_standard_error),
	    TEST(closing_forgets_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
