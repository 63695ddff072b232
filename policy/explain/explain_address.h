/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May the workload reach an address without a lookup, and what would open it? Inside
 * policy/ only; everybody else sees policy/explain/explain.h.
 */
#ifndef POLICY_EXPLAIN_EXPLAIN_ADDRESS_H
#define POLICY_EXPLAIN_EXPLAIN_ADDRESS_H

#include "policy/explain/explainer.h"

void explain_address(const struct explainer *x);

#endif
