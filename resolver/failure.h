/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions that failed just now, so that servers in trouble are not asked again for each
 * client's retry (RFC 9520 section 3.2; RFC 2308 section 7).
 *
 * A fixed table of values: a failure may push out another one of the same place, which is
 * then asked again too soon, no more. A table of zeros is empty.
 */
#ifndef RESOLVER_FAILURE_H
#define RESOLVER_FAILURE_H

#include <stdint.h>

#define FAILURE_SLOTS 512
#define FAILURE_KEPT_MS 1000 /* RFC 9520 section 3.2: at least 1 s, at most 5 min */

struct failure {
	uint64_t hash; /* keyed: an equal hash is the same question */
	int64_t until_ms;
	int result; /* 0: the place is free */
};

struct failure_table {
	struct failure slots[FAILURE_SLOTS];
};

void failure_add(struct failure_table *t, uint64_t hash, int result, int64_t now_ms);
/* The result that the question ended with, or 0 when it is not known to have failed. */
int failure_find(const struct failure_table *t, uint64_t hash, int64_t now_ms);

#endif
