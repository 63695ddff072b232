/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's part in holding a pod to its rate of queries: what a pod that floods sends
 * is dropped before it takes room in our sockets from the others.
 *
 * The sets rates4 and rates6 have a token bucket for each source, of FLOOD_SETS_SIZE
 * sources that sent something in the last FLOOD_TIMEOUT_MS; who comes when they are
 * full is not held up here. The kernel lets a quarter more through than the rate and
 * the burst, so that the loop, which counts exactly (daemon/query/rate.h), sees that
 * there is too much and says so.
 */
#ifndef DAEMON_ENFORCER_FLOOD_H
#define DAEMON_ENFORCER_FLOOD_H

#include "daemon/enforcer/ruleset.h"

#define FLOOD_SETS_SIZE 16384
#define FLOOD_TIMEOUT_MS 10000

/* Rules for chain; the sources have been found to be who they say. */
void flood_put(struct netlink *nl, const struct ruleset *rs, const char *chain);

#endif
