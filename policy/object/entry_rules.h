/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules for a ServiceEntry that look at more than one of its fields.
 *
 * E1 to E42 (refused) and W1 to W6 (accepted with a warning) number the checks of
 * Istio's webhook, ValidateServiceEntry in istio/istio
 * pkg/config/validation/validation.go, in its order; where the resource's schema is
 * stricter, that is followed. A rule is a function and a row in a table; rules for one
 * field stand where that field is read (policy/object/service_entry.c, entry_host.c,
 * entry_port.c, workload_entry.c, export.c).
 */
#ifndef POLICY_OBJECT_ENTRY_RULES_H
#define POLICY_OBJECT_ENTRY_RULES_H

#include "policy/object/manifest.h"
#include "policy/object/service_entry.h"

/* An entry while it is read: its values so far, and the nodes for places. A node is NULL
 * when absent or null. */
struct draft {
	struct reader *rd;
	const struct manifest *manifest;
	const struct node *hosts, *addresses, *ports, *location, *resolution;
	const struct node *selector, *endpoints, *export_to;
	struct service_entry *entry;
};

void entry_rules_check(const struct draft *d);

#endif
