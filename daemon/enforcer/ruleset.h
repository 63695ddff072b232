/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Table `inet egressd` as a whole: the rules that make a frame
 * (daemon/enforcer/layout.h) into a fence, and what the sets hold.
 *
 * Pods' packets come in at chain egress (before kube-proxy rewrites anything), by
 * interface through chain interface, by source straight to chain pod; what chain pod
 * does not accept ends in chain refuse. Chain dns turns port 53 to us; chain lead
 * turns what was accepted to where its entry says (daemon/enforcer/translation.h);
 * chain forward refuses what has slipped by chain dns. Chains query and reply keep
 * conntrack out of what pods ask us by ourselves (daemon/enforcer/interceptor.h).
 */
#ifndef DAEMON_ENFORCER_RULESET_H
#define DAEMON_ENFORCER_RULESET_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/netlink.h"

/* Where a cloud's metadata service is, in full length: never opened by a lease. */
struct prefix ruleset_metadata(uint8_t family);

static inline bool
ruleset_is_metadata(const struct addr *a)
{
	const struct prefix metadata = ruleset_metadata(a->family);

	return addr_equal(a, &metadata.addr);
}

struct interceptor_alone;

/* All borrowed; lists in any order. */
struct ruleset {
	struct enforcer_table table;
	const char (*interfaces)[IFNAMSIZ];
	size_t interface_count;
	const struct prefix *pods;
	size_t pod_count;
	const struct prefix *internal;
	size_t internal_count;
	const struct endpoint *listen;
	size_t listen_count;
	const struct enforcer_fixed *fixed;
	size_t fixed_count;
	const struct enforcer_way *ways; /* of the services that fixed names */
	size_t way_count;
	const struct addr *open; /* pods of which nothing is refused */
	size_t open_count;
	/* daemon/enforcer/interceptor.h; NULL: not known */
	const struct interceptor_alone *alone;
};

/* Add to the batch of nl, which has begun. -ENOMEM; other errors come with the commit. */
MUST_CHECK int ruleset_put(struct netlink *nl, const struct ruleset *rs,
    const struct layout_found *found, const struct layout_way *way);

#endif
