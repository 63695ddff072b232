/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scopes of Sidecars see, as grants in the tree.
 *
 * A host is imported when it is a subset of an imported pattern and of no excluded one of
 * the same listener. Listener by listener the best of its definitions is chosen; the
 * first listener that imports the host decides which namespace's it is, and its ports are
 * those that the listeners serve of it. Cost: what the patterns match, for each scope.
 */
#ifndef POLICY_REGISTRY_VIEW_H
#define POLICY_REGISTRY_VIEW_H

#include "base/macros.h"
#include "policy/registry/definition.h"
#include "policy/registry/scope.h"

/* Once the namespaces' own views are there. A warning where listeners choose different
 * namespaces' definitions of one host. -ENOMEM, -ENOSPC. */
MUST_CHECK int view_build(struct definitions *d, const struct scopes *scopes);

#endif
