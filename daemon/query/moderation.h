/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moderation: when queries come in a crowd, a batch of them is let gather before it is
 * read, as network cards moderate their interrupts (ethtool(8), --coalesce).
 *
 * A query that comes alone wakes the daemon, and its reply wakes the client: that costs
 * more than to answer it. So while replies go out at MODERATION_PER_MS or more, two or
 * more in a batch, the daemon pauses after each batch that it could answer at once.
 * Nothing is delayed below that rate, for a single client that asks in lock-step, or for
 * what waits for upstream.
 */
#ifndef DAEMON_QUERY_MODERATION_H
#define DAEMON_QUERY_MODERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODERATION_PER_MS 32

/* All zero at first. */
struct moderation {
	int64_t window_ms;       /* the millisecond that is counted */
	size_t replies, batches; /* in it */
	bool crowd;              /* the one before it was full of them */
};

/* So many replies went out at once at now_ms. Is a pause due? */
bool moderation_due(struct moderation *m, size_t replies, int64_t now_ms);
/* As short as the kernel's timer slack lets it be: 50 us, see PR_SET_TIMERSLACK in
 * prctl(2). A signal ends it. */
void moderation_pause(void);

#endif
