/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: keeps the kernel's table in step with the registry.
 *
 * It brings the table up at the start (from the leases that the kernel still holds),
 * switches it over when a new registry comes, and makes it again when it was lost or is
 * in doubt: from memory, after a look at what the kernel holds, so that no lease stands
 * there that a later registry would not withdraw. Each is one kernel transaction. It owns
 * the leases and the way to the enforcer; everything runs on the loop.
 *
 * While a switch is under way the new registry is in force already: whatever is committed
 * after it comes behind it in the kernel too. A switch that fails puts the old one back.
 */
#ifndef DAEMON_LEASE_GATE_H
#define DAEMON_LEASE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "daemon/config/config.h"
#include "daemon/lease/commit.h"
#include "daemon/lease/lease.h"
#include "daemon/lease/pod.h"
#include "policy/registry/registry.h"

#define GATE_LOG_GROUP 53  /* NFLOG group of refused packets */
#define GATE_REPAIR_MS 100 /* between two tries to make the table again */

struct backends;
struct event_base;
struct forecast;
struct gate;
struct recent;

/* Borrowed by the gate for as long as they are the present ones. */
struct gate_state {
	const struct config *config;
	const struct registry *registry;
};

struct gate_settings {
	int fd; /* to the enforcer; taken */
	const struct endpoint
	    *listen; /* what is served on addresses of this node; copied */
	size_t listen_count;
	struct hash_key hash_key;
	int64_t (*now_ms)(void);
	struct pods *pods; /* borrowed */
	void *ctx;
	void (*lost)(void *ctx, int reason); /* the table is gone; being made again */
	void (*restored)(void *ctx);         /* it stands again */
	void (*dead)(
	    void *ctx); /* the enforcer has ended: nothing can be opened any more */
	/* ENFORCER_REFUSED: the kernel has refused something */
	void (*refused)(void *ctx, const struct enforcer_message *m);
	/* ENFORCER_FLOWS: established flows have been cut */
	void (*flows)(void *ctx, const struct enforcer_message *m);
	/* what services' names resolve to, borrowed; NULL: they lead nowhere */
	const struct backends *backends;
	struct recent *recent; /* told the names found in the kernel; NULL: nobody is */
};

/* Told once for each start or switch. result 0: the table stands as state says;
 * counts: leases that were withdrawn and added. */
struct gate_outcome {
	int result;
	size_t kept, withdrawn, added;
};
typedef void (*gate_done_fn)(void *ctx, const struct gate_outcome *outcome);

/* -ENOMEM. */
MUST_CHECK int gate_new(struct event_base *base, const struct gate_settings *settings,
    const struct gate_state *state, struct gate **ret_gate);
void gate_free(struct gate *g);

/* Read the kernel's leases back, judge them, make the table. Once, first. -ENOMEM. */
MUST_CHECK int gate_start(struct gate *g, gate_done_fn done);
/* Are flows to be cut that the state does not allow? */
bool gate_cuts(const struct gate_state *state);
/* Bring everything to the new state; forecast, of its registry, tells which leases are to
 * be judged, NULL: all, as where pods.cidrs are others; it is taken on 0, and what is
 * gone by it is forgotten before done is called. On a result other than 0 in the outcome
 * the old state is the present one again. -EBUSY while another change is under way or the
 * table does not stand, -ENOMEM: then nothing has changed. */
MUST_CHECK int gate_switch(struct gate *g, const struct gate_state *state,
    struct forecast *forecast, gate_done_fn done);

/* What the backends know has changed, perhaps: tell the kernel, service by service. Now
 * and then too: what could not be told is tried again. */
void gate_lead(struct gate *g);

/* Does the table stand? */
bool gate_ready(const struct gate *g);
const char *gate_state_text(const struct gate *g);
struct leases *gate_leases(struct gate *g);
struct committer *gate_committer(struct gate *g);

#endif
