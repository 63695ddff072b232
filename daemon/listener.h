/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon serves on: the service manager's sockets, or those that its
 * configuration names, CONFIG_LISTEN_MAX addresses at most. They are the daemon's
 * (d->sockets), to be closed by it.
 */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include <stddef.h>

#include "base/addr.h"
#include "base/macros.h"
#include "daemon/config/config.h"

struct daemon;

/* The service manager's when there are some, our own otherwise. What fails is logged, and
 * set as the exit code. */
MUST_CHECK int listener_open(struct daemon *d);
/* The metrics port, where the present configuration has it. Without it the daemon does
 * its work all the same: what fails is logged, and tried again at a reload. */
void listener_metrics(struct daemon *d);
/* The endpoints that pods' queries may be sent on to: served over UDP, and on another
 * port than 53 over TCP too, on an address that the node has. How many. */
size_t listener_endpoints(struct daemon *d, struct endpoint list[CONFIG_LISTEN_MAX]);

#endif
