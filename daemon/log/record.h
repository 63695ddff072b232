/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One log record, made fit to print, and the kinds of records there are.
 *
 * A record is one block of memory: record_free. Its message and values are ASCII without
 * control bytes, whatever went in: every other byte is \DDD, as in a domain name, so that
 * no name can begin a line, a field or a terminal sequence of its own.
 */
#ifndef DAEMON_LOG_RECORD_H
#define DAEMON_LOG_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/log/log.h"

#define RECORD_KEY_MAX 56 /* journald takes 64, of which EGRESSD_ needs 8 */

struct record {
	struct record *next; /* for whoever holds it */
	int64_t time_us;     /* CLOCK_REALTIME */
	enum log_event event;
	enum log_priority priority;
	const char *message;
	size_t field_count;
	struct log_field fields[LOG_FIELDS_MAX]; /* values never NULL */
};

/*
 * Copies everything. Values and the message are cut to LOG_VALUE_MAX, the cut shown by
 * "..."; fields with a NULL value are left out. Keys are A-Z, 0-9 and _, at most
 * RECORD_KEY_MAX bytes: the programmer's promise. NULL when out of memory.
 */
struct record *record_new(enum log_event event, enum log_priority priority,
    int64_t time_us, const char *message, const struct log_field *fields,
    size_t field_count);
void record_free(struct record *r);

/* "refused_lookup". */
const char *record_event_name(enum log_event event);
/* The MESSAGE_ID, 32 hexadecimal digits; systemd/egressd.catalog has a text for each. */
const char *record_event_id(enum log_event event);

#endif
