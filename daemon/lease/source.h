/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a query comes from: whether that is a pod, what the registry says to it, and
 * which other address the pod has.
 */
#ifndef DAEMON_LEASE_SOURCE_H
#define DAEMON_LEASE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "daemon/config/config.h"
#include "policy/registry/registry.h"

/* Inside of pods.cidrs? Everybody else is refused. */
bool source_is_pod(const struct config *cfg, const struct addr *source);
/* Are pods.cidrs of both the same? */
bool source_same_pods(const struct config *a, const struct config *b);

/* Whose it is, of its workload or NULL; 0: not known. */
uint64_t source_identity(const struct workload *w);

/*
 * The registry's word on a name for this source, whose workload (or NULL) in now is w.
 * before: NULL, or while the kernel is
 * being switched from one registry to the next, the one before: ALLOW_ANY answers without
 * a lease, which is too early until the kernel has opened the pod, so a pod that only
 * comes under it by now keeps to the word of before.
 */
void source_judge(const struct registry *now, const struct workload *w,
    const struct registry *before, const struct addr *source, const struct name *name,
    struct verdict *ret_verdict);

/*
 * The address of this family (AF_INET or AF_INET6) that the pod behind source connects
 * from: source itself, or what w, its workload or NULL, tells. Family 0: not known. A pod
 * asks for AAAA over IPv4 as well as over IPv6, and a lease holds for one address.
 */
struct addr source_address(
    const struct addr *source, const struct workload *w, uint8_t family);

#endif
