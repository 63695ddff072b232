/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a builder has taken in to a registry.
 */
#ifndef POLICY_REGISTRY_COMPILE_H
#define POLICY_REGISTRY_COMPILE_H

#include "base/macros.h"
#include "policy/registry/builder.h"
#include "policy/registry/image.h"

/* The registry lies in b->image, which it takes over. On failure nothing is left but what
 * lies there. -ENOMEM, -ENOSPC. */
MUST_CHECK int registry_compile(
    struct registry_builder *b, struct registry **ret_registry);

/* The mesh's, by all that was taken in. */
enum outbound_mode compile_mode(const struct registry_builder *b);

#endif
