/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/going.h"

#include "daemon/lease/lease.h"

void
going_set(struct going *g, struct lease *lease, uint32_t record)
{
	g->len -= lease->record != 0;
	g->len += record != 0;
	lease->record = record;
}

bool
going_is_gone(const struct going *g, const struct lease *lease)
{
	return g->gone && lease->record != 0;
}

void
going_end(struct going *g, struct lease *lease)
{
	if (lease->record != 0 && !g->gone)
		g->watch.ended(g->watch.ctx, lease);
	going_set(g, lease, 0);
}

void
going_make_room(const struct going *g, bool full)
{
	if (g->gone && full)
		g->watch.room(g->watch.ctx);
}
