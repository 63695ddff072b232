/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads nf_tables' notifications of table `inet egressd` into struct sets.
 *
 * A transaction counts as one, at the time of its last message. The kernel numbers them
 * without a gap, so a message that is missing is noticed.
 */
#ifndef TESTS_WITNESS_NOTICE_H
#define TESTS_WITNESS_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "tests/witness/sets.h"

struct notices {
	struct sets *sets; /* borrowed */
	uint32_t generation;
	bool has_generation;
};

/* One datagram of the group, from at_ns. -EPROTO: not what is known of these sets;
 * -EPIPE: messages are missing; -ENOMEM, -ENOSPC. */
MUST_CHECK int notices_take(
    struct notices *n, uint64_t at_ns, const uint8_t *data, size_t len);

#endif
