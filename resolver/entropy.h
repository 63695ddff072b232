/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random bytes for ids and letter case, fetched some hundred at a time: one system call
 * for about fifty questions instead of one for each.
 *
 * No byte is ever given twice, and what was given is wiped from the stock. The owner of
 * the struct calls entropy_done.
 */
#ifndef RESOLVER_ENTROPY_H
#define RESOLVER_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define ENTROPY_STOCK 256 /* what getrandom(2) gives whole, never short nor interrupted */

struct entropy {
	int (*fill)(void *out, size_t len);
	size_t left; /* bytes at the front of stock that nobody has seen */
	uint8_t stock[ENTROPY_STOCK];
};

/* fill returns 0 or a negative errno and is kept. */
void entropy_init(struct entropy *e, int (*fill)(void *out, size_t len));
void entropy_done(struct entropy *e);

/* len is at most ENTROPY_STOCK. 0 or what fill said. */
MUST_CHECK int entropy_take(struct entropy *e, size_t len, void *ret_bytes);

#endif
