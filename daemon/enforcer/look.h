/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at every flow that the kernel's conntrack knows: which of some leases have
 * living ones?
 *
 * A process of its own does it (daemon/enforcer/alive.h), because a piece of such a
 * dump takes as long as the kernel needs to fill it: where flows are few it walks the
 * whole of its hash table for one, about 12 ms for the usual 262,144 buckets, and no
 * commit waits for that.
 */
#ifndef DAEMON_ENFORCER_LOOK_H
#define DAEMON_ENFORCER_LOOK_H

#include <stddef.h>

#include "daemon/enforcer/enforcer.h"

/* A look that takes longer, as the kernel does not answer it, ends with its process. */
#define LOOK_SECONDS_MAX 60

/*
 * Look, and send what is found to fd, a SOCK_SEQPACKET pair's end that blocks: LIVE
 * messages as daemon/enforcer/enforcer.h has them, the last one without records, which
 * tells how it went. Ends early, without a word, when nobody reads any more. list is
 * sorted by it.
 */
void look_run(struct enforcer_live *list, size_t count, int fd);

#endif
