/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what was written to a client over TCP has come to it. An answer is good for as
 * long as its leases are: they outlast its TTL by lease.grace. What the client does not
 * acknowledge the kernel sends again for minutes, and what its window has no room for it
 * keeps for as long as the connection lasts, also when the process has died. So an answer
 * has the grace to be delivered in; a connection on which it is not is reset.
 *
 * The kernel sees to one that makes no progress (TCP_USER_TIMEOUT), which holds for who
 * has died too. A client that takes a little now and then is found by asking what it has
 * acknowledged, every delivery_period_ms: what had been written at one time must be gone
 * at the next. Of a process that died the kernel goes on to send to such a client what
 * its own buffer held.
 *
 * Nothing here is owned: fd is the connection's.
 */
#ifndef DAEMON_QUERY_DELIVERY_H
#define DAEMON_QUERY_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

struct delivery {
	uint64_t written; /* to be counted up by the owner: bytes, sent or not */
	uint64_t mark;    /* of written, when it was last asked */
};

/* Between two calls of delivery_is_overdue. Two of them are less than the grace. */
uint32_t delivery_period_ms(uint32_t grace_s);
/* Let the kernel give up in time. A negative errno: it does not. */
MUST_CHECK int delivery_limit(int fd, uint32_t grace_s);
/* Has something been on its way since before the last call? held: bytes of written that
 * fd has not been given. */
bool delivery_is_overdue(struct delivery *d, int fd, size_t held);
/* Has the client not acknowledged everything? */
bool delivery_is_due(int fd, size_t held);
/* Has something not even been sent for the first time? */
bool delivery_is_held(int fd, size_t held);
/* From now on closing fd resets the connection, and nothing more is sent. */
void delivery_abandon(int fd);

#endif
