/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up rights, for good: capabilities in every set, new privileges, and being traced
 * or dumped.
 *
 * No library: two system calls (capset(2), prctl(2)) say it all.
 */
#ifndef DAEMON_PRIVILEGE_H
#define DAEMON_PRIVILEGE_H

#include <stdbool.h>

#include "base/macros.h"

/*
 * Keep at most this one capability (a CAP_ number; -1: none) in the effective and
 * permitted sets, nothing in the inheritable, ambient and bounding ones, and no way to
 * gain any. -EPERM when keep was not held. The result is read back and compared: 0 means
 * it is so.
 */
MUST_CHECK int privilege_keep(int capability);

#endif
