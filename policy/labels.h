/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels of an object or a selector as one text that is equal for equal labels.
 */
#ifndef POLICY_LABELS_H
#define POLICY_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/reader.h"

/* Of map (NULL or null: none, ""), in the reader's memory; NULL when that lacks. Values
 * that are no text are error findings. */
const char *labels_text(struct reader *rd, const struct node *map, const char *what);

/* Error findings for keys and values that Kubernetes would refuse, and for more than max
 * of them. */
void labels_check(
    struct reader *rd, const struct node *map, const char *what, size_t max);

#endif
