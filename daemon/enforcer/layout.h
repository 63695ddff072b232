/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of table `inet egressd`: the table itself, its sets and its chains, without
 * what is in them. How it is declared, and how it goes (what is there:
 * daemon/enforcer/layout_found.h).
 *
 * Declaring is harmless where the thing is there already; leases are never touched unless
 * the whole table is replaced.
 */
#ifndef DAEMON_ENFORCER_LAYOUT_H
#define DAEMON_ENFORCER_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/layout_found.h"
#include "daemon/enforcer/netlink.h"

/*
 * Of the sets' types and the chains' hooks; it is in the table's comment. Raise it
 * with every change that cannot be declared over a table that is there. A table of an
 * older layout is replaced and its leases taken over, in one transaction; when the new
 * version keeps leases in another way, daemon/enforcer/element_form.c learns it. One
 * of a newer layout is not touched.
 */
#ifdef EGRESSD_NEXT_LAYOUT /* for tests of an upgrade and of a way back */
#define LAYOUT_VERSION 2
#else
#define LAYOUT_VERSION 1
#endif

#define LAYOUT_COMMENT "egressd " /* of the table, in front of the version */

/* linux/netfilter/nf_tables.h of Linux 6.9; Debian 12 has an older one. */
#define LAYOUT_OWNER 0x2u
#define LAYOUT_PERSIST 0x4u

#define LAYOUT_CUT_SIZE 65536 /* elements, of cut4 and of cut6 */

/* How the table is to be made: what a kernel may lack, or what must be given up. */
struct layout_way {
	bool replace; /* delete what is there first */
	bool own;     /* table flags owner and persist: Linux 6.9 */
	bool log;     /* the log expression */
};

/*
 * Declare everything, to the batch of nl, which has begun, and flush all rules, the maps
 * and the sets whose elements have no timeout. A set that is there keeps its size. Errors
 * come with the commit.
 */
void layout_put(struct netlink *nl, uint32_t set_size, const struct layout_found *found,
    const struct layout_way *way);
/* A chain that rules and maps lead to. Delete one that nothing leads to any more. */
void layout_put_chain(struct netlink *nl, const char *name);
void layout_flush_chain(struct netlink *nl, const char *name);
void layout_delete_chain(struct netlink *nl, const char *name);
/* Delete the table, by a socket of its own. -ENOENT: there is none; -EBUSY: it belongs to
 * an enforcer that lives; -EPERM: without CAP_NET_ADMIN. */
MUST_CHECK int layout_remove(void);

/* The name of the set of this family. */
const char *layout_set(uint8_t family, const char *four, const char *six);

#endif
