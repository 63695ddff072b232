/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Set elements of table `inet egressd` as netlink attributes.
 *
 * The functions that put add messages to the batch of nl (daemon/enforcer/netlink.h),
 * which also keeps the error; each message holds many elements. Everything is borrowed
 * for the call.
 *
 * leases4, leases6: pod . destination . protocol . port, the name as comment, a timeout.
 * A lease is renewed by add, delete and add in one batch, because before Linux 6.12
 * adding an element that is there leaves its timeout as it is. It is revoked by add and
 * delete, because deleting one that has just ended fails the batch.
 *
 * leaseports4, leaseports6: the same key to the port that the lease leads to, when
 * that is another one, beside it. An element of a map cannot be made with other data
 * than it has: a change of the table empties them (daemon/enforcer/layout.h) and
 * brings all again.
 */
#ifndef DAEMON_ENFORCER_ELEMENT_H
#define DAEMON_ENFORCER_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/cover.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/netlink.h"

struct nlmsghdr;

struct element {
	const struct enforcer_lease *lease;
	const char *name; /* the comment, shorter than ENFORCER_NAME_MAX; "": none */
	uint32_t timeout_ms;
	bool renew;
};

/*
 * Sort, and make elements of the same key one: the longest timeout with its name, and a
 * renewal if one of them was. Returns how many are left.
 */
size_t element_merge(struct element *list, size_t count);

/* Both take what element_merge has left. */
void element_grant(struct netlink *nl, const struct element *list, size_t count);
void element_revoke(struct netlink *nl, const struct element *list, size_t count);

/* Into cut4 and cut6: what element_merge has left, without renewal; of timeout 0 until
 * they are dropped, there or not. */
void element_put_cuts(struct netlink *nl, const struct element *list, size_t count);
void element_drop_cuts(struct netlink *nl, const struct element *list, size_t count);

#define ELEMENT_KEY_MAX (16 + 16 + 4 + 4) /* bytes */
/* pod . destination . protocol . port, as the sets have it. Returns its length. */
size_t element_key(const struct enforcer_lease *lease, uint8_t key[ELEMENT_KEY_MAX]);
size_t element_make_key(const struct addr *pod, const struct addr *destination,
    uint8_t proto, uint16_t port, uint8_t key[ELEMENT_KEY_MAX]);

/* Into a set of type addr, with intervals; the ranges as cover_ranges makes them. */
void element_put_ranges(
    struct netlink *nl, const char *set, const struct cover_range *ranges, size_t count);
/* Into fixed4 or fixed6; the boxes as cover_boxes makes them. */
void element_put_boxes(
    struct netlink *nl, const char *set, const struct cover_box *boxes, size_t count);
/* Into open4 or open6: those of this family. */
void element_put_addresses(struct netlink *nl, const char *set, uint8_t family,
    const struct addr *list, size_t count);
/* 0.0.0.0 or ::. */
bool element_is_wildcard(const struct addr *a);
/* Into listen4 or listen6: those of this family that are no wildcard. */
void element_put_endpoints(struct netlink *nl, const char *set, uint8_t family,
    const struct endpoint *list, size_t count);
void element_flush(struct netlink *nl, const char *set);

#endif
