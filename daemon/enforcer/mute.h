/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources that a socket of nfnetlink_log is not to hear, dropped in the kernel by a
 * filter on that socket: one that floods takes no room in its buffer from the others, and
 * no time from its reader.
 */
#ifndef DAEMON_ENFORCER_MUTE_H
#define DAEMON_ENFORCER_MUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/macros.h"

#define MUTE_MAX 16 /* sources at one time */

struct mute {
	size_t count;
	struct addr sources[MUTE_MAX];
};

/* Add a source and put the filter on the socket. -ENOSPC: there are MUTE_MAX; a negative
 * errno of the kernel: it is still heard. */
MUST_CHECK int mute_add(struct mute *m, int fd, const struct addr *source);
/* Hear everybody again. */
void mute_clear(struct mute *m, int fd);

#endif
