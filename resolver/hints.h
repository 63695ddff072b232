/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses in an answer of SVCB or HTTPS records: found, so that they can be judged
 * and leased like those of A and AAAA records, and cut out where they were not.
 *
 * Both make another answer and leave the given one alone, which may be the cache's.
 * Records that are malformed (resolver/svcb.h) have no hints, and are cut out whole.
 */
#ifndef RESOLVER_HINTS_H
#define RESOLVER_HINTS_H

#include <stdint.h>

#include "base/macros.h"
#include "resolver/answer.h"

/*
 * The same answer with its hints as addresses, of both families, each once,
 * ANSWER_ADDRESSES_MAX at most; their offset and len are 0, so it must not be replied
 * with before hints_cut. -ENOMEM.
 */
MUST_CHECK int hints_find(const struct answer *a, struct answer **ret_answer);
/*
 * What of it may leave: no hint but those of a's addresses that keep has a bit for, no
 * ech, nothing malformed. It has no addresses, and is negative when no record is left.
 * -ENOMEM.
 */
MUST_CHECK int hints_cut(
    const struct answer *a, uint64_t keep, struct answer **ret_answer);

#endif
