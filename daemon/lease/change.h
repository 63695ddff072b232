/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of the whole kernel table, written down as the messages of one transaction.
 *
 * The owner of the struct calls change_done. Parts may come in any order between begin
 * and end; what does not fit into memory makes change_end fail, and nothing is sent of
 * such a change.
 */
#ifndef DAEMON_LEASE_CHANGE_H
#define DAEMON_LEASE_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/macros.h"
#include "base/name.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/lease/lease.h"

/* Of frames that were made ahead. */
#define CHANGE_AHEAD_MAX 2

/* To be sent in this order. */
struct change {
	struct buf frames;
	struct buf ahead[CHANGE_AHEAD_MAX];
	size_t ahead_count;
	struct buf rest; /* what came behind those; empty when there are none */
	struct enforcer_message message; /* being filled */
	struct enforcer_message cuts;    /* beside it: a lease that goes makes one too */
};

void change_begin(struct change *c, const struct enforcer_table *table);
void change_interface(struct change *c, const char *pattern);
/* kind: ENFORCER_PODS or ENFORCER_INTERNAL. */
void change_range(struct change *c, enum enforcer_kind kind, const struct prefix *range);
void change_listen(struct change *c, const struct endpoint *listen);
void change_open(struct change *c, const struct addr *pod);
/* Flows of these pods: all of them, or to one target. */
void change_cut_pods(struct change *c, const struct prefix *pods);
void change_cut(
    struct change *c, const struct addr *pod, const struct lease_target *target);
void change_fixed(struct change *c, const struct enforcer_fixed *fixed);
void change_way(struct change *c, const struct enforcer_way *way);
void change_revoke(
    struct change *c, const struct addr *pod, const struct lease_target *target);
/* A lease that the kernel may hold already. text: the name in presentation form. */
void change_lease(struct change *c, const struct addr *pod,
    const struct lease_target *target, const char *text, uint32_t timeout_ms);
/* Frames of whole messages that were made elsewhere (daemon/lease/withdrawal.h) become
 * the change's; frames is empty then. */
void change_take(struct change *c, struct buf *frames);
/* One record of REVOKE and LEASES, of CUT. */
struct enforcer_lease change_make_lease(
    const struct addr *pod, const struct lease_target *target);
struct enforcer_cut change_make_cut(
    const struct addr *pod, const struct lease_target *target);
/* -ENOMEM. */
MUST_CHECK int change_end(struct change *c);
void change_done(struct change *c);

#endif
