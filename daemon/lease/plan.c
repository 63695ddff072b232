/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/plan.h"

#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/ruleset.h"
#include "policy/registry/way.h"

uint32_t
plan_cap_s(const struct config *cfg)
{
	return MIN_OF(cfg->lease_cap_s, ENFORCER_TIMEOUT_MAX_MS / 1000 - 1);
}

static void
drop_behind(struct leases *leases, struct commit_request *request, size_t len)
{
	while (request->len > len)
		lease_settle(leases, request->leases[--request->len], false, 0);
}

/* One address on one port. False: a limit forbids it. */
static bool
cover_target(const struct plan *p, struct grant *grant, const struct lease_target *target,
    int64_t until_ms, struct commit_request *request)
{
	enum lease_cover have =
	    lease_check(p->leases, grant, target, until_ms, &request->least_ms);
	struct lease *lease;

	if (have == LEASE_COVERED)
		return true;
	if (have == LEASE_FULL || !p->reserve || request->len == ENFORCER_LEASES_MAX)
		return false;
	lease = lease_reserve(p->leases, grant, target, &request->renew[request->len]);
	if (lease == NULL)
		return false;
	request->leases[request->len++] = lease;
	return true;
}

/* Open without a lease, as everything that such a zone answers. */
static bool
is_internal(const struct plan *p, const struct addr *addr)
{
	return p->host->in_zone && !p->switching &&
	       prefixes_contain(p->config->internal, p->config->internal_count, addr);
}

/* By itself: a range does not open the metadata address that it holds. */
static bool
is_listed(const struct plan *p, const struct addr *addr)
{
	for (size_t i = 0; i < p->host->address_count && !p->switching; i++)
		if (p->host->addresses[i].len == addr_len(addr) * 8 &&
		    addr_equal(&p->host->addresses[i].addr, addr))
			return true;
	return false;
}

/* Where the port leads at address i of the answer. */
static uint16_t
port_to(const struct plan *p, size_t i, const struct registry_port *port)
{
	if (p->from != NULL && p->from[i] != 0 && p->from[i] <= p->host->target_count)
		return way_target_port(&p->host->targets[p->from[i] - 1], port);
	return way_port(p->host, port, &p->answer->addresses[i].addr);
}

/* Address k of the answer on all ports, or not at all. */
static bool
cover(const struct plan *p, struct grant *grant, size_t k, int64_t until_ms,
    struct commit_request *request)
{
	const struct addr *addr = &p->answer->addresses[k].addr;
	size_t before = request->len;

	/* no lease opens it (daemon/enforcer/bounds.h), an entry's addresses do */
	if (ruleset_is_metadata(addr))
		return is_listed(p, addr);
	if (is_internal(p, addr))
		return true;
	for (size_t i = 0; i < p->host->port_count; i++) {
		struct lease_target target = {
		    .addr = *addr,
		    .port = p->host->ports[i].number,
		    .proto = p->host->ports[i].proto,
		    .to = port_to(p, k, &p->host->ports[i]),
		};

		if (!cover_target(p, grant, &target, until_ms, request)) {
			drop_behind(p->leases, request, before);
			return false;
		}
	}
	return true;
}

/* Where the name's claims of a pod's address go; NULL when there is no such address, or
 * no memory. */
static struct grant *
open_grant(const struct plan *p, const struct addr *pod)
{
	struct grant *grant;

	if (pod == NULL || pod->family == 0)
		return NULL;
	grant = lease_grant(p->leases, pod, p->name);
	if (grant != NULL && grant->len == 0) {
		/* else what is there and came otherwise stays recognizable */
		grant->owner = p->owner;
		grant->origin = p->host->origin;
	}
	return grant;
}

void
plan_make(
    const struct plan *p, int64_t now_ms, uint64_t *keep, struct commit_request *request)
{
	const struct config *cfg = p->config;
	int64_t until_ms = now_ms + ((int64_t)p->ttl_s + cfg->lease_grace_s) * 1000;
	struct grant *grants[2] = {open_grant(p, p->pod), open_grant(p, p->other)};

	request->len = 0;
	request->least_ms = INT64_MAX;
	request->name = p->name;
	/* a second more, because a TTL that counts down is rounded up */
	request->timeout_ms =
	    (MAX_OF(p->ttl_s, cfg->lease_floor_s) + cfg->lease_grace_s + 1) * 1000;
	for (size_t i = 0; i < p->answer->address_count; i++) {
		const struct addr *addr = &p->answer->addresses[i].addr;
		struct grant *grant =
		    addr->family == p->pod->family ? grants[0] : grants[1];
		uint64_t bit = UINT64_C(1) << i;

		if ((*keep & bit) != 0 &&
		    (grant == NULL || !cover(p, grant, i, until_ms, request)))
			*keep &= ~bit;
	}
	for (size_t i = 0; i < ARRAY_LEN(grants); i++)
		if (grants[i] != NULL)
			lease_grant_release(p->leases, grants[i]);
}

void
plan_drop(struct leases *leases, struct commit_request *request)
{
	drop_behind(leases, request, 0);
}
