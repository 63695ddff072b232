/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries and hosts copied into the registry's image.
 */
#ifndef POLICY_REGISTRY_ENTRY_IMAGE_H
#define POLICY_REGISTRY_ENTRY_IMAGE_H

#include "base/macros.h"
#include "policy/registry/definition.h"

/* entry->image. -ENOMEM, -ENOSPC, as everything here. */
MUST_CHECK int entry_image_make(
    struct definitions *d, struct service_entry *entry, const struct interned *namespace);
/* def->host, which says what all parts say together. */
MUST_CHECK int entry_image_host(struct definitions *d, struct definition *def);

#endif
