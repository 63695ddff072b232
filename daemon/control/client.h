/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of the control socket: ask a running daemon. Blocking, for programs that
 * have nothing else to do; no answer takes longer than CLIENT_WAIT_S between two pieces.
 */
#ifndef DAEMON_CONTROL_CLIENT_H
#define DAEMON_CONTROL_CLIENT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/macros.h"

#define CLIENT_WAIT_S 20 /* the daemon itself gives up after STREAM_SERVER_IDLE_S */
#define CLIENT_ERROR_MAX 1024

/*
 * Connect to the daemon at path; ret_fd is the caller's. -ENOENT or -ECONNREFUSED: no
 * daemon there; -EAGAIN: one that is too busy; -EACCES: not for us; other negative errno.
 */
MUST_CHECK int client_open(const char *path, int *ret_fd);

/*
 * Send the words and copy the answer to out. 0; -EREMOTEIO: the daemon refused, its text
 * is appended to error; -E2BIG: too many words for a request; -EPROTO: the connection was
 * closed without an answer; -EIO: out does not take it; other negative errno.
 */
MUST_CHECK int client_ask(
    int fd, size_t word_count, char *const *words, FILE *out, struct buf *error);

#endif
