/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: egressctl's way in. A stream socket in the file system, mode 0600.
 *
 * A request is one line of at most CONTROL_REQUEST_MAX bytes, words parted by blanks; the
 * reply is the bytes until the end of the stream, the first line of them "ok" or "error
 * TEXT". Only root and the daemon's own user are heard. How many, and for how long:
 * daemon/control/stream_server.h. Replies above CONTROL_REPLY_MAX are an error.
 */
#ifndef DAEMON_CONTROL_CONTROL_H
#define DAEMON_CONTROL_CONTROL_H

#include "base/buf.h"
#include "base/macros.h"

#define CONTROL_DEFAULT_PATH "/run/egressd/control.sock"
#define CONTROL_REQUEST_MAX 1024 /* with its newline */
#define CONTROL_REPLY_MAX ((size_t)256 * 1024 * 1024)
#define CONTROL_WORDS_MAX 8

struct control;
struct event_base;

/* Answer the words: append to out what follows "ok", or return a negative errno and
 * append the error's text. */
typedef int (*control_answer_fn)(
    void *ctx, size_t word_count, char **words, struct buf *out);

/*
 * Makes the socket, replacing a dead one; from then on the process ignores SIGPIPE.
 * -EADDRINUSE when somebody listens there; -EEXIST when path is something else than a
 * socket; other negative errno.
 */
MUST_CHECK int control_new(struct event_base *base, const char *path,
    control_answer_fn answer, void *ctx, struct control **ret_control);
/* Removes the socket file. */
void control_free(struct control *c);

#endif
