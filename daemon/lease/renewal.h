/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases that live on because flows do.
 *
 * A pod that keeps a connection for longer than the TTL may open another one to the
 * same address without asking again. So, shortly before leases end, the enforcer is
 * asked which of them have living flows (daemon/enforcer/alive.h), and these are
 * renewed, for as long as the shortest lease lives and again after that. Each renewal
 * is judged by the registry that is in force then: the name must still be open to the
 * pod, on that port, at that address. It ends lease.flows after what the name's last
 * answer needed.
 *
 * What cannot be done is left to end: what is above the limits of a question (of all pods
 * and of one), what has ended when the answer comes, what the kernel does not take. One
 * question at a time, and not more of them than take RENEWAL_SHARE of a processor;
 * nobody's lookup waits for any of it.
 */
#ifndef DAEMON_LEASE_RENEWAL_H
#define DAEMON_LEASE_RENEWAL_H

#include <stdint.h>

#include "base/macros.h"
#include "daemon/config/config.h"
#include "daemon/lease/commit.h"
#include "daemon/lease/lease.h"
#include "policy/registry/registry.h"

#define RENEWAL_SHARE 20      /* a twentieth */
#define RENEWAL_POD_MAX 4096  /* leases of one pod in a question */
#define RENEWAL_COMMITS 64    /* under way at one time */
#define RENEWAL_CLAIMS_MAX 16 /* names of one lease that are looked at */

struct event_base;
struct renewal;

/* All borrowed. */
struct renewal_settings {
	struct leases *leases;
	struct committer *committer;
	int64_t (*now_ms)(void);
	/* where the present ones are found */
	const struct config *const *config;
	const struct registry *const *registry;
};

/* -ENOMEM. Before the committer and the leases are freed: renewal_free. */
MUST_CHECK int renewal_new(struct event_base *base,
    const struct renewal_settings *settings, struct renewal **ret_renewal);
void renewal_free(struct renewal *r);

struct renewal_counts {
	uint64_t asked;   /* leases */
	uint64_t renewed; /* of these */
	uint64_t left;    /* that were not asked about because of a limit */
	uint64_t failed;  /* renewals and questions */
	uint64_t flows;   /* looked at */
};
struct renewal_counts renewal_counts(const struct renewal *r);

#endif
