/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which objects were read where, to find one that stands twice.
 */
#ifndef POLICY_OBJECT_H
#define POLICY_OBJECT_H

#include <stddef.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"
#include "policy/finding.h"

struct object {
	struct table_link link;
	struct object *next;
	const char *kind;
	const char *namespace;
	const char *name;
	const char *file;
	unsigned line, column;
};

/* An error finding for each of the count objects of the list that has the kind, namespace
 * and name of an earlier one. -ENOMEM. */
MUST_CHECK int object_check(struct object *list, size_t count, const struct hash_key *key,
    struct findings *findings);

#endif
