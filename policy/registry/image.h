/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a registry. Inside policy/ only; everybody else sees
 * policy/registry/registry.h.
 *
 * All of it lies in its own memory, the struct itself too.
 */
#ifndef POLICY_REGISTRY_IMAGE_H
#define POLICY_REGISTRY_IMAGE_H

#include "policy/memory.h"
#include "policy/registry/fixed.h"
#include "policy/registry/registry.h"
#include "policy/registry/sidecar_image.h"
#include "policy/registry/tree.h"
#include "policy/registry/workload.h"

struct registry {
	struct memory memory;
	size_t refs;
	enum outbound_mode mode; /* the strictest */
	size_t open_count;
	const struct addr *open; /* of the pods under ALLOW_ANY, when that is not mode */
	struct tree tree;
	size_t own_count;
	const struct prefix *own;
	size_t namespace_count;
	const char *const *namespaces;   /* by their ids */
	const struct plain_scope *plain; /* the same */
	uint32_t unknown; /* scope of a workload that is not known, or TREE_PUBLIC */
	const struct registry_sidecar *unknown_sidecar; /* that makes it */
	struct workloads workloads;
	struct fixed fixed;
	struct registry_counts counts;
	const struct kept *kept;   /* may be NULL */
	const struct shelf *shelf; /* the same */
};

#endif
