/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interfaces that the witness looks at, from the command line: INTERFACE=ADDRESS,...
 * The first is the uplink with the node's own addresses, each other one a pod's with what
 * is the pod's.
 */
#ifndef TESTS_WITNESS_PLACE_H
#define TESTS_WITNESS_PLACE_H

#include <net/if.h>
#include <stddef.h>

#include "base/addr.h"

#define PLACES_MAX 64
#define PLACE_ADDRS_MAX 4

struct place {
	char name[IFNAMSIZ];
	unsigned index; /* the kernel's; 0: not looked up */
	struct addr addrs[PLACE_ADDRS_MAX];
	size_t count;
};

struct places {
	struct place list[PLACES_MAX];
	size_t len;
};

/* -EINVAL */
MUST_CHECK int places_parse(struct places *p, char *const *words, size_t count);
/* Look up the kernel's numbers; -ENODEV. */
MUST_CHECK int places_find(struct places *p);
/* -1: no such place. */
int places_by_index(const struct places *p, unsigned index);
bool place_has(const struct place *p, const struct addr *a);
/* Its address of this family; family 0: none. */
struct addr place_addr(const struct place *p, uint8_t family);

#endif
