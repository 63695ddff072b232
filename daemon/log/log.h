/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: journald's native protocol when its socket is there, one JSON line on standard
 * error otherwise.
 *
 * Never blocks: a record that the receiver does not take at once waits in a queue of
 * LOG_QUEUE_MAX; behind that it is dropped and counted, and the count is told when there
 * is room again. The only state of the program that is global. Not for the enforcer
 * process, which has nobody to tell but the loop.
 */
#ifndef DAEMON_LOG_LOG_H
#define DAEMON_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define LOG_QUEUE_MAX 512
#define LOG_FIELDS_MAX 16
#define LOG_VALUE_MAX 1024 /* bytes of a value; longer ones are cut */

/* syslog(3) priorities. */
enum log_priority {
	LOG_PRIORITY_ERROR = 3,
	LOG_PRIORITY_WARNING = 4,
	LOG_PRIORITY_NOTICE = 5,
	LOG_PRIORITY_INFO = 6,
	LOG_PRIORITY_DEBUG = 7,
};

/* One kind of record, one MESSAGE_ID (systemd/egressd.catalog explains each). */
enum log_event {
	LOG_STARTED,
	LOG_STOPPED,
	LOG_REFUSED_LOOKUP,
	LOG_REFUSED_CONNECTION,
	LOG_FORBIDDEN_ADDRESS,
	LOG_RELOADED,
	LOG_RELOAD_FAILED,
	LOG_FINDING,
	LOG_LEFT_OUT, /* what is broken in the registry, and not loaded */
	LOG_COMMIT_FAILED,
	LOG_TABLE_LOST,
	LOG_TABLE_RESTORED,
	LOG_FLOWS_CUT,
	LOG_LIMIT,   /* a limit was reached */
	LOG_DROPPED, /* records were lost */
	LOG_FAULT,   /* anything else that ought not to be */
};

/* key without its EGRESSD_ prefix, upper case: NAME, POD, NAMESPACE, TYPE, REASON, ... */
struct log_field {
	const char *key;
	const char *value;
};

/* Open the sink; journal_path NULL: /run/systemd/journal/socket. Without it: standard
 * error. */
void log_open(const char *journal_path);
void log_close(void);
void log_set_debug(bool debug);

/* The text is the MESSAGE. Values are escaped by the sink; a NULL value leaves its field
 * out. */
void log_event(enum log_event event, enum log_priority priority,
    const struct log_field *fields, size_t field_count, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* Send what waits. Call once a loop turn; true while something still waits. */
bool log_flush(void);

struct log_counts {
	uint64_t written, dropped;
	size_t waiting;
};
struct log_counts log_counts(void);

#endif
