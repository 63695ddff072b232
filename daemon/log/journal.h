/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journald's native protocol: one record, one datagram
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).
 *
 * libsystemd's own call blocks while journald hangs; nothing here does. The socket is not
 * connected, so a journald that comes back is found again without any state.
 */
#ifndef DAEMON_LOG_JOURNAL_H
#define DAEMON_LOG_JOURNAL_H

#include <stddef.h>

#include "base/buf.h"
#include "base/macros.h"
#include "daemon/log/record.h"

#define JOURNAL_PATH "/run/systemd/journal/socket"
/* 16 values and a message of LOG_VALUE_MAX with their keys need 19 KiB. */
#define JOURNAL_RECORD_MAX ((size_t)24 * 1024)

/* ret_fd is the caller's. Negative errno when the kernel has no socket for us. */
MUST_CHECK int journal_open(int *ret_fd);

/*
 * Send r to the socket at path. 0; -EAGAIN: not now, try again later; -ENOENT,
 * -ECONNREFUSED and others: nobody is there. A record that is too large for the socket
 * goes without its EGRESSD_ fields.
 */
MUST_CHECK int journal_send(int fd, const char *path, const struct record *r);

/* Append one field: "KEY=VALUE\n", or the binary form when the value has a newline. */
void journal_field(struct buf *b, const char *key, const char *value, size_t len);

#endif
