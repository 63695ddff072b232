/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a pod may say through the names that it asks for under wildcard hosts: any
 * label below one is sent to its DNS servers, so names alone carry data out. A pod has a
 * budget of names and of their bytes (wire form, RFC 1035 section 3.1) for each
 * WILDCARD_PERIOD_MS, which begins with its first name.
 *
 * A name counts once in a period, of whatever type and however often it is asked for.
 * What lies in a cache goes nowhere and is not asked about here.
 *
 * Budgets lie in WILDCARD_SETS sets of WILDCARD_WAYS; a pod that is new takes the place
 * of the one that has been silent longest in its set. Names lie in WILDCARD_NAME_SETS
 * sets, as fingerprints; where a set is full of names of this minute and the last one, a
 * new one displaces one of them, which counts once more when it comes again. The sets are
 * chosen by a keyed hash.
 *
 * One owner, no clock, no I/O.
 */
#ifndef DAEMON_QUERY_WILDCARD_H
#define DAEMON_QUERY_WILDCARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"

#define WILDCARD_PERIOD_MS 60000
#define WILDCARD_SETS 512
#define WILDCARD_WAYS 4
#define WILDCARD_NAME_SETS 16384 /* of WILDCARD_WAYS: 512 KiB */

struct wildcard;

struct wildcard_budget { /* of a period; as a limit, 0: none */
	uint32_t names;
	size_t bytes;
};

struct wildcard_pod {
	uint64_t
	    identity; /* as in struct workload; 0: not known, then its address counts */
	const struct addr *addr;
};

/* -ENOMEM. */
MUST_CHECK int wildcard_new(const struct hash_key *key, struct wildcard **ret_wildcard);
void wildcard_free(struct wildcard *w);

/* May this pod have this name asked? Then it has been taken from its budget. */
bool wildcard_take(struct wildcard *w, const struct wildcard_pod *pod,
    const struct name *name, const struct wildcard_budget *budget, int64_t now_ms);
/* What this pod has taken in its present period; nothing when it has none. */
struct wildcard_budget wildcard_taken(
    struct wildcard *w, const struct wildcard_pod *pod, int64_t now_ms);

#endif
