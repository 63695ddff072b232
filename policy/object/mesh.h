/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a mesh configuration says that changes the registry, from wherever it stands: the
 * daemon's own configuration, an IstioOperator, the mesh ConfigMap.
 *
 * Read are outboundTrafficPolicy, defaultServiceExportTo, rootNamespace and
 * discoverySelectors; other fields are passed over, but one that is written almost like
 * these is an error, because it would leave more open than was meant. All values lie in
 * the reader's memory.
 */
#ifndef POLICY_OBJECT_MESH_H
#define POLICY_OBJECT_MESH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "policy/object/export.h"
#include "policy/object/label_selector.h"
#include "policy/object/manifest.h"
#include "policy/registry/verdict.h"

#define MESH_ROOT_NAMESPACE "istio-system" /* Istio's default rootNamespace */
#define MESH_SELECTORS_MAX 256

/* In the order of their words. */
enum mesh_field {
	MESH_OUTBOUND,
	MESH_EXPORT,
	MESH_ROOT,
	MESH_DISCOVERY,
	MESH_FIELDS,
};

struct mesh_place {
	const char *file; /* NULL: nobody states the field */
	unsigned line, column;
};

struct mesh {
	struct mesh_place places[MESH_FIELDS];
	/* false: absent or null, which says nothing; when nobody says anything, the
	 * mode is ALLOW_ANY */
	bool has_outbound;
	enum outbound_mode outbound;
	const struct export_words *export_to; /* NULL: not stated, everybody */
	const char *root_namespace;           /* NULL: not stated, MESH_ROOT_NAMESPACE */
	size_t selector_count; /* one of them has to match; 0: every namespace is seen */
	const struct label_selector *selectors;
};

/* The field's word. */
const char *mesh_field_name(enum mesh_field field);

/* Of a mesh configuration (NULL or null: nothing stated); an outboundTrafficPolicy of
 * `{}` is REGISTRY_ONLY, ALLOW_ANY_DYNAMIC_DNS is ALLOW_ANY. -EINVAL after error
 * findings, -ENOMEM, -ENOSPC. */
MUST_CHECK int mesh_read(
    struct reader *rd, const struct node *mesh_config, struct mesh *ret_mesh);

/* spec.meshConfig of an IstioOperator. */
MUST_CHECK int mesh_read_operator(
    struct reader *rd, const struct manifest *m, struct mesh *ret_mesh);

/* Is this ConfigMap the mesh's, by its name and by having a text under data.mesh? */
bool mesh_is_config_map(const struct manifest *m);
/* The YAML text under data.mesh. Refused outside the namespace root, where Istio's own
 * is: anybody may name a ConfigMap "istio" in a namespace of his own. */
MUST_CHECK int mesh_read_config_map(
    struct reader *rd, const struct manifest *m, const char *root, struct mesh *ret_mesh);

/* Into mesh what from states and mesh does not. Where both state a field, they have to
 * agree: the first such field on which they do not, MESH_FIELDS when there is none. */
enum mesh_field mesh_merge(struct mesh *mesh, const struct mesh *from);

#endif
