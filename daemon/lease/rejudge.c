/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/rejudge.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/lease/claim.h"
#include "daemon/lease/judgement.h"
#include "daemon/lease/source.h"
#include "policy/registry/way.h"

static char *
grant_text(const struct grant *g, char *text)
{
	struct name name;

	name_from_wire(g->name, g->name_len, &name);
	return name_format(&name, text);
}

/* Is it the claim whose name stands in the kernel's comment? */
static bool
is_named(const struct claim *c)
{
	return LIST_NEXT(c, in_lease) == NULL;
}

/* Room to remember one more, before it is written: what is in the change and not known
 * here no registry would withdraw. */
static bool
make_room(struct rejudge *j)
{
	const size_t size = j->reserved_size != 0 ? j->reserved_size * 2 : 64;
	struct reserved *grown;

	if (j->reserved_len < j->reserved_size)
		return true;
	grown = reallocarray(j->reserved, size, sizeof(*grown));
	if (grown == NULL) {
		j->failed = true;
		return false;
	}
	j->reserved = grown;
	j->reserved_size = size;
	return true;
}

static void
remember(struct rejudge *j, struct lease *lease, int64_t end_ms)
{
	j->reserved[j->reserved_len++] =
	    (struct reserved){.lease = lease, .end_ms = end_ms};
}

/* The claim's lease under the claim's name. One that leads to another port is written
 * while a commit of it is still under way too: the change empties the kernel's map of
 * ports, which that may have filled already. Should the commit fail, the lease stands by
 * the change. */
static void
write_lease(struct rejudge *j, const struct claim *c, int64_t now_ms)
{
	struct lease *lease = c->lease;
	const bool early = lease->target.to != 0 && lease->pending > 0;
	const int64_t end_ms = early ? lease->asked_ms : lease->deadline_ms;
	char text[NAME_TEXT_MAX];

	lease->renamed = false;
	if (end_ms <= now_ms || (early && !make_room(j)))
		return;
	if (early) {
		lease->pending++; /* settled with the others */
		remember(j, lease, end_ms);
	}
	change_lease(j->change, &lease->pod->addr, &lease->target,
	    grant_text(c->grant, text), lease_ask(j->leases, lease, now_ms, end_ms));
}

/* The grant whose name the lease goes by now is to be looked at for it. */
static void
rename_lease(struct rejudge *j, struct lease *lease)
{
	struct claim *c;

	lease->renamed = true;
	j->renamed = true;
	if (j->forecast == NULL)
		return;
	LIST_FOREACH(c, &lease->claims, in_lease)
	if (is_named(c))
		forecast_add(j->forecast, c->grant);
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
		if (j->cut && source_is_pod(j->config, &pod))
			change_cut(j->change, &pod, &target);
		j->withdrawn++;
	} else if (named) {
		rename_lease(j, lease);
	}
}

/* Where it leads now. What several names claim leads as the one says that stands in the
 * kernel's comment. */
static void
lead(struct rejudge *j, struct claim *c, const struct registry_host *host)
{
	struct lease_target *t = &c->lease->target;
	const struct registry_port *port =
	    registry_port(host->ports, host->port_count, t->port, t->proto);

	/* which target gave it nobody knows; but they are all as they were */
	if (is_named(c) && !(way_differs(host) && !registry_lists(host, &t->addr)))
		t->to = way_port(host, port, &t->addr);
	j->led |= t->to != 0;
}

/* All that there is to say of it is in the forecast's withdrawal. */
static bool
is_going(const struct rejudge *j, const struct lease *lease)
{
	return j->forecast != NULL && lease->record != 0;
}

static void
withdraw_unlisted(struct rejudge *j, struct grant *g, const struct judgement *judgement)
{
	struct claim *next;

	for (struct claim *c = LIST_FIRST(&g->claims); c != NULL; c = next) {
		next = LIST_NEXT(c, in_grant);
		if (is_going(j, c->lease))
			continue;
		j->renamed |= c->lease->renamed;
		if (!judgement_keeps(judgement, g, &c->lease->target))
			withdraw(j, c);
		else
			lead(j, c, judgement->host);
	}
	if (judgement->host != NULL)
		g->origin = judgement->host->origin;
}

/* target at the address of a claim whose lease stands: for as long, and renewed for as
 * long. */
