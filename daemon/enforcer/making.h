/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Table `inet egressd` brought to what a transaction says, in one of the ways that this
 * kernel, and the table that is there, let it be.
 *
 * A table of the present layout is changed in place. One of an older layout, or of
 * another shape, is replaced, with its leases in the new one
 * (daemon/enforcer/migration.h): one kernel transaction, before and after which pods'
 * packets are judged. One of a newer layout is not touched.
 */
#ifndef DAEMON_ENFORCER_MAKING_H
#define DAEMON_ENFORCER_MAKING_H

#include <stdbool.h>

#include "base/macros.h"
#include "daemon/enforcer/interceptor.h"
#include "daemon/enforcer/netlink.h"
#include "daemon/enforcer/transaction.h"

/* How it went. */
struct making {
	bool log;     /* refused packets are logged; in: try to */
	bool existed; /* there was a table before */
	bool whole;   /* and its leases are in the one that stands now */
	const struct interceptor_alone *alone; /* in; borrowed */
	bool unfinished; /* a pass of cut.h was under way when its owner ended */
};

/* -EPERM: it is somebody else's; -EPROTONOSUPPORT: of a newer layout; -EOPNOTSUPP: this
 * kernel lacks what it needs; or what netlink_commit says. */
MUST_CHECK int making_run(
    struct netlink *nl, const struct transaction *t, struct making *making);
/* The table of this transaction stands: keep conntrack out of what does not need it. As
 * interceptor_settle; where the rules cannot be put, nobody is alone. */
void making_settle(struct netlink *nl, const struct transaction *t,
    struct interceptor_alone *alone, bool *look);

#endif
