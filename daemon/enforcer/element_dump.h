/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The leases of table `inet egressd` read back from the kernel.
 */
#ifndef DAEMON_ENFORCER_ELEMENT_DUMP_H
#define DAEMON_ENFORCER_ELEMENT_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/element_form.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/netlink.h"

/* name: as enforcer_message.name. A negative result ends the walk. */
typedef int (*element_lease_fn)(
    void *ctx, const struct enforcer_lease *lease, const char *name);
/* Ask for all elements of a set of this form. -ENOENT without the set; -EINTR as
 * netlink_ask; -EPROTO for an element that is none of ours. One that has ended is passed
 * over; of one that never ends, which is none of ours, timeout_ms is 0. */
MUST_CHECK int element_dump(struct netlink *nl, const struct element_form *form,
    const char *set, uint8_t family, element_lease_fn lease, void *ctx);

/* The same of the sets of both families, form->leases or form->cuts; again when rules
 * changed meanwhile: some perhaps twice. */
MUST_CHECK int element_dump_all(struct netlink *nl, const struct element_form *form,
    const char *const sets[2], element_lease_fn lease, void *ctx);

/* Does the kernel hold this in such a set? In doubt it does not. */
bool element_is_in(
    struct netlink *nl, const char *set, const struct enforcer_lease *lease);
bool element_is_leased(struct netlink *nl, const struct enforcer_lease *lease);

#endif
