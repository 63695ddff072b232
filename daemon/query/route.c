/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/route.h"

#include "resolver/wire.h"

size_t
route_group(const struct verdict *v)
{
	if (v->kind == VERDICT_ZONE)
		return v->zone + 1;
	if (v->kind != VERDICT_HOST)
		return 0;
	if (v->host->in_zone)
		return v->host->zone + 1;
	if (v->host->listed_only)
		return ROUTE_LOCAL;
	return v->host->target_count > 0 ? ROUTE_GATHERED : 0;
}

bool
route_asks_addresses(uint16_t type)
{
	return type == TYPE_A || type == TYPE_AAAA;
}

/* A client may go to what these hint at without a lookup. */
static bool
has_hints(uint16_t type)
{
	return type == TYPE_HTTPS || type == TYPE_SVCB;
}

bool
route_serves(const struct verdict *v, uint16_t type)
{
	return v->kind != VERDICT_HOST || route_asks_addresses(type) ||
	       (v->host->in_zone && !has_hints(type));
}
