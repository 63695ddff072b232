/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which entries list an address as open without a lookup, for explanations: the kernel
 * decides by its sets. Only the first LISTER_MAX lists are looked through.
 */
#ifndef POLICY_EXPLAIN_LISTER_H
#define POLICY_EXPLAIN_LISTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "policy/registry/registry.h"

#define LISTER_MAX 16384 /* about 0.1 ms */

/* A host whose addresses hold a, for whomever and on whatever ports; NULL: none. */
const struct registry_host *lister_find(const struct registry *r, const struct addr *a);
/* Do they open it to this workload? */
bool lister_opens(const struct registry *r, const struct workload *w,
    const struct addr *a, uint16_t port, uint8_t proto);

#endif
