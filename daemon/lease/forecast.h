/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which grants a registry that is about to come into force has something to say to.
 *
 * To judge all of many leases takes longer than a lookup may wait. So it is done some at
 * a time, between whatever else the loop has to do, in three parts:
 *
 *	look	before the switch, under the old registry: nothing is changed. What goes
 *		by the new one as a whole, lease and claims, is written down in a
 *		withdrawal (daemon/lease/withdrawal.h); a grant of which anything else is
 *		to be done stands in the list of those that the switch is to judge. So
 *		does one that gets a claim meanwhile, because it may have been looked at
 *		before; and when the claim is on a lease in the withdrawal, that is taken
 *		back, and all the lease's grants are judged
 *	switch	daemon/lease/rejudge.h judges the list and takes the withdrawal; from
 *		forecast_apply on the leases in that are gone (daemon/lease/going.h)
 *	forget	after it, behind everybody's back
 *
 * A lease of more than FORECAST_CLAIMS_MAX names is left to the list.
 */
#ifndef DAEMON_LEASE_FORECAST_H
#define DAEMON_LEASE_FORECAST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "daemon/lease/lease.h"
#include "daemon/lease/withdrawal.h"
#include "policy/registry/registry.h"

struct event_base;
struct forecast;

/* Grants and claims that are looked at, or forgotten, in one turn of the loop, which
 * takes about a millisecond; one grant's more. */
#define FORECAST_WORK 512
#define FORECAST_CLAIMS_MAX 8

typedef void (*forecast_done_fn)(void *ctx);

/* Begin. Both are borrowed; one at a time for these leases. cut: the flows of what goes
 * are to go too. done is called from the loop when all have been looked at, after which
 * the list is still kept. -ENOMEM. */
MUST_CHECK int forecast_new(struct event_base *base, struct leases *leases,
    const struct registry *registry, bool cut, forecast_done_fn done, void *ctx,
    struct forecast **ret_forecast);
/* Before the leases are freed; what is gone is forgotten. NULL is fine. */
void forecast_free(struct forecast *f);

/* Is the list whole? Not while grants are still to be looked at, nor after memory was
 * lacking. */
bool forecast_is_whole(const struct forecast *f);
/* Of the list: the i-th, NULL behind the last one. Held until forecast_free. */
struct grant *forecast_grant(const struct forecast *f, size_t i);
/* Put one at its end that may not stand there yet. */
void forecast_add(struct forecast *f, struct grant *g);
/* To be taken by a change. */
struct withdrawal *forecast_withdrawal(struct forecast *f);

/* The change was sent. done is called from the loop when all that is gone by it has been
 * forgotten; then forecast_free costs nothing. */
void forecast_apply(struct forecast *f, forecast_done_fn done, void *ctx);
/* Forget at once what is gone. done is called all the same. */
void forecast_finish(struct forecast *f);

#endif
