/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sets of table `inet egressd` hold besides leases: the pods' and the internal
 * ranges, our listeners, what is open without a lookup, and the pods that are open.
 */
#ifndef DAEMON_ENFORCER_CONTENTS_H
#define DAEMON_ENFORCER_CONTENTS_H

#include "base/macros.h"
#include "daemon/enforcer/netlink.h"
#include "daemon/enforcer/ruleset.h"

/* Add to the batch of nl, which has begun and has emptied the sets. -ENOMEM; other errors
 * come with the commit. */
MUST_CHECK int contents_put(struct netlink *nl, const struct ruleset *rs);

#endif
