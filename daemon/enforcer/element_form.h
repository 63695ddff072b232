/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How each version of the layout (daemon/enforcer/layout.h) keeps what outlives its
 * table, leases above all: in which sets, under which key. By it an egressd reads what
 * an older one has left.
 *
 * A version that keeps them as the one before it did needs nothing here. The comment of
 * an element is the lease's name and its timeout the lease's end, in all of them.
 */
#ifndef DAEMON_ENFORCER_ELEMENT_FORM_H
#define DAEMON_ENFORCER_ELEMENT_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/enforcer/enforcer.h"

struct element_form {
	uint32_t since;        /* the first version of which this holds */
	const char *leases[2]; /* the sets, of IPv4 and of IPv6 */
	const char *cuts[2];   /* of what the other end may not go on with: cut4, cut6 */
	/* Who may reach what; false: no key of this form. The rest of ret_lease is 0. */
	bool (*read_key)(const uint8_t *key, size_t len, uint8_t family,
	    struct enforcer_lease *ret_lease);
};

/* NULL: of no version that is known. */
const struct element_form *element_form_of(uint32_t version);
/* Of LAYOUT_VERSION. */
const struct element_form *element_form_present(void);

#endif
