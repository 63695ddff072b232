/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ServiceEntry's workloadSelector: the Pods and WorkloadEntries of its namespace whose
 * labels it matches become its endpoints.
 */
#ifndef POLICY_REGISTRY_MEMBER_H
#define POLICY_REGISTRY_MEMBER_H

#include "base/macros.h"
#include "policy/registry/builder.h"

/*
 * Adds them to every entry of the builder's that has a workloadSelector, at most
 * SERVICE_ENTRY_ENDPOINTS_MAX: a warning tells of more. An entry of resolution NONE that
 * gets an address this way is answered with it, as one of resolution STATIC is. -ENOMEM,
 * -ENOSPC.
 */
MUST_CHECK int member_apply(struct registry_builder *b);

#endif
