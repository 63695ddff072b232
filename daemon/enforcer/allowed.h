/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What table `inet egressd` lets a pod begin without a lease: the rules of chain pod
 * (daemon/enforcer/ruleset.h) once more, for flows that exist already.
 *
 * A struct allowed belongs to its caller, from allowed_init to allowed_done. It copies
 * what it needs of the ruleset.
 */
#ifndef DAEMON_ENFORCER_ALLOWED_H
#define DAEMON_ENFORCER_ALLOWED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "daemon/enforcer/conntrack.h"
#include "daemon/enforcer/cover.h"
#include "daemon/enforcer/ruleset.h"

struct allowed {
	struct enforcer_table table;
	struct addr *open; /* sorted */
	size_t open_count;
	struct cover_range *internal[2]; /* of IPv4, of IPv6 */
	size_t internal_count[2];
	struct endpoint *listen;
	size_t listen_count;
	struct enforcer_fixed *fixed; /* sorted by family, protocol and port */
	size_t fixed_count;
};

/* -ENOMEM. */
MUST_CHECK int allowed_init(struct allowed *a, const struct ruleset *rs);
void allowed_done(struct allowed *a);

/* Would such a flow pass, if it began now? Cost: logarithmic, and linear in the fixed
 * openings of its protocol and port. */
bool allowed_has(const struct allowed *a, const struct conntrack_flow *flow);

/* Does one of these ranges, as cover_ranges makes them, hold it? */
bool allowed_in_ranges(
    const struct cover_range *ranges, size_t count, const struct addr *a);

#endif
