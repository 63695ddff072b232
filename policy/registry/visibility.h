/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sees which definition of a host.
 *
 * A workload's own namespace goes first; then one that has a Kubernetes Service of that
 * name; then, as Istio lists them, what is exported to the workload's namespace by name;
 * then what is public; the oldest of each, by creationTimestamp and then by the name of
 * its namespace.
 */
#ifndef POLICY_REGISTRY_VISIBILITY_H
#define POLICY_REGISTRY_VISIBILITY_H

#include "base/macros.h"
#include "policy/registry/definition.h"

/* Fills the tree's views and the grants of the namespaces' scopes from all definitions.
 * -ENOMEM, -ENOSPC. */
MUST_CHECK int visibility_build(struct definitions *d);

/* The scope sees host, which is def's, and that something is below def's parents. */
MUST_CHECK int visibility_grant(struct definitions *d, const struct definition *def,
    uint32_t scope_id, const struct registry_host *host);

/* The host that a view holds in def's place: exact or wildcard. */
const struct registry_host *visibility_of(
    const struct tree_view *view, const struct definition *def);

#endif
