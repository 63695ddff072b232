/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds a lease: that a grant's name was answered with its address. A claim is in
 * two lists, its lease's and its grant's; nothing here allocates.
 */
#ifndef DAEMON_LEASE_CLAIM_H
#define DAEMON_LEASE_CLAIM_H

#include "daemon/lease/lease.h"

struct claim {
	struct lease *lease;
	struct grant *grant;
	LIST_ENTRY(claim) in_lease;
	LIST_ENTRY(claim) in_grant;
	int64_t until_ms; /* what the name's last answer needs; 0: none left yet */
};

/* NULL: there is none. Takes as long as the shorter of the two lists. */
struct claim *claim_find(const struct lease *lease, const struct grant *g);
/* The grant's claim of a lease for this target, if it is one of its latest few: without a
 * lookup of the lease, which may be gone (daemon/lease/going.h). NULL: look it up. */
struct claim *claim_near(const struct grant *g, const struct lease_target *target);
/* Of those that hold the lease, the one whose answer is good for longest. */
struct claim *claim_latest(const struct lease *lease);
/* Out of both lists; the grant stays, also without claims. */
void claim_free(struct claim *c);

#endif
