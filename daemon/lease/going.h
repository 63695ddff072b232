/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases that go by a withdrawal that is made ready ahead (daemon/lease/withdrawal.h):
 * each has a record in it.
 *
 * Until it is in force they are leases as all others are. From then on they are gone:
 * none is found, counts or stands in the way of a limit, although to forget them takes
 * longer than a lookup may wait, and is done some at a time (daemon/lease/forecast.h).
 */
#ifndef DAEMON_LEASE_GOING_H
#define DAEMON_LEASE_GOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lease;

/* Told to whoever makes it ready: one at a time. */
struct going_watch {
	void *ctx;
	/* one with a record has ended, or was withdrawn otherwise; before it is gone */
	void (*ended)(void *ctx, struct lease *lease);
	/* what is gone stands in the way of a limit: forget all of it now */
	void (*room)(void *ctx);
};

struct going {
	struct going_watch watch;
	size_t len; /* leases with a record */
	bool gone;
};

/* record: its number, from 1 on; 0: none any more. */
void going_set(struct going *g, struct lease *lease, uint32_t record);
bool going_is_gone(const struct going *g, const struct lease *lease);
/* It goes out of the table. */
void going_end(struct going *g, struct lease *lease);
/* full: a limit is reached, if what is gone counts. */
void going_make_room(const struct going *g, bool full);

#endif
