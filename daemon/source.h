/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a query comes from: whether that is a pod, and which other address the pod has.
 */
#ifndef DAEMON_SOURCE_H
#define DAEMON_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "daemon/config.h"
#include "policy/registry.h"

/* Inside of pods.cidrs? Everybody else is refused. */
bool source_is_pod(const struct config *cfg, const struct addr *source);

/*
 * The address of this family (AF_INET or AF_INET6) that the pod behind source connects
 * from: source itself, or what w, its workload or NULL, tells. Family 0: not known. A pod
 * asks for AAAA over IPv4 as well as over IPv6, and a lease holds for one address.
 */
struct addr source_address(
    const struct addr *source, const struct workload *w, uint8_t family);

#endif
