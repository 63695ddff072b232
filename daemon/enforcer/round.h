/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests for leases that wait together, committed together, each with a result of its
 * own.
 *
 * All go into one transaction. When the kernel refuses that, each is tried alone, so that
 * one that cannot be done fails nobody else. Since a refused transaction costs
 * milliseconds, what is sure to be refused is not tried again: everything once the table
 * is gone, and once a set is full requests for as much new as what did not fit.
 */
#ifndef DAEMON_ENFORCER_ROUND_H
#define DAEMON_ENFORCER_ROUND_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/enforcer/element.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/netlink.h"

#define ROUND_MAX 64 /* requests */

struct round_request {
	const struct enforcer_message *message; /* LEASES within bounds; borrowed */
	int result;
};

struct round {
	struct round_request requests[ROUND_MAX];
	size_t count;
	size_t
	    full_from[2]; /* per family: so many new leases did not fit; 0: not known */
	struct element elements[ROUND_MAX * ENFORCER_LEASES_MAX];
};

/*
 * Give every request of the round its result: 0, -ETIMEDOUT when now_ms() had passed its
 * deadline before it was tried, or what netlink_commit says.
 */
void round_commit(struct round *round, struct netlink *nl, int64_t (*now_ms)(void));

#endif
