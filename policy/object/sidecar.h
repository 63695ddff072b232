/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Istio Sidecar: read, checked, and kept as values.
 *
 * What its ingress listeners and connection pools say has no effect here and is only
 * checked. All that it points at lies in the reader's memory and nothing in the tree.
 */
#ifndef POLICY_OBJECT_SIDECAR_H
#define POLICY_OBJECT_SIDECAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/object/egress.h"
#include "policy/object/labels.h"
#include "policy/object/manifest.h"
#include "policy/registry/verdict.h"

#define SIDECAR_LABELS_MAX 256 /* of its workloadSelector */
#define SIDECAR_INGRESS_MAX 256

struct scope_rule;

struct sidecar {
	struct registry_source source;
	int64_t created;
	bool closed;       /* stands for broken ones: it goes before all others of its
			      namespace, and imports nothing */
	bool has_selector; /* workloadSelector is there, be it empty */
	struct labels selector;
	bool has_outbound; /* outboundTrafficPolicy is there, be it empty */
	enum outbound_mode outbound;
	size_t egress_count; /* 0: everything */
	struct egress *egress;
	struct scope_rule *rule;             /* scope.h; NULL: it imports everything */
	const struct registry_sidecar *told; /* in the image, when compiled */
	struct sidecar *next;                /* in the builder's list */
};

/* NULL after error findings, or when the reader's memory lacks. m has had its metadata
 * read. file is kept as the source's, and must live as long as the Sidecar. */
struct sidecar *sidecar_read(struct reader *rd, const struct manifest *m);
/* What stands for a broken one: REGISTRY_ONLY, and nothing imported, for all pods of the
 * namespace. Borrows all texts. NULL when memory lacks. */
struct sidecar *sidecar_closed(
    struct memory *memory, const struct registry_source *source);

#endif
