/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener that port 53 is turned to, whichever server a pod asked.
 *
 * A reply to such a query needs conntrack, which puts the server's address back into it.
 * One to a query that was sent to us does not: with a listener that only turned queries
 * come to, conntrack is kept out of what comes to the others, and goes from them, over
 * UDP, as NodeLocal DNSCache does. A flow costs a reply two thirds of a microsecond, and
 * a pod that asks from many ports would fill the node's table of flows.
 */
#ifndef DAEMON_ENFORCER_INTERCEPTOR_H
#define DAEMON_ENFORCER_INTERCEPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/ruleset.h"

/* Listeners of IPv4 and of IPv6 that all queries to other servers are turned to, and none
 * by an older flow to a listener that pods ask; all zero: there is none such. */
struct interceptor_alone {
	struct endpoint turned[2];
};

/* Of a family: the first on another port than 53 of an address that is also listened to
 * on port 53, or the first of all; one on the loopback only when there is no other.
 * NULL: we do not listen there. */
const struct endpoint *interceptor_find(const struct ruleset *rs, uint8_t family);
/* Rules for the chains query and reply, where rs->alone says that nobody needs conntrack
 * there. */
void interceptor_put(struct netlink *nl, const struct ruleset *rs);
/*
 * The table says by now where queries are turned to. Bring alone up to that; true when it
 * has changed. What it did not say before takes a look at all flows: those that were
 * turned to a listener before it had another port for that lead there for as long as
 * somebody uses them, and their replies need conntrack. Then, and where the flows may not
 * or cannot be looked at, all stays tracked until the next look, with a later table.
 *
 * look: may they be, which takes a microsecond or two each? Out: they were. Of more than
 * about 200,000 not all are: then it is as if they could not be.
 */
MUST_CHECK bool interceptor_settle(
    const struct ruleset *rs, struct interceptor_alone *alone, bool *look);

#endif
