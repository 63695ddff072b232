/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ports of a ServiceEntry.
 */
#ifndef POLICY_OBJECT_ENTRY_PORT_H
#define POLICY_OBJECT_ENTRY_PORT_H

#include "policy/object/entry_rules.h"

/* Into d->entry; what is refused is an error finding. */
void entry_port_read(const struct draft *d);

#endif
