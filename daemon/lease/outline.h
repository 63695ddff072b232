/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's table as a configuration and a registry want it, but for its leases, and
 * for where its services lead (daemon/lease/lead.h).
 */
#ifndef DAEMON_LEASE_OUTLINE_H
#define DAEMON_LEASE_OUTLINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "daemon/config/config.h"
#include "daemon/lease/change.h"
#include "policy/registry/registry.h"

/* Begin the change and write it there. adopt: keep the leases that stand there. listen:
 * what is served on addresses of this node. */
void outline_describe(struct change *c, bool adopt, const struct config *cfg,
    const struct registry *registry, const struct endpoint *listen, size_t listen_count);
/* The longest lease. */
uint32_t outline_timeout_max_ms(const struct config *cfg);

#endif
