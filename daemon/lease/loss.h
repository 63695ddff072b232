/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pods lose more by a switch than the leases that it withdraws: whose address is
 * another pod's by now or nobody's, and who comes under REGISTRY_ONLY from ALLOW_ANY.
 *
 * Of these all flows end that the table does not let begin now, however they came about.
 */
#ifndef DAEMON_LEASE_LOSS_H
#define DAEMON_LEASE_LOSS_H

#include "daemon/config/config.h"
#include "daemon/lease/change.h"
#include "policy/registry/registry.h"

/* Into the change, as far as cfg says that they are pods. Cost: one pass over the pods
 * that before knows. */
void loss_describe(struct change *c, const struct config *cfg,
    const struct registry *before, const struct registry *now);

#endif
