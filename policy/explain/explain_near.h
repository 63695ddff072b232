/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nearly matched a name. Inside policy/ only; everybody else sees
 * policy/explain/explain.h.
 */
#ifndef POLICY_EXPLAIN_EXPLAIN_NEAR_H
#define POLICY_EXPLAIN_EXPLAIN_NEAR_H

#include "policy/explain/explainer.h"

/* No visible entry has the name: entries out of sight, and those that cover less than one
 * may think. The nearest first. */
void explain_near_name(const struct explainer *x);
/* chosen has the name, but not the port: others that would have both. */
void explain_near_port(const struct explainer *x, const struct registry_host *chosen);

#endif
