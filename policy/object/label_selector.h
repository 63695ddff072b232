/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Kubernetes LabelSelector: matchLabels and matchExpressions, all of which must hold.
 *
 * Checked as Kubernetes checks it (apimachinery, ValidateLabelSelector); what it would
 * refuse is an error finding, and so is an unknown field, because a selector that lacks a
 * condition selects more. All lies in the reader's memory.
 */
#ifndef POLICY_OBJECT_LABEL_SELECTOR_H
#define POLICY_OBJECT_LABEL_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/object/labels.h"

#define LABEL_SELECTOR_LABELS_MAX 256
#define LABEL_SELECTOR_EXPRESSIONS_MAX 256
#define LABEL_SELECTOR_VALUES_MAX 256

enum label_operator {
	LABEL_IN,
	LABEL_NOT_IN, /* holds without such a label, too */
	LABEL_EXISTS,
	LABEL_DOES_NOT_EXIST,
};

struct label_expression {
	const char *key;
	enum label_operator op;
	size_t value_count;
	const char *const *values; /* sorted, so that equal ones compare equal */
};

struct label_selector {
	struct labels labels;
	size_t count;
	const struct label_expression *expressions;
};

/* Of n, a mapping; one without conditions selects everything. */
void label_selector_read(struct reader *rd, const struct node *n, const char *what,
    struct label_selector *ret_selector);
bool label_selector_match(
    const struct label_selector *selector, const struct labels *labels);
/* Do both say the same, in the same order? */
bool label_selector_equal(const struct label_selector *a, const struct label_selector *b);

#endif
