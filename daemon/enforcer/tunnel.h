/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets with others in them: a node that ends tunnels sends on what is in them, from
 * whatever source it names, and no longer as a pod's. To a node they are not internal.
 */
#ifndef DAEMON_ENFORCER_TUNNEL_H
#define DAEMON_ENFORCER_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/enforcer/netlink.h"

/* port: the destination's, 0 when there is none. */
bool tunnel_is(uint8_t proto, uint16_t port);
/* Rules that send all of them from one chain to another. */
void tunnel_put(struct netlink *nl, const char *chain, const char *to);

#endif
