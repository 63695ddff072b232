/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elements of services4, shared4 and their like (daemon/enforcer/translation.h):
 * which of a pod's destinations lead to which service.
 */
#ifndef DAEMON_ENFORCER_SERVICE_MAP_H
#define DAEMON_ENFORCER_SERVICE_MAP_H

#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/netlink.h"
#include "daemon/enforcer/ruleset.h"

#define SERVICE_CHAIN_MAX 24 /* bytes of a chain's name */

char *service_chain(uint32_t number, char chain[SERVICE_CHAIN_MAX]);

/* Into the maps of this family, which were emptied, behind the chains. -ENOMEM. */
MUST_CHECK int service_map_put(
    struct netlink *nl, const struct ruleset *rs, uint8_t family);

#endif
