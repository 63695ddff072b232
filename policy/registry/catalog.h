/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All definitions by their names from the right (policy/backward.h), so that what a
 * Sidecar's pattern matches stands in one stretch that two binary searches find.
 *
 * In scratch memory, which goes when the builder does.
 */
#ifndef POLICY_REGISTRY_CATALOG_H
#define POLICY_REGISTRY_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "policy/object/import.h"
#include "policy/registry/definition.h"

/* A host with all its definitions, and what policy/registry/view.c notes at it while
 * it goes through the scopes one by one. Marks are serial numbers, so that nothing is
 * cleared. */
struct site {
	uint32_t listener;       /* of the mark, best is of */
	struct definition *best; /* for that listener */
	uint32_t scope;          /* the mark that the next three are of */
	struct definition *chosen;
	uint8_t *served; /* a byte for each of chosen's ports; NULL: all */
	struct site *next_chosen;
	struct site *next_best;
	const struct scope_rule *shared_by; /* whose nobody sees shared */
	struct definition *shared;
	const struct scope_rule *told_by; /* whose warning was given */
};

struct catalog_range {
	struct definition *const *at;
	size_t count;
};

struct catalog_index {
	struct definition **list; /* by namespace, then as the list of all */
	size_t *start;            /* namespace_count + 1 of them */
};

struct catalog {
	struct definition **all;
	size_t count;
	struct catalog_index own;      /* by the namespace that defines */
	struct catalog_index exported; /* by the namespaces that exportTo names */
};

/* namespace_count: of d's namespaces. -ENOMEM, -ENOSPC. */
MUST_CHECK int catalog_build(
    struct catalog *c, struct definitions *d, size_t namespace_count);

struct catalog_range catalog_all(const struct catalog *c);
struct catalog_range catalog_of(const struct catalog_index *x, uint32_t namespace_id);
/* What of a range may match the name of an import; ask catalog_matches of each. */
struct catalog_range catalog_narrow(struct catalog_range range, const struct import *i);
/* Is the host a subset of the import's name? The namespace is not looked at. */
bool catalog_matches(const struct definition *def, const struct import *i);

#endif
