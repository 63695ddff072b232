/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The turn from one configuration and registry to the next: SIGHUP to READY.
 *
 * begin      load beside (daemon/loader/reload.h)        an error: all findings to the
 *		journal, the old state stays whole
 *	loaded     look at the leases, some at a time, and write down what goes
 *		(daemon/lease/forecast.h)
 *	foreseen   judge and ask with the new one, switch the kernel in one transaction
 * (daemon/lease/gate.h); for a pod that comes under ALLOW_ANY by it, which takes
 *		no lease, the old registry's word stays in force until the kernel has
 *		switched
 *	switched   forget what is gone, some at a time; free the old one, or go back to it
 *
 * A SIGHUP in the middle of it is remembered and makes another turn.
 */
#ifndef DAEMON_TURN_H
#define DAEMON_TURN_H

#include <stddef.h>

#include "daemon/daemon.h"
#include "policy/finding.h"
#include "resolver/resolver.h"

void turn_begin(struct daemon *d);
/* For reload_new: ctx is the daemon. */
void turn_loaded(void *ctx, int result, const struct findings *findings,
    const struct loader_result *loaded);
/* Try again what had to wait for the gate; call now and then. */
void turn_continue(struct daemon *d);

void turn_log_started(const struct daemon *d, const struct gate_outcome *outcome);
/* The configuration's servers: the default group, then one for each zone; how many.
 * Points into cfg. */
size_t turn_groups(
    const struct config *cfg, struct resolver_group groups[RESOLVER_GROUPS_MAX]);
struct resolver_times turn_times(const struct config *cfg);
struct cache_limits turn_cache_limits(const struct config *cfg);
void turn_release(struct loader_result *loaded);

#endif
