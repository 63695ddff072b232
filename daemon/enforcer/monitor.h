/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watching for others who change table `inet egressd`, where the kernel does not keep
 * them from it.
 *
 * What comes from our own socket is filtered out in the kernel, so that our own commits
 * cost nothing here.
 */
#ifndef DAEMON_ENFORCER_MONITOR_H
#define DAEMON_ENFORCER_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

/* ret_fd becomes readable when somebody but the socket at port changes any table; it is
 * non-blocking and the caller's. */
MUST_CHECK int monitor_open(uint32_t port, int *ret_fd);
/* Take what is there. True: our table was changed, or a notification was lost and it may
 * have been. */
bool monitor_read(int fd);

#endif
