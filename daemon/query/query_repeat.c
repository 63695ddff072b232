/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/query_repeat.h"

#include "daemon/query/route.h"

static bool
is_settled(const struct queries *all)
{
	return all->started && all->before == NULL && gate_ready(all->gate);
}

/* Either only grows. */
static uint64_t
epoch_of(const struct queries *all)
{
	return all->turns + leases_losses(gate_leases(all->gate));
}

size_t
query_repeat(
    struct queries *all, const struct repeat_query *query, int64_t now_ms, uint8_t *out)
{
	size_t len;

	if (!is_settled(all))
		return 0;
	len = repeats_find(all->repeats, query, epoch_of(all), now_ms, out);
	if (len > 0) {
		all->counts.received++;
		all->counts.answered++;
		all->counts.repeated++;
	}
	return len;
}

/* Nothing of the answer was held back, and nobody is to be told anything. */
static bool
is_whole(const struct query *q)
{
	size_t count = q->answer->address_count;

	return count > 0 && count <= 64 && q->keep == UINT64_MAX >> (64 - count);
}

void
query_keep(const struct query *q, const struct repeat_query *query, int64_t now_ms,
    const uint8_t *reply, size_t len)
{
	struct queries *all = q->all;
	int64_t until_ms = MIN_OF(q->steady_ms, q->leased_ms);

	if (until_ms <= now_ms || q->pod != NULL || q->aliased || q->upstream.old ||
	    !route_asks_addresses(q->question.type) || !is_whole(q) || !is_settled(all))
		return;
	until_ms = MIN_OF(until_ms, answer_ttl_end(q->answer, now_ms));
	repeats_keep(all->repeats, query, reply, len, epoch_of(all), now_ms, until_ms);
}
