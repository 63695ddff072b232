/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/cut.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/enforcer/element.h"
#include "daemon/enforcer/element_dump.h"
#include "daemon/enforcer/transaction.h"

void
cut_init(struct cut *c, cut_say_fn say, void *ctx)
{
	memset(c, 0, sizeof(*c));
	c->say = say;
	c->ctx = ctx;
	c->conntrack = (struct conntrack){.fd = -1, .other = -1};
	c->out.kind = ENFORCER_FLOWS;
	buf_init(&c->records, TRANSACTION_CUTS_MAX * sizeof(struct enforcer_cut));
}

/* What a pass has been given; nothing is left of it but its counts. */
static void
forget(struct cut *c)
{
	conntrack_close(&c->conntrack);
	allowed_done(&c->allowed);
	free(c->exact);
	free(c->ranges[0]);
	free(c->ranges[1]);
	c->exact = NULL;
	c->ranges[0] = c->ranges[1] = NULL;
	c->exact_count = c->range_count[0] = c->range_count[1] = 0;
	c->found_count = 0;
	c->working = false;
}

void
cut_done(struct cut *c)
{
	forget(c);
	buf_done(&c->records);
}

/* The pass has ended. */
static void
finish(struct cut *c, int result)
{
	forget(c);
	buf_done(&c->records); /* a large one is rare: its memory goes back */
	buf_init(&c->records, TRANSACTION_CUTS_MAX * sizeof(struct enforcer_cut));
	c->out.result = result;
	c->say(c->ctx, &c->out);
	c->out.packets = c->out.lost = 0;
	c->out.result = 0;
}

static int
compare_records(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct enforcer_cut));
}

/* Sort the records into those with a destination and those without. */
static int
index_records(struct cut *c)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	const struct enforcer_cut *list = (const void *)c->records.bytes;
	const size_t count = c->records.len / sizeof(*list);
	struct prefix *pods = calloc(count + 1, sizeof(*pods));
	size_t pod_count = 0;
	int r = 0;

	c->exact = calloc(count + 1, sizeof(*c->exact));
	if (c->exact == NULL || pods == NULL)
		r = -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++) {
		if (list[i].destination.family != 0)
			c->exact[c->exact_count++] = list[i];
		else
			pods[pod_count++] = list[i].pods;
	}
	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0; i++)
		r = cover_ranges(
		    pods, pod_count, families[i], &c->ranges[i], &c->range_count[i]);
	if (r == 0)
		qsort(c->exact, c->exact_count, sizeof(*c->exact), compare_records);
	free(pods);
	return r;
}

/* Matches no packet: none has these addresses. */
static struct element
mark_of(struct enforcer_lease *lease)
{
	*lease =
	    (struct enforcer_lease){.pod.family = AF_INET, .destination.family = AF_INET};
	return (struct element){.lease = lease, .name = "unfinished"};
}

bool
cut_is_marked(struct netlink *nl)
{
	struct enforcer_lease lease;
	const struct element mark = mark_of(&lease);

	return element_is_in(nl, element_form_present()->cuts[0], mark.lease);
}

void
cut_mark(struct netlink *nl)
{
	struct enforcer_lease lease;
	const struct element mark = mark_of(&lease);

	element_put_cuts(nl, &mark, 1);
}

void
cut_unmark(struct netlink *nl)
{
	struct enforcer_lease lease;
	const struct element mark = mark_of(&lease);

	netlink_begin(nl);
	element_drop_cuts(nl, &mark, 1);
	/* one that stays costs the next process a pass */
	if (netlink_commit(nl, NULL) < 0)
		return;
}

void
cut_begin(struct cut *c, const struct enforcer_cut *list, size_t count,
    const struct ruleset *rs)
{
	int r = 0;

	if (count == 0 && !c->working)
		return;
	forget(c);
	if (count != 0)
		buf_append(&c->records, list, count * sizeof(*list));
	/* above the limit or out of memory: the older ones stay */
	if (c->records.failed)
		r = -ENOMEM;
	if (r == 0)
		r = index_records(c);
	if (r == 0)
		r = allowed_init(&c->allowed, rs);
	if (r == 0)
		r = conntrack_open(&c->conntrack);
	if (r == 0)
		r = conntrack_ask(&c->conntrack, AF_INET);
	c->working = true;
	if (r < 0)
		finish(c, r);
}

