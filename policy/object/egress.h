/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The egress listeners of a Sidecar: which hosts its pods see, and on which ports.
 *
 * They lie in the reader's memory and hold nothing of the tree.
 */
#ifndef POLICY_OBJECT_EGRESS_H
#define POLICY_OBJECT_EGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/object/import.h"

#define EGRESS_LISTENERS_MAX 256 /* of one Sidecar */
#define EGRESS_HOSTS_MAX 4096    /* of one listener */

struct egress {
	uint16_t port; /* number of its port; 0: none, or a unix socket's */
	bool unix_socket;
	bool trims; /* imports only hosts with that port, and on that port only */
	size_t import_count;
	struct import *imports;
	unsigned line;
};

/* Reads the list (NULL: none) of a Sidecar in namespace own. What is refused is an error
 * finding. */
void egress_read(struct reader *rd, const struct node *list, const char *own,
    struct egress **ret_list, size_t *ret_count);

#endif
