/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What table `inet egressd` the kernel has, and of which version of the layout.
 *
 * Plain values; nothing is kept.
 */
#ifndef DAEMON_ENFORCER_LAYOUT_FOUND_H
#define DAEMON_ENFORCER_LAYOUT_FOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/netlink.h"

/* Chains of services (daemon/enforcer/translation.h) are called this and their number. */
#define LAYOUT_SERVICE "service"

/* The table in the kernel. */
struct layout_found {
	bool exists;
	uint32_t version;     /* 0: of no known layout */
	uint32_t flags;       /* NFT_TABLE_F_... */
	uint32_t owner;       /* the address of its owner's socket; 0: none */
	uint32_t set_size[2]; /* of leases4 and leases6; 0: no such set */
	uint32_t services;    /* the highest number of a chain LAYOUT_SERVICE */
};

/* 0 also when there is none. */
MUST_CHECK int layout_find(struct netlink *nl, struct layout_found *ret_found);
/* Is the table held by the flags that only its owner, which is us, may change it? */
bool layout_is_owned(const struct netlink *nl, const struct layout_found *found);
/* May it be ours to change? -EPROTONOSUPPORT: of a newer layout; -EPERM: it has another
 * owner, who lives. */
MUST_CHECK int layout_check(const struct netlink *nl, const struct layout_found *found);

#endif
