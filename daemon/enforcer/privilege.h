/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up rights, for good: capabilities in every set, new privileges, and being traced
 * or dumped.
 *
 * No library: two system calls (capset(2), prctl(2)) say it all.
 */
#ifndef DAEMON_ENFORCER_PRIVILEGE_H
#define DAEMON_ENFORCER_PRIVILEGE_H

#include "base/macros.h"

/*
 * Keep at most this one capability (a CAP_ number; -1: none) in the effective and
 * permitted sets, nothing in the inheritable and ambient ones, and no way to gain any: no
 * new privileges by exec, no core dump, no tracer. The bounding set is emptied too where
 * CAP_SETPCAP is held; without it that set stays, and means nothing, as it only limits
 * what an exec may bring and no new privileges forbids that altogether. For the calling
 * thread: call it while it is the only one. -EPERM when it was not held. The result is
 * read back and compared: 0 means it is so.
 */
MUST_CHECK int privilege_keep(int capability);

#endif
