/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of prefixes as disjoint pieces, because the kernel's interval sets take no
 * element that lies in another one: for a range there -EEXIST, for a concatenation of
 * ranges too (nft_set_pipapo.c), and one such element fails the whole transaction.
 *
 * What comes out covers exactly what went in. Results are one allocation each, the
 * caller's to free; NULL when there are none.
 */
#ifndef DAEMON_ENFORCER_COVER_H
#define DAEMON_ENFORCER_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "daemon/enforcer/enforcer.h"

/* All addresses from first to last, both included. */
struct cover_range {
	struct addr first;
	struct addr last;
};

/* Every pod of pods to every destination of destinations. */
struct cover_box {
	struct cover_range pods;
	struct cover_range destinations;
	uint16_t port;
	uint8_t proto;
};

struct cover_range cover_range(const struct prefix *p);
/* The address behind a; false when a is the last of its family. */
bool cover_next(const struct addr *a, struct addr *ret_next);
/* The address before a, which is not the first there is. */
struct addr cover_previous(const struct addr *a);

/* The prefixes of one family, sorted; ranges that touch are one. -ENOMEM. */
MUST_CHECK int cover_ranges(const struct prefix *list, size_t count, uint8_t family,
    struct cover_range **ret_ranges, size_t *ret_count);
/*
 * The records whose destination is of this family. Boxes of one protocol and port do not
 * overlap; at most as many come out as destinations times the distinct nesting pod
 * prefixes around them. -ENOMEM.
 */
MUST_CHECK int cover_boxes(const struct enforcer_fixed *list, size_t count,
    uint8_t family, struct cover_box **ret_boxes, size_t *ret_count);

#endif
