/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts and addresses of a ServiceEntry.
 */
#ifndef POLICY_OBJECT_ENTRY_HOST_H
#define POLICY_OBJECT_ENTRY_HOST_H

#include "policy/object/entry_rules.h"

/* Into d->entry; what is refused is an error finding. */
void entry_host_read(const struct draft *d);
void entry_address_read(const struct draft *d);

#endif
