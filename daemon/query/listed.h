/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is answered from the registry itself: the addresses that a host lists, when it has
 * no name to ask.
 */
#ifndef DAEMON_QUERY_LISTED_H
#define DAEMON_QUERY_LISTED_H

#include <stdint.h>

#include "base/macros.h"
#include "policy/registry/registry.h"
#include "resolver/answer.h"
#include "resolver/question.h"

#define LISTED_TTL_S 30 /* what Istio's DNS proxy gives to answers from its table */

/* The caller holds the first reference. A negative answer when none is of the family.
 * -ENOMEM. */
MUST_CHECK int listed_answer(const struct registry_host *host, const struct question *q,
    int64_t now_ms, struct answer **ret_answer);

#endif
