/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes from the enforcer: whole messages, several in one system call.
 */
#ifndef DAEMON_LEASE_INBOX_H
#define DAEMON_LEASE_INBOX_H

#include <stdbool.h>

#include "base/macros.h"
#include "daemon/enforcer/enforcer.h"

#define INBOX_BATCH 32 /* results in one system call */

struct inbox {
	struct enforcer_message list[INBOX_BATCH];
};

/* false: read no further. m is valid for the call. */
typedef bool (*inbox_take_fn)(void *ctx, const struct enforcer_message *m);

/* What waits at the loop's end of the pair, INBOX_BATCH at most. 0, or -EPIPE: the pair
 * is broken, or something came that is no message. */
MUST_CHECK int inbox_read(struct inbox *in, int fd, inbox_take_fn take, void *ctx);

#endif
