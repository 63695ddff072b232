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

#include <stdint.h>

#include "daemon/enforcer/ruleset.h"

/* The first of this family on another port than 53, where no pod asks by itself, or the
 * first. NULL: we do not listen there. */
const struct endpoint *interceptor_find(const struct ruleset *rs, uint8_t family);
/* Rules for the chains query and reply. */
void interceptor_put(struct netlink *nl, const struct ruleset *rs);

#endif
