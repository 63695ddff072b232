/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an answer to the leases that it needs: which stand already, which must be
 * committed before it may leave, and which of its addresses no limit leaves room for.
 */
#ifndef DAEMON_LEASE_PLAN_H
#define DAEMON_LEASE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/config/config.h"
#include "daemon/lease/commit.h"
#include "daemon/lease/lease.h"
#include "policy/registry/registry.h"
#include "resolver/answer.h"

/* The longest that a lease covers: lease.cap, and below what the enforcer takes by the
 * second that plan_make adds. */
uint32_t plan_cap_s(const struct config *cfg);

/* All borrowed. */
struct plan {
	struct leases *leases;
	const struct config *config;
	const struct addr *pod;
	const struct addr *other; /* the pod's of the other family; NULL or none: all
				     that can be leased is of pod's */
	uint64_t owner;           /* whose addresses these are; 0: not known */
	const struct name *name;
	const struct registry_host *host;
	const struct answer *answer;
	const uint8_t *from; /* of a gathered answer, gather_waiter's; NULL: another's */
	uint32_t ttl_s;      /* that will be handed out */
	/* the kernel may not have what config and host open by themselves yet */
	bool switching;
	bool reserve; /* else only what stands is kept */
};

/*
 * Every kept address on every port of the host must be held past the TTL and the grace.
 * What is short is reserved into the request, to be committed or given to plan_drop; its
 * len is 0 when all stands. An address that cannot be covered as a whole leaves keep: a
 * limit forbids it, one commit takes no more, or memory lacks.
 */
void plan_make(
    const struct plan *p, int64_t now_ms, uint64_t *keep, struct commit_request *request);
/* Give the reservations back. */
void plan_drop(struct leases *leases, struct commit_request *request);

#endif
