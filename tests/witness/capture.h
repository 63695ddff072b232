/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the witness looks at, from inside the node's network namespace: one packet
 * socket on all interfaces, and one netlink socket of nf_tables' notifications.
 *
 * Of the packets only these become records: what a pod sends that may open a flow, what
 * goes to a pod from port 53, and what leaves by the uplink. A message that the kernel
 * had no room to keep is an error, -ENOBUFS: a witness that has missed something has
 * seen nothing.
 */
#ifndef TESTS_WITNESS_CAPTURE_H
#define TESTS_WITNESS_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "tests/witness/place.h"
#include "tests/witness/record.h"
#include "tests/witness/stamp.h"

struct capture {
	const struct places *places; /* borrowed */
	int packets, messages;
	struct stamp stamp;
	uint8_t *buffers;
};

/* Takes the record, or says why not, which ends the reading. */
typedef int (*capture_fn)(void *ctx, const struct record *r);

/* From here on everything is seen. A negative errno. */
MUST_CHECK int capture_open(struct capture *c, const struct places *places);
void capture_close(struct capture *c);
/* All that there is now. -ENOBUFS, -ENOMEM, or what take said. */
MUST_CHECK int capture_read(struct capture *c, capture_fn take, void *ctx);

#endif
