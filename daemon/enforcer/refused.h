/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel has refused, told to the loop: the enforcer's side of the records about
 * refused connections. Packets come from an NFLOG group, ENFORCER_REFUSED messages go
 * out.
 *
 * A service that may fail and must not harm: nothing here waits, a call reads at most
 * NFLOG_ROUND packets, and daemon/enforcer/tally.h says how many a second. Whom that
 * calls loud is muted in the kernel for the rest of the second; when even that cannot
 * be done, nobody is listened to for as long.
 */
#ifndef DAEMON_ENFORCER_REFUSED_H
#define DAEMON_ENFORCER_REFUSED_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/mute.h"
#include "daemon/enforcer/nflog.h"
#include "daemon/enforcer/tally.h"

/* m is valid for the call. */
typedef void (*refused_say_fn)(void *ctx, const struct enforcer_message *m);

struct refused {
	refused_say_fn say;
	void *ctx;
	bool listening;
	bool deaf; /* until the second is over */
	uint16_t group;
	struct nflog nflog;
	struct mute mute;
	struct tally tally;
	struct enforcer_message out; /* with what was not said yet */
};

void refused_init(struct refused *r, refused_say_fn say, void *ctx);
void refused_done(struct refused *r);

/* Listen to this group from now on. A failure is said, and no error of anything else. */
void refused_listen(struct refused *r, uint16_t group);
/* The rule that logs could not be made. */
void refused_without(struct refused *r, int reason);
/* No longer listen to any: nothing is refused. */
void refused_stop(struct refused *r);

/* When this becomes readable, call refused_work; -1: not now. */
int refused_fd(const struct refused *r);
/* Is there something to do at a certain time, readable or not? Then ret_until_ms says
 * when. */
bool refused_is_due(const struct refused *r, int64_t *ret_until_ms);
/* Read and tell. */
void refused_work(struct refused *r, int64_t now_ms);

#endif
