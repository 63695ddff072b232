/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making policy/registry/way.h's lists of an entry, in the image.
 */
#ifndef POLICY_REGISTRY_WAY_MAKE_H
#define POLICY_REGISTRY_WAY_MAKE_H

#include "base/macros.h"
#include "policy/object/service_entry.h"
#include "policy/registry/definition.h"
#include "policy/registry/verdict.h"
#include "policy/registry/way.h"

/* ways, backends and leads of im, whose targets are made. -ENOMEM, -ENOSPC. */
MUST_CHECK int way_make(
    struct definitions *d, const struct service_entry *e, struct entry_image *im);
/* The own ports of an endpoint that is a name, into its target. -ENOMEM, -ENOSPC. */
MUST_CHECK int way_make_target(struct definitions *d, const struct service_entry *e,
    const struct entry_endpoint *at, struct registry_target *target);
/* ways of all parts of a definition. -ENOMEM, -ENOSPC. */
MUST_CHECK int way_unite(
    struct definitions *d, const struct definition *def, struct registry_host *h);

/* What a list says of an endpoint's port; NULL: nothing. Cost: log of the count. */
const struct way_override *way_find(const struct way_override *list, size_t count,
    const struct registry_port *port, const struct addr *endpoint);

#endif
