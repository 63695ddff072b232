/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leases by when they end: a ring of one-second slots.
 *
 * A lease lies in the slot of the deadline that it had when it was put there; renewing it
 * does not move it. When its slot comes round it is forgotten if it has ended, and else
 * put into the slot of its present deadline.
 */
#ifndef DAEMON_LEASE_RING_H
#define DAEMON_LEASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/lease/lease.h"

#define RING_SLOTS 4096

LIST_HEAD(slot, lease);

struct ring {
	int64_t swept_s; /* the last second whose slot was looked at */
	struct slot slots[RING_SLOTS];
};

/* To be looked at when it may be forgotten, in a slot that has not come round yet. */
void ring_put(struct ring *r, struct lease *lease);
/* Call sweep with each slot that has come round until now_ms: at most each once. */
typedef void (*ring_sweep_fn)(void *ctx, struct slot *slot, int64_t now_ms);
void ring_turn(struct ring *r, int64_t now_ms, ring_sweep_fn sweep, void *ctx);
/* Tell fn of all that end before until_ms, and of others: in parts of at least count;
 * *second is 0 at first; true while there are more. fn changes none. */
typedef void (*lease_fn)(void *ctx, struct lease *lease);
bool ring_ending(const struct ring *r, int64_t until_ms, size_t count, int64_t *second,
    lease_fn fn, void *ctx);

#endif
