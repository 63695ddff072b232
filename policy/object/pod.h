/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Kubernetes Pod, as far as it tells whose an address is and what selects it.
 */
#ifndef POLICY_OBJECT_POD_H
#define POLICY_OBJECT_POD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "policy/object/labels.h"
#include "policy/object/manifest.h"
#include "policy/registry/verdict.h"

#define POD_ADDRESSES_MAX 16 /* of status.podIPs: Kubernetes gives one a family */

struct pod {
	struct registry_source source;
	const char *uid;      /* "" when not stated */
	size_t address_count; /* 0: on the host's network, finished, or not started yet */
	struct addr *addresses;
	struct labels labels;
	struct pod *next; /* in the builder's list */
};

/* In the reader's memory. NULL after error findings or when memory lacks. */
struct pod *pod_read(struct reader *rd, const struct manifest *m);

#endif
