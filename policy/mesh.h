/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshConfig.outboundTrafficPolicy, from wherever a mesh configuration stands: the
 * daemon's own configuration, an IstioOperator, the mesh ConfigMap.
 */
#ifndef POLICY_MESH_H
#define POLICY_MESH_H

#include <stdbool.h>

#include "base/macros.h"
#include "policy/manifest.h"
#include "policy/verdict.h"

#define MESH_ROOT_NAMESPACE "istio-system" /* Istio's default rootNamespace */

struct mesh {
	/* false: absent or null, which says nothing; when nobody says anything, the
	 * mode is ALLOW_ANY */
	bool has_outbound;
	enum outbound_mode outbound;
	unsigned line, column;      /* of outboundTrafficPolicy */
	const char *root_namespace; /* NULL: not stated, MESH_ROOT_NAMESPACE */
};

/*
 * Of a mesh configuration (NULL or null: nothing stated) only outboundTrafficPolicy is
 * read; `{}` is REGISTRY_ONLY, ALLOW_ANY_DYNAMIC_DNS is ALLOW_ANY. -EINVAL after an error
 * finding.
 */
MUST_CHECK int mesh_read(const struct node *mesh_config, const char *file,
    struct findings *findings, struct mesh *ret_mesh);

/* spec.meshConfig of an IstioOperator. */
MUST_CHECK int mesh_read_operator(
    struct reader *rd, const struct manifest *m, struct mesh *ret_mesh);

/* Is this ConfigMap the mesh's, by its name and by having a text under data.mesh? */
bool mesh_is_config_map(const struct manifest *m);
/* The YAML text under data.mesh. -EINVAL after an error finding, -ENOMEM, -ENOSPC. */
MUST_CHECK int mesh_read_config_map(
    struct reader *rd, const struct manifest *m, struct mesh *ret_mesh);

#endif
