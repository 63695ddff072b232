/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log without journald: one JSON object a line, on a descriptor that may be a
 * terminal, a file or a pipe.
 */
#ifndef DAEMON_LOG_JSON_LINE_H
#define DAEMON_LOG_JSON_LINE_H

#include "base/buf.h"
#include "base/macros.h"
#include "daemon/log/record.h"

/* A pipe that polls writable takes this much at once: PIPE_BUF of Linux, pipe(7). */
#define JSON_LINE_MAX 4096

/*
 * Append r as one line of at most JSON_LINE_MAX bytes with its newline. Fields that do
 * not fit are left out, and "cut":true says so.
 */
void json_line_format(struct buf *b, const struct record *r);

/*
 * Write r to fd without ever waiting. 0; -EAGAIN: not now; other negative errno: the line
 * is lost. SIGPIPE must be ignored.
 */
MUST_CHECK int json_line_write(int fd, const struct record *r);

#endif
