/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry says to the leases that there are. Changes nothing.
 *
 * A name whose answers came from the names of its host's endpoints loses every address
 * that is not listed when one of these has changed, and when the daemon was started anew,
 * because nothing tells which of them gave it: the next lookup opens what is right.
 */
#ifndef DAEMON_LEASE_JUDGEMENT_H
#define DAEMON_LEASE_JUDGEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/lease/lease.h"
#include "policy/registry/registry.h"

struct judgement {
	const struct registry *registry;
	const struct registry_host
	    *host;      /* NULL: nothing is allowed to the grant's name */
	uint64_t owner; /* the identity of the pod, as it is by this registry */
};

struct judgement judgement_of(const struct registry *registry, const struct grant *g);
/* May the grant keep its claim on target? */
bool judgement_keeps(
    const struct judgement *j, const struct grant *g, const struct lease_target *target);
/* Is the grant itself to be noted anew? */
bool judgement_renews(const struct judgement *j, const struct grant *g);
/* Of a lease that the grant keeps: does a port come beside it, or is it to be written
 * again? */
bool judgement_asks(const struct judgement *j, const struct leases *leases,
    const struct grant *g, const struct lease *lease);
/* Is anything to be done about the grant: any of these, or a claim that goes? What has
 * ended counts too. */
bool judgement_differs(
    const struct judgement *j, const struct leases *leases, const struct grant *g);

#endif
