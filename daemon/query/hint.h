/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS and SVCB records of registered names, with httpsRecords: lease: what a query for
 * them does otherwise than one for addresses.
 *
 * The hints in them are examined and leased like A and AAAA records, for the pod's
 * address of their family, before the records leave. One that cannot be is cut out of
 * its record, which does without: a client that finds no hint asks for the addresses of
 * the record's target, and is judged by that name.
 */
#ifndef DAEMON_QUERY_HINT_H
#define DAEMON_QUERY_HINT_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/macros.h"

struct query;

/* Is it such a query, by its verdict? A host that is answered by what the registry lists
 * has no records of its own. */
bool hint_is_asked(const struct query *q);
/* Has the pod an address that a lease of this one could be for? Of other queries yes. */
bool hint_has_source(const struct query *q, const struct addr *addr);
/* Make the hints of q->answer its addresses; of other queries nothing. -ENOMEM. */
MUST_CHECK int hint_find(struct query *q);
/* Leave of q->answer what q->keep lets leave; of other queries all. -ENOMEM. */
MUST_CHECK int hint_cut(struct query *q);

#endif
