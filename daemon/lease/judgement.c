/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/judgement.h"

#include "daemon/lease/claim.h"
#include "daemon/lease/source.h"
#include "policy/registry/way.h"

struct judgement
judgement_of(const struct registry *registry, const struct grant *g)
{
	const struct workload *w = registry_workload(registry, &g->pod->addr);
	struct judgement j = {.registry = registry, .owner = source_identity(w)};
	struct verdict verdict;
	struct name name;

	/* another pod has the address by now, or nobody */
	if (g->owner != 0 && g->owner != j.owner)
		return j;
	name_from_wire(g->name, g->name_len, &name);
	registry_judge(registry, w, &name, &verdict);
	if (verdict.kind == VERDICT_HOST)
		j.host = verdict.host;
	return j;
}

bool
judgement_keeps(
    const struct judgement *j, const struct grant *g, const struct lease_target *target)
{
	const struct registry_host *host = j->host;

	if (host == NULL || registry_port(host->ports, host->port_count, target->port,
				target->proto) == NULL)
		return false;
	/* which of a host's endpoints gave the address nobody knows: when they are others
	 * now, only what is listed is beyond doubt */
	if (host->origin != g->origin && !registry_lists(host, &target->addr))
		return false;
	return registry_permits(j->registry, host, &target->addr);
}

/* Are all the ports of the host open at the address of target? */
static bool
is_whole(const struct judgement *j, const struct leases *leases, const struct grant *g,
    struct lease_target target)
{
	const struct lease_target known = target;

	for (size_t i = 0; i < j->host->port_count; i++) {
		target.port = j->host->ports[i].number;
		target.proto = j->host->ports[i].proto;
		if ((target.port != known.port || target.proto != known.proto) &&
		    !lease_claimed(leases, g, &target))
			return false;
	}
	return true;
}

/* The kernel's map of ports is emptied by every change: what leads elsewhere, before or
 * from now on, is to be written. */
static bool
leads_elsewhere(const struct judgement *j, const struct lease_target *target)
{
	const struct registry_port *port = registry_port(
	    j->host->ports, j->host->port_count, target->port, target->proto);

	return target->to != 0 || way_port(j->host, port, &target->addr) != 0;
}

bool
judgement_renews(const struct judgement *j, const struct grant *g)
{
	return j->host != NULL && (j->owner != g->owner || j->host->origin != g->origin);
}

bool
judgement_asks(const struct judgement *j, const struct leases *leases,
    const struct grant *g, const struct lease *lease)
{
	return lease->renamed || leads_elsewhere(j, &lease->target) ||
	       !is_whole(j, leases, g, lease->target);
}

bool
judgement_differs(
    const struct judgement *j, const struct leases *leases, const struct grant *g)
{
	const struct claim *c;

	if (j->host == NULL || judgement_renews(j, g))
		return true;
	LIST_FOREACH(c, &g->claims, in_grant)
	if (!judgement_keeps(j, g, &c->lease->target) ||
	    judgement_asks(j, leases, g, c->lease))
		return true;
	return false;
}
