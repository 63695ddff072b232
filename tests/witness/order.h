/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts records in the order of their times: a heap, out of which they come once nothing
 * older can come any more.
 *
 * A record that was put in is the order's until it is taken out again. At ORDER_MAX there
 * is -ENOSPC. A record that is older than one taken out before is -ETIME: whoever waits
 * too short a time before taking has been told so.
 */
#ifndef TESTS_WITNESS_ORDER_H
#define TESTS_WITNESS_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "tests/witness/record.h"

#define ORDER_MAX 4000000

struct order {
	struct record *heap;
	size_t len, room;
	uint64_t taken_ns; /* of the last one that was taken out */
	uint64_t numbers;
};

void order_done(struct order *o);
/* -ETIME, -ENOSPC, -ENOMEM; the record stays the caller's then. */
MUST_CHECK int order_put(struct order *o, const struct record *r);
/* The oldest, if it is from before until_ns. */
bool order_take(struct order *o, uint64_t until_ns, struct record *ret_record);

#endif
