/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry whose open pods are what a test says.
 */
#ifndef TESTS_UNIT_OPEN_PODS_H
#define TESTS_UNIT_OPEN_PODS_H

#include <stddef.h>

struct addr;
struct registry;

/* open is borrowed as long as the registry lives. */
void open_pods_set(struct registry *r, const struct addr *open, size_t count);

#endif
