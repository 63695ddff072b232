/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change (daemon/lease/change.h) is to say of many leases that go, written ahead
 * of it: frames of REVOKE and of CUT, of which any record can be taken back.
 *
 * Each lease in it has the number of its record (daemon/lease/going.h). The owner of the
 * struct calls withdrawal_done, which leaves those as they are.
 */
#ifndef DAEMON_LEASE_WITHDRAWAL_H
#define DAEMON_LEASE_WITHDRAWAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "daemon/lease/lease.h"

struct withdrawal {
	bool cut; /* the flows of what goes, too */
	uint32_t len;
	size_t taken_back; /* of these */
	struct buf revokes, cuts;
};

void withdrawal_init(struct withdrawal *w, bool cut);
void withdrawal_done(struct withdrawal *w);

/* Its record is the caller's to note: w->len. -ENOMEM: nothing of it is in. */
MUST_CHECK int withdrawal_add(struct withdrawal *w, const struct lease *lease);
/* From now on the record says nothing. */
void withdrawal_take_back(struct withdrawal *w, uint32_t record);

#endif
