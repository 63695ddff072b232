/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is open without a lookup: an entry's addresses on the entry's ports, for the pods
 * that see it.
 *
 * Kept as the lists that it is a product of: pods, addresses, ports; so that memory grows
 * with what was written, not with the product.
 */
#ifndef POLICY_REGISTRY_FIXED_H
#define POLICY_REGISTRY_FIXED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "policy/registry/audience.h"
#include "policy/registry/definition.h"
#include "policy/registry/scope.h"
#include "policy/registry/verdict.h"
#include "policy/registry/workload.h"

struct fixed_group {
	size_t first; /* index of its first element */
	const struct registry_host *host;
	const struct audience *audience;
	const struct prefix *addresses; /* of one family */
	const struct registry_port *ports;
	const uint32_t *services; /* of each port; NULL: none leads elsewhere */
	uint32_t address_count, port_count;
	int family;
};

/* An entry's addresses on one of its ports, where that leads elsewhere. */
struct fixed_service {
	const struct registry_source *source;
	const struct registry_host *host; /* what its names may lead to */
	struct registry_port port;
	const struct way_backend *backends; /* none: the address stays */
	size_t backend_count;
	bool named;                  /* some of them are names */
	const struct way_host *ways; /* may be NULL */
};

struct fixed {
	const struct fixed_group *groups;
	size_t group_count;
	size_t count;
	const struct fixed_service *services; /* number 1 first */
	size_t service_count;
	size_t way_count; /* of all services */
};

/* From all entries of the list, once definitions, views and workloads are done. -ENOMEM,
 * -ENOSPC. */
struct fixed_input {
	const struct definitions *definitions;
	const struct workloads *workloads;
	const struct scopes *scopes;
	struct service_entry *const *entries;
	size_t entry_count;
};
MUST_CHECK int fixed_build(struct fixed *f, const struct fixed_input *input);

/* The host with most elements in one group, and how many; there is one. */
const struct registry_host *fixed_largest(const struct fixed *f, size_t *ret_count);

/* Whose service leads most ways; there is one. */
const struct registry_source *fixed_widest(const struct fixed *f);

/* Element i, false behind the last. Cost: log of the number of groups. */
bool fixed_get(const struct fixed *f, const struct workloads *w, size_t i,
    struct registry_fixed *ret_fixed);

#endif