static void
add_target(struct rejudge *j, struct grant *g, const struct lease_target *target,
    const struct claim *like)
{
	const int64_t end_ms = like->lease->deadline_ms;
	char text[NAME_TEXT_MAX];
	struct lease *lease;
	bool renew;

	if (lease_check(j->leases, g, target, 0, NULL) != LEASE_SHORT)
		return;
	lease = make_room(j) ? lease_reserve(j->leases, g, target, &renew) : NULL;
	if (lease == NULL) {
		j->failed = true;
		return;
	}
	lease_need(j->leases, g, target, like->until_ms);
	change_lease(j->change, &g->pod->addr, target, grant_text(g, text),
	    lease_ask(j->leases, lease, j->now_ms, end_ms));
	remember(j, lease, end_ms);
	j->added++;
}

static void
add_listed(struct rejudge *j, struct grant *g, const struct registry_host *host)
{
	struct claim *c;

	/* claims that are added stand in front of the first one and are not walked */
	LIST_FOREACH(c, &g->claims, in_grant)
	{
		struct lease_target target = c->lease->target;

		if (is_going(j, c->lease) || c->lease->deadline_ms <= j->now_ms)
			continue;
		for (size_t i = 0; i < host->port_count; i++) {
			target.port = host->ports[i].number;
			target.proto = host->ports[i].proto;
			target.to = way_port(host, &host->ports[i], &target.addr);
			if (target.port != c->lease->target.port ||
			    target.proto != c->lease->target.proto)
				add_target(j, g, &target, c);
		}
	}
}

/* All of the grant's leases, or of those that stay the ones that lead to another port and
 * those whose name in the kernel was withdrawn and that another name still claims. */
static void
write_grant(struct rejudge *j, const struct grant *g, int64_t now_ms, bool all)
{
	struct claim *c;

	LIST_FOREACH(c, &g->claims, in_grant)
	if (is_named(c) && (all || (c->lease->record == 0 &&
				       (c->lease->renamed || c->lease->target.to != 0))))
		write_lease(j, c, now_ms);
}

static void
write_leases(struct rejudge *j, int64_t now_ms, bool all)
{
	struct grants *grants = leases_grants(j->leases);

	for (struct grant *g = grants_first(grants); g != NULL;
	     g = grants_next(grants, g))
		write_grant(j, g, now_ms, all);
}

/* After the withdrawals, since a lease that is both made and revoked in one change is
 * made. */
static void
write_again(struct rejudge *j)
{
	const struct grant *g;

	if (!j->renamed && !j->led)
		return;
	if (j->forecast == NULL) {
		write_leases(j, j->now_ms, false);
		return;
	}
	for (size_t i = 0; (g = forecast_grant(j->forecast, i)) != NULL; i++)
		write_grant(j, g, j->now_ms, false);
}

static void
judge(struct rejudge *j, struct grant *g)
{
	struct judgement judgement = judgement_of(j->registry, g);

	g->owner = g->owner == 0 ? judgement.owner : g->owner;
	if (!source_is_pod(j->config, &g->pod->addr))
		judgement.host = NULL;
	withdraw_unlisted(j, g, &judgement);
	if (judgement.host != NULL)
		add_listed(j, g, judgement.host);
}

static void
judge_all(struct rejudge *j)
{
	struct grant *next;

	for (struct grant *g = grants_first(leases_grants(j->leases)); g != NULL;
	     g = next) {
		next = grants_next(leases_grants(j->leases), g);
		lease_grant_hold(g);
		judge(j, g);
		lease_grant_release(j->leases, g);
	}
}

static void
judge_foreseen(struct rejudge *j)
{
	struct grant *g;

	for (size_t i = 0; (g = forecast_grant(j->forecast, i)) != NULL; i++)
		judge(j, g);
}

/* At the end, because the judging may have taken some of it back. */
static void
take_withdrawal(struct rejudge *j, struct withdrawal *w)
{
	j->withdrawn += w->len - w->taken_back;
	change_take(j->change, &w->revokes);
	change_take(j->change, &w->cuts);
}

void
rejudge_run(struct rejudge *j, struct leases *leases, const struct registry *registry,
    const struct config *config, struct forecast *forecast, bool cut,
    struct change *change, int64_t now_ms)
{
	*j = (struct rejudge){.leases = leases,
	    .registry = registry,
	    .config = config,
	    .change = change,
	    .cut = cut,
	    .now_ms = now_ms};
	if (forecast != NULL && forecast_is_whole(forecast))
		j->forecast = forecast;
	if (j->forecast != NULL)
		judge_foreseen(j);
	else
		judge_all(j);
	write_again(j);
	if (j->forecast != NULL)
		take_withdrawal(j, forecast_withdrawal(j->forecast));
	j->forecast = NULL;
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
rejudge_repeat(struct rejudge *j, int64_t now_ms)
{
	write_leases(j, now_ms, true);
}
