/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges that a name outside must not lead into: against rebinding, and so that nobody's
 * DNS zone opens the way to the node, its neighbours or the cloud's metadata service.
 *
 * An IPv4 address wrapped in IPv6 (mapped, RFC 4291; NAT64, RFC 6052; 6to4, RFC 3056) is
 * judged as the IPv4 address that it leads to.
 */
#ifndef POLICY_REGISTRY_RANGE_H
#define POLICY_REGISTRY_RANGE_H

#include <stdbool.h>

#include "base/addr.h"

/* Private is somebody's inside: RFC 1918, 6598, 4193, 3879. Never is loopback,
 * link-local, metadata, multicast, unspecified and reserved. */
enum range_kind {
	RANGE_PUBLIC,
	RANGE_PRIVATE,
	RANGE_NEVER,
};

enum range_kind range_of(const struct addr *a);
/* The address that a stands for: itself, or the IPv4 one in it. */
struct addr range_unwrap(const struct addr *a);
/* Does the prefix hold a cloud's metadata address? */
bool range_covers_metadata(const struct prefix *p);

#endif
