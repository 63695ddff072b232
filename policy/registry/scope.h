/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scopes: the different ways to see the registry.
 *
 * Each namespace has one, whose id is the namespace's: it sees what is public, and
 * what its grants say besides. A Sidecar that does not import everything makes one
 * more for each namespace that it applies to, which sees nothing but its grants
 * (policy/registry/tree.h).
 *
 * Sidecars with the same egress have one rule and share its scopes. Where what a rule
 * imports from other namespaces is the same for all who are under it, that is granted
 * once, to a scope of nobody's, and the scopes of namespaces stand on that one: a Sidecar
 * of the root namespace costs what it imports once, and not once a namespace.
 */
#ifndef POLICY_REGISTRY_SCOPE_H
#define POLICY_REGISTRY_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "policy/intern.h"
#include "policy/registry/sidecar_set.h"
#include "policy/registry/tree.h"

/* What Sidecars with the same egress say. Its scopes stand together. */
struct scope_rule {
	const struct sidecar *sidecar; /* the first of them */
	bool shared;                   /* its scopes stand on nobody's */
	uint32_t nobody; /* the scope of a workload that is not known; TREE_NOTHING: not
			    needed */
	uint32_t first;  /* of the namespaces' scopes */
	uint32_t count;
};

struct scope {
	const struct scope_rule *rule;
	const struct interned *namespace; /* NULL: nobody's */
};

struct scopes {
	size_t namespace_count; /* scopes of namespaces, without rule: the first ids */
	size_t count;           /* all ids */
	struct scope *list;     /* of the others; the first has the id namespace_count */
	struct scope_rule *rules;
	size_t rule_count;
	const uint32_t *bases; /* by id, in the image */
	uint32_t unknown;      /* of a workload that is not known; TREE_PUBLIC: as without
			     Sidecars */
};

/* The id of each Sidecar's rule is written into the set's Sidecars; those that import
 * everything have none. scratch goes when the builder does. -ENOMEM, -ENOSPC. */
struct scopes_input {
	const struct sidecar_set *sidecars;
	const struct intern *namespaces; /* all */
	struct memory *image;
	struct memory *scratch;
	struct hash_key key;
};
MUST_CHECK int scopes_build(struct scopes *s, const struct scopes_input *input);

/* Of a pod of that namespace to which the Sidecar (NULL: none) applies. */
uint32_t scopes_find(
    const struct scopes *s, const struct sidecar *sidecar, uint32_t namespace_id);

#endif