int
cut_fd(const struct cut *c)
{
	return c->working ? c->conntrack.fd : -1;
}

static bool
is_named(const struct cut *c, const struct conntrack_flow *flow)
{
	const size_t family = flow->source.family == AF_INET6;
	struct enforcer_cut key;

	if (allowed_in_ranges(c->ranges[family], c->range_count[family], &flow->source))
		return true;
	memset(&key, 0, sizeof(key));
	key.pods = (struct prefix){
	    .addr = flow->source, .len = (uint8_t)(addr_len(&flow->source) * 8)};
	key.destination = flow->destination;
	key.port = flow->port;
	key.proto = flow->proto;
	return bsearch(&key, c->exact, c->exact_count, sizeof(key), compare_records) !=
	       NULL;
}

static struct enforcer_lease
lease_of(const struct conntrack_flow *flow)
{
	return (struct enforcer_lease){
	    .pod = flow->source,
	    .destination = flow->destination,
	    .port = flow->port,
	    .proto = flow->proto,
	};
}

static bool
has_lease(struct netlink *nl, const struct conntrack_flow *flow)
{
	const struct enforcer_lease lease = lease_of(flow);

	return flow->port != 0 && element_is_leased(nl, &lease);
}

/* So that what the other end still sends does not make them flows again. */
static int
refuse_replies(struct cut *c, struct netlink *nl)
{
	struct enforcer_lease leases[CUT_ROUND];
	struct element list[CUT_ROUND];
	size_t count = 0;

	for (size_t i = 0; i < c->found_count; i++) {
		if (c->found[i].port == 0)
			continue;
		leases[count] = lease_of(&c->found[i]);
		list[count] = (struct element){
		    .lease = &leases[count], .name = "", .timeout_ms = CUT_TIMEOUT_MS};
		count++;
	}
	if (count == 0)
		return 0;
	netlink_begin(nl);
	element_put_cuts(nl, list, element_merge(list, count));
	return netlink_commit(nl, NULL);
}

/* Cut what has been found. */
static int
cut_found(struct cut *c, struct netlink *nl)
{
	size_t count = 0;
	int result, r;

	for (size_t i = 0; i < c->found_count; i++)
		if (!has_lease(nl, &c->found[i]))
			c->found[count++] = c->found[i];
	c->found_count = count;
	result = refuse_replies(c, nl);
	for (size_t i = 0; i < count; i++) {
		r = conntrack_delete(&c->conntrack, &c->found[i]);
		if (r == 0)
			c->out.packets++;
		else if (r != -ENOENT)
			c->out.lost++;
	}
	c->found_count = 0;
	return result;
}

/* What one piece is worked on with. */
struct piece {
	struct cut *cut;
	struct netlink *nl;
	int result;
};

static void
on_flow(void *ctx, const struct conntrack_flow *flow)
{
	struct piece *p = ctx;
	struct cut *c = p->cut;
	int r;

	if (!is_named(c, flow) || allowed_has(&c->allowed, flow))
		return;
	c->found[c->found_count++] = *flow;
	if (c->found_count < CUT_ROUND)
		return;
	r = cut_found(c, p->nl);
	if (p->result == 0)
		p->result = r;
}

void
cut_work(struct cut *c, struct netlink *nl)
{
	struct piece piece = {.cut = c, .nl = nl};
	int r, end;

	if (!c->working)
		return;
	end = conntrack_read(&c->conntrack, on_flow, &piece);
	if (end == -EAGAIN)
		return;
	r = cut_found(c, nl);
	/* what fails for one flow is told, and the others are looked at */
	if (c->out.result == 0)
		c->out.result = piece.result < 0 ? piece.result : r;
	if (end > 0 && c->conntrack.family == AF_INET)
		end = conntrack_ask(&c->conntrack, AF_INET6);
	if (end > 0 && c->out.result == 0)
		cut_unmark(nl);
	if (end != 0)
		finish(c, end < 0 ? end : c->out.result);
}
