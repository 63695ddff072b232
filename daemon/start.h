/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's start, from its configuration to the moment in which it serves: load,
 * open the sockets, fork the enforcer, give up all rights, ask what services' names
 * resolve to, bring the table up, begin to read.
 */
#ifndef DAEMON_START_H
#define DAEMON_START_H

#include "base/macros.h"

/* The names behind services' addresses have so long; then the table is made without. */
#define START_NAMES_MS 500

struct daemon;

/* With all rights, which are gone after it. What fails is told, here and later. */
MUST_CHECK int start_begin(struct daemon *d);
void start_done(struct daemon *d);

/* backends_settings' changed; ctx is the daemon. */
void start_names_changed(void *ctx);

#endif
