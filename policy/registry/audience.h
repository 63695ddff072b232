/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pods that see a host, as runs in the lists of pods' addresses.
 *
 * Equal audiences are one. A host that some scope does not see, or sees with other ports,
 * has only known pods for its audience: what cannot be told apart stays closed.
 */
#ifndef POLICY_REGISTRY_AUDIENCE_H
#define POLICY_REGISTRY_AUDIENCE_H

#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"
#include "policy/registry/definition.h"
#include "policy/registry/scope.h"
#include "policy/registry/workload.h"

/* A run of pods in a family's list of addresses. */
struct pod_run {
	uint32_t start, count;
	size_t before; /* pods in the runs before this one */
};

/* Who sees a host; in the image. */
struct audience {
	bool all; /* known pods or not */
	size_t run_count[FAMILIES];
	const struct pod_run *runs[FAMILIES];
	size_t pod_count[FAMILIES];
};

/* An audience while the registry is built. */
struct audience_entry {
	struct table_link link;
	struct audience *audience;
	uint64_t mark; /* policy/registry/fixed.c */
};

struct audiences {
	const struct definitions *d;
	const struct workloads *workloads;
	const struct scopes *scopes;
	struct table table; /* on the heap, until audiences_done */
};

/* -ENOMEM. */
MUST_CHECK int audiences_init(struct audiences *a, const struct definitions *d,
    const struct workloads *w, const struct scopes *scopes);
void audiences_done(struct audiences *a);

/*
 * For all hosts that somebody sees in the places of the n definitions, each once: into
 * the audience of their struct definition_host. Sorts the list. Cost: the grants in those
 * places. -ENOMEM, -ENOSPC.
 */
MUST_CHECK int audiences_find(struct audiences *a, struct definition **list, size_t n);

#endif
