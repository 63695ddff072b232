/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/failure.h"

void
failure_add(struct failure_table *t, uint64_t hash, int result, int64_t now_ms)
{
	t->slots[hash % FAILURE_SLOTS] = (struct failure){
	    .hash = hash,
	    .until_ms = now_ms + FAILURE_KEPT_MS,
	    .result = result,
	};
}

int
failure_find(const struct failure_table *t, uint64_t hash, int64_t now_ms)
{
	const struct failure *f = &t->slots[hash % FAILURE_SLOTS];

	return f->hash == hash && now_ms < f->until_ms ? f->result : 0;
}
