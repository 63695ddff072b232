/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the registry keeps of Sidecars, to tell people: a struct registry_sidecar for
 * each, and which one a namespace is under.
 */
#ifndef POLICY_REGISTRY_SIDECAR_IMAGE_H
#define POLICY_REGISTRY_SIDECAR_IMAGE_H

#include "base/macros.h"
#include "policy/memory.h"
#include "policy/registry/scope.h"
#include "policy/registry/sidecar_set.h"

#define SIDECAR_IMPORTS_MAX 256 /* bytes of the list of imports that are told */

/* The pods of a namespace that no workloadSelector matches, known or not. */
struct plain_scope {
	uint32_t scope_id;
	enum outbound_mode mode;
	const struct registry_sidecar *sidecar; /* NULL: none */
};

struct sidecar_image_input {
	struct memory *image;
	const struct sidecar_set *sidecars;
	const struct scopes *scopes;
	enum outbound_mode mode; /* the mesh's */
};

/* Of each Sidecar, into its told. -ENOMEM, -ENOSPC. */
MUST_CHECK int sidecar_image_make(const struct sidecar_image_input *input);
/* By the ids of namespaces. */
MUST_CHECK int sidecar_image_plain(
    const struct sidecar_image_input *input, const struct plain_scope **ret_list);

/* What holds for its pods, when the mesh's mode is the one given. s: NULL for none. */
enum outbound_mode sidecar_mode(const struct sidecar *s, enum outbound_mode mesh);

#endif
