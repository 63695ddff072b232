/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names behind addresses, as answers have told them lately: so that a refused
 * connection can be explained.
 *
 * For each address the last name that led a certain pod there, and the last that led
 * anybody there. RECENT_SLOTS of them; two that share a slot displace each other, and
 * nothing is remembered for longer than RECENT_MS. It explains and decides nothing: what
 * is open stands in daemon/lease/lease.h.
 */
#ifndef DAEMON_LEASE_RECENT_H
#define DAEMON_LEASE_RECENT_H

#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "resolver/answer.h"

#define RECENT_SLOTS 4096 /* about 300 bytes each, once used */
#define RECENT_MS (24 * 3600 * INT64_C(1000))

struct recent;

/* -ENOMEM. */
MUST_CHECK int recent_new(const struct hash_key *key, struct recent **ret_recent);
void recent_free(struct recent *r);

/* name led pod to addr; a pod of family 0 is one that is not known. */
void recent_note(struct recent *r, const struct addr *pod, const struct addr *addr,
    const struct name *name, int64_t now_ms);
/* The same for the addresses of an answer that keep has a bit for; those of another
 * family than the pod's are passed over. */
void recent_note_answer(struct recent *r, const struct addr *pod, const struct answer *a,
    uint64_t keep, const struct name *name, int64_t now_ms);

/* What led pod to addr, NULL: anybody. NULL when none is known. Valid until the next
 * note. */
const struct name *recent_find(const struct recent *r, const struct addr *pod,
    const struct addr *addr, int64_t now_ms);

#endif
