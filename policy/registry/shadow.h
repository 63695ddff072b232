/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Warnings for hosts that other namespaces define too, and that some pods therefore see
 * somebody else's definition of.
 */
#ifndef POLICY_REGISTRY_SHADOW_H
#define POLICY_REGISTRY_SHADOW_H

#include "base/macros.h"
#include "policy/registry/definition.h"

/* Once the namespaces' views are there, and before those of Sidecars: one warning at most
 * for each host of an entry. Cost: the grants and the exports. -ENOMEM, -ENOSPC. */
MUST_CHECK int shadow_report(const struct definitions *d);

#endif
