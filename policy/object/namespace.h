/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Kubernetes Namespace, as far as discoverySelectors ask for it: its labels.
 */
#ifndef POLICY_OBJECT_NAMESPACE_H
#define POLICY_OBJECT_NAMESPACE_H

#include "policy/object/labels.h"
#include "policy/object/manifest.h"

/* The label that the cluster gives to every namespace: its name. */
#define NAMESPACE_NAME_LABEL "kubernetes.io/metadata.name"

struct namespace
{
	const char *name;
	struct labels labels;   /* with NAMESPACE_NAME_LABEL, stated or not */
	struct namespace *next; /* in the builder's list */
};

/* In the reader's memory. NULL after error findings or when memory lacks. */
struct namespace *namespace_read(struct reader *rd, const struct manifest *m);

#endif
