/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mesh's discoverySelectors: of which namespaces objects count at all.
 *
 * With selectors, a namespace is seen when a manifest tells of it and one of them matches
 * its labels. Without any, every namespace is seen.
 */
#ifndef POLICY_REGISTRY_DISCOVERY_H
#define POLICY_REGISTRY_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "policy/registry/builder.h"

struct discovery {
	bool all;
	size_t count;
	const char *const *seen; /* sorted */
};

/* In b->build, of b->mesh and b->namespaces. -ENOMEM, -ENOSPC. */
MUST_CHECK int discovery_make(
    struct registry_builder *b, struct discovery *ret_discovery);
bool discovery_sees(const struct discovery *d, const char *namespace);

/* Takes the objects of namespaces that are not seen out of the builder's lists: a warning
 * for each such namespace, a note for each object. -ENOMEM, -ENOSPC. */
MUST_CHECK int discovery_apply(struct registry_builder *b);

#endif
