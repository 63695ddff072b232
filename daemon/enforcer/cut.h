/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting established flows that the table no longer lets pass: conntrack's entry keeps a
 * flow going whatever the sets say.
 *
 * A pass looks once at every flow of the kernel, a piece with each call of cut_work, so
 * that commits come in between. What one of the records names, and the table as it is now
 * would not let begin, is deleted from conntrack: the pod's next packet is a new flow's
 * and is refused. In front of that it is written into cut4 or cut6, because the other
 * end's next packet would make it a flow anew, in the other direction, of which the pod's
 * packets are replies and pass; for CUT_TIMEOUT_MS replies to what is written there are
 * refused. At its end a pass says ENFORCER_FLOWS.
 *
 * The table is marked in the transaction that makes a pass due, until the pass has ended:
 * a pass that dies with its process is done by the next one, then for all pods, because
 * what was to be cut is no longer known; a flow that has outlived its lease ends with it.
 *
 * A flow is a pod's when the pod began it. Flows that hardware has taken over stay and
 * are counted as lost.
 */
#ifndef DAEMON_ENFORCER_CUT_H
#define DAEMON_ENFORCER_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "daemon/enforcer/allowed.h"
#include "daemon/enforcer/conntrack.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/netlink.h"
#include "daemon/enforcer/ruleset.h"

/* The other end gives up before: Linux sends a segment again for about 15 minutes
 * (tcp_retries2). */
#define CUT_TIMEOUT_MS (3600 * 1000)
#define CUT_ROUND 128 /* flows that are cut together */

/* m is valid for the call. */
typedef void (*cut_say_fn)(void *ctx, const struct enforcer_message *m);

struct cut {
	cut_say_fn say;
	void *ctx;
	bool working;
	struct conntrack conntrack;
	struct allowed allowed;
	struct buf records;         /* struct enforcer_cut, all of this pass */
	struct enforcer_cut *exact; /* those with a destination, sorted */
	size_t exact_count;
	struct cover_range *ranges[2]; /* the pods of the others, IPv4's and IPv6's */
	size_t range_count[2];
	struct conntrack_flow found[CUT_ROUND];
	size_t found_count;
	struct enforcer_message out; /* with what was not said yet */
};

void cut_init(struct cut *c, cut_say_fn say, void *ctx);
void cut_done(struct cut *c);

/* Begin a pass by these records and this table; one that is under way begins again with
 * its own records too. A failure is said, and no error of anything else. */
void cut_begin(struct cut *c, const struct enforcer_cut *list, size_t count,
    const struct ruleset *rs);

/* The mark: is it there, put it (to the batch of nl), take it away. */
bool cut_is_marked(struct netlink *nl);
void cut_mark(struct netlink *nl);
void cut_unmark(struct netlink *nl);

/* When this becomes readable, call cut_work; -1: not now. */
int cut_fd(const struct cut *c);
/* nl: the table's, between batches. */
void cut_work(struct cut *c, struct netlink *nl);

#endif
