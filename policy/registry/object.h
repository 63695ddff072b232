/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which objects were met where, by their kind, namespace and name: to find one that
 * stands twice, and what became of each.
 *
 * An objects has a table on the heap, which grows; the objects themselves lie in the
 * memory that they were added to. The owner calls objects_done.
 */
#ifndef POLICY_REGISTRY_OBJECT_H
#define POLICY_REGISTRY_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"
#include "policy/finding.h"
#include "policy/memory.h"

/* A kind says its group: no two kinds that are read have the same name. */
struct object_id {
	const char *kind;
	const char *namespace;
	const char *name;
};

struct object_place {
	const char *file;
	unsigned line, column;
};

enum object_state {
	OBJECT_MET,    /* its name is known, and no more */
	OBJECT_TAKEN,  /* it counts */
	OBJECT_BROKEN, /* what was met of it is wrong */
};

/* What leaving it out would do. */
enum object_weight {
	OBJECT_OPENS,  /* less is open then */
	OBJECT_CLOSES, /* more may be: its namespace is closed in its stead */
	OBJECT_VITAL,  /* everything may be: it is not left out */
};

struct object {
	struct table_link link;
	struct object *next; /* in the order in which they were met */
	struct object_id id;
	struct object_place at;     /* of what counts, or was met first */
	struct object_place broken; /* file NULL: nothing was */
	enum object_state state;
	size_t errors; /* found in it */
	enum object_weight weight;
	bool restored; /* what counts is its last good form */
};

struct objects {
	struct hash_key key;
	struct table table;
	struct object *first, **end;
};

/* Empty. -ENOMEM. Must not be moved. */
MUST_CHECK int objects_init(struct objects *all, const struct hash_key *key);
/* Of a zeroed one too. */
void objects_done(struct objects *all);

uint64_t object_hash(const struct hash_key *key, const struct object_id *id);
bool object_same(const struct object_id *a, const struct object_id *b);

/* NULL when it was not met. */
struct object *objects_find(const struct objects *all, const struct object_id *id);
/* One that was not met yet; the id's texts are copied into memory, the file's name is
 * not. -ENOMEM, -ENOSPC. */
MUST_CHECK int objects_add(struct objects *all, struct memory *m,
    const struct object_id *id, const struct object_place *at,
    struct object **ret_object);

/* Is it left out, and of that kind? */
bool object_is_broken(const struct object *o, const char *kind);

/* The error of one that stands at a second place. */
void object_complain_twice(
    const struct object *o, const struct object_place *again, struct findings *findings);

#endif
