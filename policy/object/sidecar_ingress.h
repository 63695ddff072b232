/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ingress listeners of a Sidecar, which say nothing here: what goes into a pod is
 * nobody's egress. They are checked, so that a file that the cluster would refuse is not
 * taken.
 */
#ifndef POLICY_OBJECT_SIDECAR_INGRESS_H
#define POLICY_OBJECT_SIDECAR_INGRESS_H

#include "policy/yaml/reader.h"

/* list: NULL for none. Error findings for what is refused. */
void sidecar_ingress_check(struct reader *rd, const struct node *list);

#endif
