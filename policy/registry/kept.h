/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects that a registry was built of, each in its last good form: what a later
 * build falls back to where it finds something broken.
 *
 * A kept lies in the memory of its registry and goes with it. Sealed it is never changed
 * again, and so may be read by another thread as long as the registry lives.
 */
#ifndef POLICY_REGISTRY_KEPT_H
#define POLICY_REGISTRY_KEPT_H

#include <stddef.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"
#include "policy/memory.h"
#include "policy/object/manifest.h"
#include "policy/registry/object.h"
#include "policy/yaml/pack.h"

/* Bytes of all last good forms together: as much as four of the largest files hold. */
#define KEPT_BYTES_MAX ((size_t)4 * NODE_BYTES_MAX)

struct kept_object {
	struct table_link link;
	struct kept_object *next;      /* in the order in which they were kept */
	struct kept_object *same_file; /* the next one of its file */
	struct object_id id;
	struct object_place at;
	const char *api_version;
	struct pack pack;
};

struct kept {
	struct hash_key key;
	struct kept_object *first, **end;
	size_t count;
	size_t bytes;
	size_t unkept; /* there was no room for these */
	/* once sealed */
	struct table objects;
	struct table files;
};

/* Empty. Must not be moved. */
void kept_init(struct kept *k, const struct hash_key *key);
/* Keep m, which stands in the file, or count it where there is no room. memory's lack
 * tells whether it failed. file is borrowed, as long as the memory lives. */
void kept_add(
    struct kept *k, struct memory *memory, const char *file, const struct manifest *m);
/* To be looked up from now on. Negative: memory's lack. */
MUST_CHECK int kept_seal(struct kept *k, struct memory *memory);

/* NULL when there is none; k may be NULL. */
const struct kept_object *kept_find(const struct kept *k, const struct object_id *id);
/* The first one of a file, NULL when there is none; k may be NULL. */
const struct kept_object *kept_of_file(const struct kept *k, const char *file);

#endif
