/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The known pods by their addresses, and the pods' addresses by scope
 * (policy/registry/scope.h).
 */
#ifndef POLICY_REGISTRY_WORKLOAD_H
#define POLICY_REGISTRY_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"
#include "policy/finding.h"
#include "policy/intern.h"
#include "policy/memory.h"
#include "policy/object/pod.h"
#include "policy/registry/scope.h"
#include "policy/registry/verdict.h"

enum { FAMILY_V4, FAMILY_V6, FAMILIES };

/* The scope's addresses are those from start[id] to start[id + 1]. */
struct workload_addresses {
	const struct addr *list;
	const uint32_t *start; /* scope_count + 1 of them */
};

struct workloads {
	struct hash_key key;
	struct table table; /* in the image */
	size_t pod_count;
	size_t scope_count;
	struct workload_addresses addresses[FAMILIES];
};

/*
 * Of the list of pods, into the image. An address that two pods claim is nobody's, with a
 * warning. scratch goes when the builder does. -ENOMEM, -ENOSPC.
 */
struct workloads_input {
	struct pod *pods;
	enum outbound_mode mode;            /* where no Sidecar states one */
	const struct intern *namespaces;    /* has the pods' */
	const struct sidecar_set *sidecars; /* with what is told of them */
	const struct scopes *scopes;
	struct memory *image;
	struct memory *scratch;
	struct findings *findings;
};
MUST_CHECK int workloads_build(
    struct workloads *w, const struct workloads_input *input, const struct hash_key *key);

/* The addresses of those under ALLOW_ANY, into the image. -ENOMEM, -ENOSPC. */
MUST_CHECK int workloads_open(const struct workloads *w, struct memory *image,
    size_t *ret_count, const struct addr **ret_list);

const struct workload *workloads_find(const struct workloads *w, const struct addr *a);
/* The addresses of all, of both families; i from 0 until it returns false. */
bool workloads_address(const struct workloads *w, size_t i, struct addr *ret_addr);
/* By its name, for people. Cost: one pass over all. */
const struct workload *workloads_named(
    const struct workloads *w, const char *namespace, const char *name);

#endif
