/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which grants a registry that is about to come into force has something to say to.
 *
 * To judge all of many leases takes longer than a lookup may wait. So they are looked at
 * before the switch, some at a time between whatever else the loop has to do, while the
 * old registry is in force: nothing is changed but for the list of those that the switch
 * is then to judge, and for a hold on them. A grant that gets a claim meanwhile is put in
 * the list unseen, because it may have been looked at before.
 */
#ifndef DAEMON_LEASE_FORECAST_H
#define DAEMON_LEASE_FORECAST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "daemon/lease/lease.h"
#include "policy/registry/registry.h"

struct event_base;
struct forecast;

/* Buckets of grants, which are hardly more grants, between two turns of the loop. */
#define FORECAST_BUCKETS 1024

typedef void (*forecast_done_fn)(void *ctx);

/* Begin. Both are borrowed; one at a time for these leases. done is called from the loop
 * when all have been looked at, after which the list is still kept. -ENOMEM. */
MUST_CHECK int forecast_new(struct event_base *base, struct leases *leases,
    const struct registry *registry, forecast_done_fn done, void *ctx,
    struct forecast **ret_forecast);
/* Before the leases are freed. NULL is fine. */
void forecast_free(struct forecast *f);

/* Is the list whole? Not while grants are still to be looked at, nor after memory was
 * lacking. */
bool forecast_is_whole(const struct forecast *f);
/* Of the list: the i-th, NULL behind the last one. Held until forecast_free. */
struct grant *forecast_grant(const struct forecast *f, size_t i);
/* Put one at its end that may not stand there yet. */
void forecast_add(struct forecast *f, struct grant *g);

#endif
