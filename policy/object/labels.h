/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels of an object or a selector: as values, and as one text that is equal for
 * equal labels.
 *
 * All lies in the reader's memory, nothing in the tree.
 */
#ifndef POLICY_OBJECT_LABELS_H
#define POLICY_OBJECT_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/yaml/reader.h"

struct label {
	const char *key, *value;
};

struct labels {
	size_t count;
	const struct label *list; /* by key, each once */
};

/* Of map (NULL or null: none). Values that are no text are error findings; a null one
 * counts as "". Memory's lack is sticky there. */
void labels_read(struct reader *rd, const struct node *map, const char *what,
    struct labels *ret_labels);
/* Those of both, in m; where both have a key, over's value. */
void labels_merge(struct memory *m, const struct labels *over, const struct labels *under,
    struct labels *ret_labels);
/* Has labels all that selector has, with the same values? One without labels selects
 * everything. */
bool labels_match(const struct labels *selector, const struct labels *labels);
/* The value under key; NULL: there is none. */
const char *labels_get(const struct labels *labels, const char *key);

/* Of map (NULL or null: none, ""); NULL when memory lacks. Findings as above. */
const char *labels_text(struct reader *rd, const struct node *map, const char *what);

/* Error findings for keys and values that Kubernetes would refuse, and for more than max
 * of them. */
void labels_check(
    struct reader *rd, const struct node *map, const char *what, size_t max);

#endif
