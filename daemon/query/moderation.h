/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moderation: when queries come in a crowd, a batch of them is let gather before it is
 * read, as network cards moderate their interrupts (ethtool(8), --coalesce).
 *
 * A query that comes alone wakes the daemon, and its reply wakes the client: that costs
 * more than to answer it. So when replies go out at MODERATION_PER_MS or more, and by
 * MODERATION_BATCH or more at a time, a crowd has come: as long as that rate lasts, a
 * socket that was read empty is read again MODERATION_US later and not before. The loop
 * goes on meanwhile: nothing but new queries waits. Below that rate, and for clients that
 * ask one or two at a time, none of them does.
 */
#ifndef DAEMON_QUERY_MODERATION_H
#define DAEMON_QUERY_MODERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define MODERATION_PER_MS 32
#define MODERATION_BATCH 4
#define MODERATION_US 50

struct event;
struct event_base;

/* All zero before moderation_init; moderation_due needs no more than that. */
struct moderation {
	int64_t window_ms;       /* the millisecond that is counted */
	size_t replies, batches; /* in it */
	bool crowd;              /* the one before it was full of them */
	bool running;            /* the timer */
	int fd;                  /* timerfd: libevent counts in milliseconds */
	struct event *timer;
	void (*over)(void *ctx);
	void *ctx;
};

/* over is called when a pause is over. -ENOMEM, or the error of the system call. */
MUST_CHECK int moderation_init(
    struct moderation *m, struct event_base *base, void (*over)(void *ctx), void *ctx);
/* Also when moderation_init has failed, and more than once. over is called no more. */
void moderation_done(struct moderation *m);

/* A batch was read at now_ms, and so many replies to it were there at once. Is a pause
 * due, when nothing is left in the socket? */
bool moderation_due(struct moderation *m, size_t replies, int64_t now_ms);
/* Call over in MODERATION_US, or at the end of the pause that has begun. */
void moderation_pause(struct moderation *m);

#endif
