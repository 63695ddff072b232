/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases with their names, gathered until they go into one batch as elements.
 *
 * The owner of the struct calls lease_list_done. What is above a limit, or gets no
 * memory, makes the whole list failed, which stays so. A name is written once where it
 * follows itself.
 */
#ifndef DAEMON_ENFORCER_LEASE_LIST_H
#define DAEMON_ENFORCER_LEASE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "daemon/enforcer/element.h"
#include "daemon/enforcer/enforcer.h"

#define LEASE_LIST_MAX (4 * 1024 * 1024)
#define LEASE_LIST_NAMES_MAX ((size_t)256 * 1024 * 1024)

struct lease_list {
	struct buf records, names;
	size_t name; /* where the last one is */
};

void lease_list_init(struct lease_list *l);
void lease_list_done(struct lease_list *l);

/* name: shorter than ENFORCER_NAME_MAX; "" for none. */
void lease_list_add(
    struct lease_list *l, const struct enforcer_lease *lease, const char *name);
bool lease_list_failed(const struct lease_list *l);
size_t lease_list_len(const struct lease_list *l);
/* i < len. */
const struct enforcer_lease *lease_list_get(const struct lease_list *l, size_t i);

/* All, merged (element_merge), the caller's to free, valid as long as the list; NULL when
 * there are none. timeout_ms 0: each its own. -ENOMEM. */
MUST_CHECK int lease_list_elements(const struct lease_list *l, uint32_t timeout_ms,
    struct element **ret_list, size_t *ret_count);

#endif
