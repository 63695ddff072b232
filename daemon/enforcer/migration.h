/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leases of a table that is to be replaced, and what daemon/enforcer/cut.h keeps
 * there, on their way into the table that comes: read in the form of the old one's
 * version, put with their names and what is left of their time into the transaction
 * that replaces it.
 *
 * The owner of the struct calls migration_done. At most LEASE_LIST_MAX leases; of more
 * none is taken.
 */
#ifndef DAEMON_ENFORCER_MIGRATION_H
#define DAEMON_ENFORCER_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/layout_found.h"
#include "daemon/enforcer/lease_list.h"
#include "daemon/enforcer/netlink.h"

struct migration {
	struct migration_part {
		struct lease_list from;
		struct element *list;
		size_t count;
	} leases, cuts;
	bool whole; /* no lease that was there is missing */
};

void migration_init(struct migration *m);
void migration_done(struct migration *m);

/* Instead of what it held. What cannot be read is left out. -ENOMEM. */
MUST_CHECK int migration_read(
    struct migration *m, struct netlink *nl, const struct layout_found *found);
/* Leave everything out. */
void migration_give_up(struct migration *m);
/* How large the new sets must be when this size is wished. */
uint32_t migration_set_size(const struct migration *m, uint32_t wished);
/* To the batch of nl, behind the frame of the new table. */
void migration_put(const struct migration *m, struct netlink *nl);

#endif
