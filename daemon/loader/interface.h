/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's own addresses: what no name from outside may lead to.
 */
#ifndef DAEMON_LOADER_INTERFACE_H
#define DAEMON_LOADER_INTERFACE_H

#include <stddef.h>

#include "base/addr.h"
#include "base/macros.h"

/* More than any node has of its own; what a service proxy binds lies in known ranges. */
#define INTERFACE_ADDRESSES_MAX 256

/*
 * The addresses of all interfaces that lie in none of the known ranges, each as a prefix
 * of full length. How many, at most max; or the error of getifaddrs(3).
 */
MUST_CHECK int interface_addresses(
    const struct prefix *known, size_t known_len, struct prefix *list, size_t max);

#endif
