/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many queries a second each source may send: a token bucket for each.
 *
 * Buckets lie in a table of fixed size, RATE_SETS sets of RATE_WAYS. A source that is new
 * takes the place of the one that has been silent longest in its set, so one source can
 * only ever push out somebody who asks less often, and whoever comes back has a full
 * bucket. The sets are chosen by a keyed hash.
 *
 * One owner, no clock, no I/O.
 */
#ifndef DAEMON_QUERY_RATE_H
#define DAEMON_QUERY_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"

#define RATE_SETS 1024 /* a node runs some hundred pods, each with two addresses */
#define RATE_WAYS 4

struct rate;

struct rate_limit {
	uint32_t per_second; /* 0: none */
	uint32_t burst;      /* what a bucket holds */
};

/* -ENOMEM. */
MUST_CHECK int rate_new(const struct hash_key *key, struct rate **ret_rate);
void rate_free(struct rate *r);

/* Take one token of this source; false when there is none. */
bool rate_take(struct rate *r, const struct addr *source, const struct rate_limit *limit,
    int64_t now_ms);

#endif
