/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/ring.h"

void
ring_put(struct ring *r, struct lease *lease)
{
	int64_t second =
	    MAX_OF((lease->deadline_ms + LEASE_LINGER_MS) / 1000, r->swept_s) + 1;

	LIST_INSERT_HEAD(&r->slots[(size_t)second % RING_SLOTS], lease, in_slot);
}

void
ring_turn(struct ring *r, int64_t now_ms, ring_sweep_fn sweep, void *ctx)
{
	int64_t now_s = now_ms / 1000;
	int64_t second = MAX_OF(r->swept_s, now_s - RING_SLOTS);

	r->swept_s = MAX_OF(r->swept_s, now_s);
	while (second < now_s)
		sweep(ctx, &r->slots[(size_t)++second % RING_SLOTS], now_ms);
}

bool
ring_ending(const struct ring *r, int64_t until_ms, size_t count, int64_t *second,
    lease_fn fn, void *ctx)
{
	const int64_t last =
	    MIN_OF((until_ms + LEASE_LINGER_MS) / 1000 + 1, r->swept_s + RING_SLOTS);
	struct lease *lease;
	size_t told = 0;

	for (*second = MAX_OF(*second, r->swept_s + 1); *second <= last && told < count;
	     ++*second)
		LIST_FOREACH(lease, &r->slots[(size_t)*second % RING_SLOTS], in_slot)
		{
			fn(ctx, lease);
			told++;
		}
	return *second <= last;
}
