/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel was found to hold: leases read back into memory, and those of them that
 * cannot be kept.
 *
 * One dump is not enough. The kernel hands a set out in pieces and finds its place again
 * by counting; when it collects elements that have ended between two pieces, it passes
 * over as many that live, and says nothing of it (seen on 6.18: some 60 of 1000, in one
 * dump of 600). What is not known here would be judged by no registry. So it is dumped
 * until nothing new comes, twice at least and FOUND_DUMPS_MAX times at most, those that
 * failed included.
 *
 * The list of those that cannot be kept is bounded; what is beyond it ends by its own
 * timeout.
 */
#ifndef DAEMON_LEASE_FOUND_H
#define DAEMON_LEASE_FOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/lease/change.h"
#include "daemon/lease/lease.h"
#include "daemon/lease/recent.h"

#define FOUND_DUMPS_MAX 4

struct found {
	struct buf stale; /* struct enforcer_lease: not to be kept */
	int64_t asked_ms; /* when the dump was asked for */
	size_t fresh;     /* that no dump before this one had */
	size_t stale_before;
	unsigned dumps;
};

void found_init(struct found *f);
void found_done(struct found *f);
/* Nothing has been found yet. */
void found_clear(struct found *f);
/* A dump is asked for now. */
void found_begin(struct found *f, int64_t now_ms);
/* A message of it. recent: is told of the names; may be NULL. */
void found_take(struct found *f, struct leases *leases, struct recent *recent,
    const struct enforcer_message *m);
/* The dump has ended: is another one needed? */
bool found_wants_more(struct found *f);
/* It has failed: may another one be tried? */
bool found_may_repeat(const struct found *f);
/* Have those that were not kept, and are not known by now, taken out of the kernel. */
void found_revoke(const struct found *f, const struct leases *leases, struct change *c);
size_t found_stale(const struct found *f);

#endif
