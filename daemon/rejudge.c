/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/rejudge.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/source.h"

static void
grant_name(const struct grant *g, struct name *ret_name)
{
	name_from_wire(g->name, g->name_len, ret_name);
}

static char *
grant_text(const struct grant *g, char *text)
{
	struct name name;

	grant_name(g, &name);
	return name_format(&name, text);
}

/* Is it the claim whose name stands in the kernel's comment? */
static bool
is_named(const struct claim *c)
{
	return LIST_NEXT(c, in_lease) == NULL;
}

/* The claim's lease under the claim's name. */
static void
write_lease(
    struct leases *leases, struct change *change, const struct claim *c, int64_t now_ms)
{
	struct lease *lease = c->lease;
	char text[NAME_TEXT_MAX];

	lease->renamed = false;
	if (lease->deadline_ms <= now_ms)
		return;
	change_lease(change, &lease->pod->addr, &lease->target,
	    grant_text(c->grant, text),
	    lease_ask(leases, lease, now_ms, lease->deadline_ms));
}

static bool
port_listed(const struct registry_host *host, const struct lease_target *t)
{
	return registry_port(host->ports, host->port_count, t->port, t->proto) != NULL;
}

static void
withdraw(struct rejudge *j, struct claim *c)
{
	struct lease *lease = c->lease;
	struct lease_target target = lease->target;
	struct addr pod = lease->pod->addr;
	bool named = is_named(c);

	if (lease_drop_claim(j->leases, c)) {
		change_revoke(j->change, &pod, &target);
		if (j->cut)
			change_cut(j->change, &pod, &target);
		j->withdrawn++;
	} else if (named) {
		lease->renamed = true;
		j->renamed = true;
	}
}

/* May the host's name still have given this address? Which of a host's endpoints gave it
 * nobody knows: when they are others now, only what is listed is beyond doubt. */
static bool
may_stay(const struct rejudge *j, const struct grant *g, const struct registry_host *host,
    const struct addr *addr)
{
	if (host->origin != g->origin && !registry_lists(host, addr))
		return false;
	return registry_permits(j->registry, host, addr);
}

static void
withdraw_unlisted(struct rejudge *j, struct grant *g, const struct registry_host *host)
{
	struct claim *next;

	for (struct claim *c = LIST_FIRST(&g->claims); c != NULL; c = next) {
		const struct lease_target *t = &c->lease->target;

		j->renamed |= c->lease->renamed;
		next = LIST_NEXT(c, in_grant);
		if (host == NULL || !port_listed(host, t) ||
		    !may_stay(j, g, host, &t->addr))
			withdraw(j, c);
	}
	if (host != NULL)
		g->origin = host->origin;
}

static void
remember(struct rejudge *j, struct lease *lease, int64_t end_ms)
{
	if (j->reserved_len == j->reserved_size) {
		size_t size = j->reserved_size != 0 ? j->reserved_size * 2 : 64;
		struct reserved *grown = reallocarray(j->reserved, size, sizeof(*grown));

		if (grown == NULL) {
			lease_settle(j->leases, lease, false, 0);
			j->failed = true;
			return;
		}
		j->reserved = grown;
		j->reserved_size = size;
	}
	j->reserved[j->reserved_len++] =
	    (struct reserved){.lease = lease, .end_ms = end_ms};
	j->added++;
}

/* target at the address of a lease that stands until end_ms. */
static void
add_target(
    struct rejudge *j, struct grant *g, const struct lease_target *target, int64_t end_ms)
{
	char text[NAME_TEXT_MAX];
	struct lease *lease;
	bool renew;

	if (lease_check(j->leases, g, target, 0) != LEASE_SHORT)
		return;
	lease = lease_reserve(j->leases, g, target, &renew);
	if (lease == NULL) {
		j->failed = true;
		return;
	}
	change_lease(j->change, &g->pod->addr, target, grant_text(g, text),
	    lease_ask(j->leases, lease, j->now_ms, end_ms));
	remember(j, lease, end_ms);
}

static void
add_listed(struct rejudge *j, struct grant *g, const struct registry_host *host)
{
	struct claim *c;

	/* claims that are added stand in front of the first one and are not walked */
	LIST_FOREACH(c, &g->claims, in_grant)
	{
		struct lease_target target = c->lease->target;
		int64_t end_ms = c->lease->deadline_ms;

		if (end_ms <= j->now_ms)
			continue;
		for (size_t i = 0; i < host->port_count; i++) {
			target.port = host->ports[i].number;
			target.proto = host->ports[i].proto;
			if (target.port != c->lease->target.port ||
			    target.proto != c->lease->target.proto)
				add_target(j, g, &target, end_ms);
		}
	}
}

/* All leases, or those whose name in the kernel was withdrawn and that another name
 * still claims. After the withdrawals, since a lease that is both made and revoked in one
 * change is made. */
static void
write_leases(struct leases *leases, struct change *change, int64_t now_ms, bool all)
{
	for (struct grant *g = leases_first_grant(leases); g != NULL;
	     g = leases_next_grant(leases, g)) {
		struct claim *c;

		LIST_FOREACH(c, &g->claims, in_grant)
		if (is_named(c) && (all || c->lease->renamed))
			write_lease(leases, change, c, now_ms);
	}
}

/* What the registry says to the grant's name now; NULL: nothing, or to another pod. */
static const struct registry_host *
judge(const struct registry *registry, struct grant *g)
{
	const struct workload *w = registry_workload(registry, &g->pod->addr);
	const uint64_t owner = source_identity(w);
	struct verdict verdict;
	struct name name;

	if (g->owner != 0 && g->owner != owner)
		return NULL;
	g->owner = owner;
	grant_name(g, &name);
	registry_judge(registry, w, &name, &verdict);
	return verdict.kind == VERDICT_HOST ? verdict.host : NULL;
}

void
rejudge_run(struct rejudge *j, struct leases *leases, const struct registry *registry,
    bool cut, struct change *change, int64_t now_ms)
{
	struct grant *next;

	*j = (struct rejudge){.leases = leases,
	    .registry = registry,
	    .change = change,
	    .cut = cut,
	    .now_ms = now_ms};
	for (struct grant *g = leases_first_grant(leases); g != NULL; g = next) {
		const struct registry_host *host;

		next = leases_next_grant(leases, g);
		lease_grant_hold(g);
		host = judge(registry, g);
		withdraw_unlisted(j, g, host);
		if (host != NULL)
			add_listed(j, g, host);
		lease_grant_release(leases, g);
	}
	if (j->renamed)
		write_leases(leases, change, now_ms, false);
}

void
rejudge_settle(struct rejudge *j, bool committed)
{
	for (size_t i = 0; i < j->reserved_len; i++)
		lease_settle(
		    j->leases, j->reserved[i].lease, committed, j->reserved[i].end_ms);
	free(j->reserved);
	j->reserved = NULL;
	j->reserved_len = j->reserved_size = 0;
}

void
rejudge_repeat(struct leases *leases, struct change *change, int64_t now_ms)
{
	write_leases(leases, change, now_ms, true);
}
