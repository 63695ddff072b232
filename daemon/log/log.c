/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log/journal.h"
#include "daemon/log/json_line.h"
#include "daemon/log/record.h"

/* The only state of the program that is global: log.h. */
static struct {
	int journal_fd; /* -1: none */
	char *journal_path;
	bool debug;
	struct record *first; /* waiting, oldest first */
	struct record **end;
	struct log_counts counts;
	uint64_t told; /* of counts.dropped */
} sink = {.journal_fd = -1, .end = &sink.first};

void
log_open(const char *journal_path)
{
	log_close();
	if (journal_open(&sink.journal_fd) < 0)
		sink.journal_fd = -1; /* standard error it is */
	sink.journal_path = strdup(journal_path != NULL ? journal_path : JOURNAL_PATH);
}

void
log_close(void)
{
	struct record *next;

	for (struct record *r = sink.first; r != NULL; r = next) {
		next = r->next;
		record_free(r);
	}
	if (sink.journal_fd >= 0)
		(void)close(sink.journal_fd); /* nothing is buffered in it */
	free(sink.journal_path);
	memset(&sink, 0, sizeof(sink));
	sink.journal_fd = -1;
	sink.end = &sink.first;
}

void
log_set_debug(bool debug)
{
	sink.debug = debug;
}

/* 0; -EAGAIN: not now; another negative errno: nobody takes it. */
static int
send_record(const struct record *r)
{
	int result = -ENOENT;

	if (sink.journal_fd >= 0 && sink.journal_path != NULL)
		result = journal_send(sink.journal_fd, sink.journal_path, r);
	if (result < 0 && result != -EAGAIN)
		result = json_line_write(STDERR_FILENO, r);
	return result;
}

/* Send r, or keep it when it has to wait; takes r. */
static void
put(struct record *r)
{
	int result = sink.first == NULL ? send_record(r) : -EAGAIN;

	if (result == -EAGAIN && sink.counts.waiting < LOG_QUEUE_MAX) {
		*sink.end = r;
		sink.end = &r->next;
		sink.counts.waiting++;
		return;
	}
	if (result == 0)
		sink.counts.written++;
	else
		sink.counts.dropped++;
	record_free(r);
}

static int64_t
now_us(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return 0;
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
log_event(enum log_event event, enum log_priority priority,
    const struct log_field *fields, size_t field_count, const char *fmt, ...)
{
	char message[LOG_VALUE_MAX + 2]; /* one byte too many shows that it was cut */
	struct record *r;
	int saved_errno = errno;
	va_list args;

	if (priority == LOG_PRIORITY_DEBUG && !sink.debug)
		return;
	va_start(args, fmt);
	if (vsnprintf(message, sizeof(message), fmt, args) < 0)
		message[0] = '\0';
	va_end(args);
	r = record_new(event, priority, now_us(), message, fields, field_count);
	if (r != NULL)
		put(r);
	else
		sink.counts.dropped++;
	errno = saved_errno;
}

/* Send from the front of the queue until it is empty or nobody takes any. */
static void
drain(void)
{
	struct record *r;
	int result;

	while ((r = sink.first) != NULL) {
		result = send_record(r);
		if (result == -EAGAIN)
			return;
		sink.first = r->next;
		if (sink.first == NULL)
			sink.end = &sink.first;
		sink.counts.waiting--;
		if (result == 0)
			sink.counts.written++;
		else
			sink.counts.dropped++;
		record_free(r);
	}
}

/* The loss of the telling itself is not told again, or a dead standard error would be
 * told about for ever. */
static void
tell_dropped(void)
{
	char count[sizeof("18446744073709551615")];
	struct log_field field = {"COUNT", count};

	(void)snprintf(count, sizeof(count), "%llu",
	    (unsigned long long)(sink.counts.dropped - sink.told)); /* fits */
	log_event(LOG_DROPPED, LOG_PRIORITY_WARNING, &field, 1,
	    "%s log records were lost because nobody took them in time", count);
	sink.told = sink.counts.dropped;
}

bool
log_flush(void)
{
	drain();
	if (sink.counts.dropped != sink.told && sink.counts.waiting < LOG_QUEUE_MAX)
		tell_dropped();
	return sink.first != NULL;
}

struct log_counts
log_counts(void)
{
	return sink.counts;
}
