/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes Services and their EndpointSlices, as the entries that would say the same:
 * hosts SERVICE.NAMESPACE.svc.DOMAIN, whose source is the Service.
 *
 * A ClusterIP is an endpoint of a STATIC entry: answered, and opened by the lookup. A
 * headless Service has its ready endpoints' addresses, and each endpoint with a hostname
 * makes HOSTNAME.SERVICE... a host of its own. An ExternalName is a DNS entry with that
 * name as its endpoint. All are internal: they may lead inside.
 */
#ifndef POLICY_REGISTRY_CLUSTER_H
#define POLICY_REGISTRY_CLUSTER_H

#include "base/macros.h"
#include "policy/registry/builder.h"

#define CLUSTER_DOMAIN "cluster.local" /* Kubernetes' default */
#define CLUSTER_ENDPOINTS_MAX 4096     /* of one Service; a warning tells of more */

/* Appends the entries to the builder's list. -ENOMEM, -ENOSPC. */
MUST_CHECK int cluster_apply(struct registry_builder *b);

#endif
