/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/claim.h"

#include <stdlib.h>

#define NEAR_MAX 4 /* claims that are looked at before the table of leases is */

struct claim *
claim_find(const struct lease *lease, const struct grant *g)
{
	struct claim *a = LIST_FIRST(&lease->claims), *b = LIST_FIRST(&g->claims);

	for (; a != NULL && b != NULL;
	     a = LIST_NEXT(a, in_lease), b = LIST_NEXT(b, in_grant)) {
		if (a->grant == g)
			return a;
		if (b->lease == lease)
			return b;
	}
	return NULL;
}

struct claim *
claim_near(const struct grant *g, const struct lease_target *target)
{
	struct claim *c = LIST_FIRST(&g->claims);

	for (int i = 0; c != NULL && i < NEAR_MAX; c = LIST_NEXT(c, in_grant), i++)
		if (c->lease->target.port == target->port &&
		    c->lease->target.proto == target->proto &&
		    addr_equal(&c->lease->target.addr, &target->addr))
			return c;
	return NULL;
}

struct claim *
claim_latest(const struct lease *lease)
{
	struct claim *c, *latest = LIST_FIRST(&lease->claims);

	LIST_FOREACH(c, &lease->claims, in_lease)
	if (c->until_ms > latest->until_ms)
		latest = c;
	return latest;
}

void
claim_free(struct claim *c)
{
	LIST_REMOVE(c, in_lease);
	LIST_REMOVE(c, in_grant);
	c->grant->len--;
	c->grant->pod->claims--;
	free(c);
}
