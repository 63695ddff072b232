/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Kubernetes object, as it stands in a file or as kubectl prints it, alone or in a
 * List.
 *
 * A manifest borrows everything from the tree that it was read from.
 */
#ifndef POLICY_OBJECT_MANIFEST_H
#define POLICY_OBJECT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "policy/yaml/reader.h"

struct manifest {
	const struct node *at;   /* the object */
	const char *api_version; /* "networking.istio.io/v1", "v1" */
	const char *kind;
	/* from here on by manifest_metadata */
	const char *namespace; /* "default" when not stated */
	bool namespace_stated;
	const char *name;          /* NULL: it cannot be told which object this is */
	int64_t created;           /* seconds since 1970; 0: not stated */
	const struct node *labels; /* mapping or NULL */
	const struct node *annotations;
	const struct node *spec; /* NULL when absent or null */
};

/* A negative result ends the walk and is returned. */
typedef int (*manifest_fn)(void *ctx, struct reader *rd, const struct manifest *m);

/*
 * Calls fn for the object at root, or for each element when it is a List ("kind: List",
 * or a typed one as "kind: PodList", whose elements may leave out what the list says).
 * What is no object is an error finding, and the walk goes on.
 */
MUST_CHECK int manifest_each(
    struct reader *rd, const struct node *root, manifest_fn fn, void *ctx);

/* Is it of this group ("" for the core one)? version: what stands behind the group. */
bool manifest_group(
    const struct manifest *m, const char *group, const char **ret_version);

/* Reads metadata and spec. False after error findings. */
bool manifest_metadata(struct reader *rd, struct manifest *m);

/* "2021-01-28T15:51:40Z", with fraction or offset too (RFC 3339). -EINVAL. */
MUST_CHECK int manifest_time(const char *text, int64_t *ret_seconds);

#endif
