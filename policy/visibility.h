/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sees which definition of a host.
 *
 * A workload's own namespace goes first; then, as Istio lists them, what is exported to
 * that namespace by name; then what is public; the oldest of each, by creationTimestamp
 * and then by the name of its namespace.
 */
#ifndef POLICY_VISIBILITY_H
#define POLICY_VISIBILITY_H

#include "base/macros.h"
#include "policy/definition.h"

/* Fills the tree's views and grants from all definitions. -ENOMEM, -ENOSPC. */
MUST_CHECK int visibility_build(struct definitions *d);

/* The host that a view holds in def's place: exact or wildcard. */
const struct registry_host *visibility_of(
    const struct tree_view *view, const struct definition *def);

#endif
