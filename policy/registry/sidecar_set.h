/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All Sidecars, and which one applies to a pod: one at most, and nothing is merged.
 *
 * 0. one of the pod's namespace that stands for a broken one;
 * 1. one of the pod's namespace whose workloadSelector matches, the oldest;
 * 2. else the oldest one of that namespace without workloadSelector;
 * 3. else the oldest one without workloadSelector of the root namespace;
 * 4. else none.
 *
 * As Istio's initSidecarScopes and doGetSidecarScope (pilot/pkg/model/push_context.go).
 * Lies in scratch memory, as the Sidecars do.
 */
#ifndef POLICY_REGISTRY_SIDECAR_SET_H
#define POLICY_REGISTRY_SIDECAR_SET_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "policy/intern.h"
#include "policy/object/sidecar.h"

/* Those of one namespace. */
struct sidecar_group {
	struct sidecar *const *selecting; /* with workloadSelector, the oldest first */
	size_t selecting_count;
	struct sidecar *plain;  /* the oldest without; NULL: none */
	struct sidecar *closed; /* goes before all; NULL: none */
};

struct sidecar_set {
	struct sidecar **sorted;
	size_t count;
	struct sidecar_group *groups; /* by the ids of namespaces */
	size_t group_count;
	struct sidecar *root; /* without workloadSelector, of the root namespace */
};

struct sidecar_set_input {
	struct sidecar *list;
	size_t count;
	const struct intern
	    *namespaces; /* has all that there will be, the Sidecars' too */
	const char *root_namespace;
	struct memory *scratch;
	struct findings *findings;
};

/* A warning for each that never applies, because an older one goes before it. -ENOMEM,
 * -ENOSPC. */
MUST_CHECK int sidecar_set_build(
    struct sidecar_set *set, const struct sidecar_set_input *input);

/* NULL: none applies. */
struct sidecar *sidecar_set_choose(
    const struct sidecar_set *set, uint32_t namespace_id, const struct labels *labels);
/* For pods of that namespace that no workloadSelector matches. */
struct sidecar *sidecar_set_plain(const struct sidecar_set *set, uint32_t namespace_id);

#endif
