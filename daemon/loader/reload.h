/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a new configuration and registry beside the running ones.
 *
 * Files are read and the registry is built in a thread of its own, because both take long
 * and the loop must not wait. The thread shares nothing with the loop that anybody
 * changes: it gets a path and a key, and is lent the last good forms of the objects of
 * the running registry. It runs daemon/loader/loader.h, which touches no global and logs
 * nothing, and hands over one pointer when it has ended. No locks between the two: an
 * eventfd says that it has, and joining it is the barrier.
 */
#ifndef DAEMON_LOADER_RELOAD_H
#define DAEMON_LOADER_RELOAD_H

#include "base/hash.h"
#include "base/macros.h"
#include "daemon/loader/loader.h"
#include "policy/finding.h"

struct event_base;
struct reload;

/* result as of loader_load; on 0 the receiver owns what loaded points at. findings are
 * borrowed for the call. */
typedef void (*reload_done_fn)(void *ctx, int result, const struct findings *findings,
    const struct loader_result *loaded);

/* path is borrowed and may be NULL. -ENOMEM or the error of the system call. */
MUST_CHECK int reload_new(struct event_base *base, const char *path,
    const struct hash_key *key, reload_done_fn done, void *ctx,
    struct reload **ret_reload);
/* Waits for a thread that is under way. */
void reload_free(struct reload *r);
/* before: as in struct loader_options, lent until done is called, which the thread only
 * reads. -EBUSY when one is under way, -EAGAIN. */
MUST_CHECK int reload_start(struct reload *r, const struct registry *before);

#endif
