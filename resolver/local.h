/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that need no server, because the addresses are known: made as a server would
 * send them, and examined the same way.
 */
#ifndef RESOLVER_LOCAL_H
#define RESOLVER_LOCAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "base/name.h"
#include "resolver/answer.h"

/*
 * The answer to (name, type), TYPE_A or TYPE_AAAA, that holds those of the addresses
 * which are of its family, at most ANSWER_ADDRESSES_MAX. With none it is negative,
 * without a SOA. The caller holds the first reference. -ENOMEM.
 */
MUST_CHECK int local_answer(const struct name *name, uint16_t type,
    const struct addr *list, size_t len, uint32_t ttl_s, int64_t now_ms,
    struct answer **ret_answer);

#endif
