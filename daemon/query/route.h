/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the answer to a question comes from, by the registry's verdict on its name.
 */
#ifndef DAEMON_QUERY_ROUTE_H
#define DAEMON_QUERY_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/registry/verdict.h"

#define ROUTE_LOCAL SIZE_MAX          /* what the registry lists */
#define ROUTE_GATHERED (SIZE_MAX - 1) /* the answers to the names of a host's endpoints */

/* One of these, or a group of the resolver's servers: 0, or a zone's. */
size_t route_group(const struct verdict *v);
/* Is it a question for addresses, which may be leased? */
bool route_asks_addresses(uint16_t type);
/* A registered name serves addresses, and in an internal zone every type but those with
 * hints (daemon/query/hint.h); a zone's other names, and those under ALLOW_ANY, all. */
bool route_serves(const struct verdict *v, uint16_t type);

#endif
