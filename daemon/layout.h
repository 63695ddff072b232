/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of table `inet egressd`: the table itself, its sets and its chains, without
 * what is in them. What is there, how it is declared, how it goes.
 *
 * Declaring is harmless where the thing is there already; leases are never touched unless
 * the whole table is replaced.
 */
#ifndef DAEMON_LAYOUT_H
#define DAEMON_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/netlink.h"

/* Of the sets' types and the chains' hooks; it is in the table's comment. A table of an
 * older layout is replaced, leases and all; one of a newer layout is not touched. */
#define LAYOUT_VERSION 1

#define LAYOUT_CUT_SIZE 65536 /* elements, of cut4 and of cut6 */

/* The table in the kernel. */
struct layout_found {
	bool exists;
	uint32_t version;     /* 0: of no known layout */
	uint32_t flags;       /* NFT_TABLE_F_... */
	uint32_t owner;       /* the address of its owner's socket; 0: none */
	uint32_t set_size[2]; /* of leases4 and leases6; 0: no such set */
};

/* How the table is to be made: what a kernel may lack, or what must be given up. */
struct layout_way {
	bool replace; /* delete what is there first */
	bool own;     /* table flags owner and persist: Linux 6.9 */
	bool log;     /* the log expression */
};

/* 0 also when there is none. */
MUST_CHECK int layout_find(struct netlink *nl, struct layout_found *ret_found);
/*
 * Declare everything, to the batch of nl, which has begun, and flush all rules and the
 * sets whose elements have no timeout. A set that is there keeps its size. Errors come
 * with the commit.
 */
void layout_put(struct netlink *nl, uint32_t set_size, const struct layout_found *found,
    const struct layout_way *way);
/* Is the table held by the flags that only its owner, which is us, may change it? */
bool layout_is_owned(const struct netlink *nl, const struct layout_found *found);
/* Delete the table, by a socket of its own. -ENOENT: there is none; -EBUSY: it belongs to
 * an enforcer that lives; -EPERM: without CAP_NET_ADMIN. */
MUST_CHECK int layout_remove(void);

/* The name of the set of this family. */
const char *layout_set(uint8_t family, const char *four, const char *six);

#endif
