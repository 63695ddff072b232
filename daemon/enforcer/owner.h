/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner of table `inet egressd`: carries out what the loop asks
 * (daemon/enforcer/enforcer.h), one request after the other, in the process that has
 * CAP_NET_ADMIN. All that it says goes through one function, in the order of the
 * requests.
 *
 * A message is borrowed until owner_flush, which must follow before its memory changes.
 */
#ifndef DAEMON_ENFORCER_OWNER_H
#define DAEMON_ENFORCER_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/enforcer.h"

struct owner;

/* m is valid for the call. */
typedef void (*owner_say_fn)(void *ctx, const struct enforcer_message *m);

/* Opens the netlink socket that will own the table. now_ms: CLOCK_MONOTONIC. */
MUST_CHECK int owner_new(
    owner_say_fn say, void *ctx, int64_t (*now_ms)(void), struct owner **ret_owner);
void owner_free(struct owner *o);

/* m is as long as it says. -EPROTO: a kind that has no place here. */
MUST_CHECK int owner_take(struct owner *o, const struct enforcer_message *m);
/* Commit the leases that wait. */
void owner_flush(struct owner *o);

/* When this becomes readable, call owner_watch; -1: nothing to watch now. */
int owner_watch_fd(const struct owner *o);
void owner_watch(struct owner *o);

/* When this becomes readable (-1: not now), or so much time has passed (-1: whenever),
 * call owner_refused: it says what the kernel refused. */
int owner_refused_fd(const struct owner *o);
int owner_refused_wait_ms(const struct owner *o);
void owner_refused(struct owner *o, bool readable);

/* When this becomes readable (-1: not now), call owner_cut: a few flows end. */
int owner_cut_fd(const struct owner *o);
void owner_cut(struct owner *o);

/* When this becomes readable (-1: not now), call owner_live: what was found is said. */
int owner_live_fd(const struct owner *o);
void owner_live(struct owner *o);

#endif
