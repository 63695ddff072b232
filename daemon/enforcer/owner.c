/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/owner.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/enforcer/alive.h"
#include "daemon/enforcer/bounds.h"
#include "daemon/enforcer/cut.h"
#include "daemon/enforcer/element.h"
#include "daemon/enforcer/element_dump.h"
#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/making.h"
#include "daemon/enforcer/monitor.h"
#include "daemon/enforcer/netlink.h"
#include "daemon/enforcer/refused.h"
#include "daemon/enforcer/round.h"
#include "daemon/enforcer/transaction.h"
#include "daemon/enforcer/translation.h"

/* So many times as long as a look at all flows took, there is none. */
#define LOOK_REST 100

struct owner {
	owner_say_fn say;
	void *ctx;
	int64_t (*now_ms)(void);
	struct netlink nl;
	int monitor; /* -1: nobody else can change the table, or it is not there yet */
	bool owned;  /* nobody else can, by the flags of the table that was made */
	bool ready;  /* the table has been made, and not been lost since */
	bool made;   /* the table was made by us */
	bool counted_on; /* the loop knows of leases in it: by that, or by a dump */
	bool lost;       /* LOST was said, and no table made since */
	bool without_log;
	struct interceptor_alone alone;
	int64_t look_ms; /* from when on its flows may be looked at again */
	uint32_t timeout_max_ms;
	uint32_t services; /* that the table has */
	bool enforces;
	struct prefix *pods;
	size_t pod_count;
	struct transaction transaction;
	struct round round;
	struct refused refused;
	struct cut cut;
	struct alive alive;
	struct enforcer_message out;
};

int
owner_new(owner_say_fn say, void *ctx, int64_t (*now_ms)(void), struct owner **ret_owner)
{
	struct owner *o = calloc(1, sizeof(*o));
	int r;

	if (o == NULL)
		return -ENOMEM;
	o->say = say;
	o->ctx = ctx;
	o->now_ms = now_ms;
	o->monitor = -1;
	transaction_init(&o->transaction);
	refused_init(&o->refused, say, ctx);
	cut_init(&o->cut, say, ctx);
	alive_init(&o->alive, say, ctx);
	r = netlink_open(&o->nl);
	if (r < 0) {
		free(o);
		return r;
	}
	*ret_owner = o;
	return 0;
}

void
owner_free(struct owner *o)
{
	if (o == NULL)
		return;
	if (o->monitor >= 0)
		(void)close(o->monitor); /* only read from */
	transaction_done(&o->transaction);
	refused_done(&o->refused);
	cut_done(&o->cut);
	alive_done(&o->alive);
	netlink_close(&o->nl);
	free(o->pods);
	free(o);
}

/* A message without records. */
static void
say(struct owner *o, enum enforcer_kind kind, uint32_t id, int result)
{
	memset(&o->out, 0, offsetof(struct enforcer_message, body));
	o->out.kind = (uint16_t)kind;
	o->out.id = id;
	o->out.result = result;
	o->say(o->ctx, &o->out);
}

static void
say_lost(struct owner *o)
{
	o->ready = false;
	if (o->lost)
		return;
	o->lost = true;
	say(o, ENFORCER_LOST, 0, 0);
}

void
owner_flush(struct owner *o)
{
	bool gone = false;

	if (o->round.count == 0)
		return;
	round_commit(&o->round, &o->nl, o->now_ms);
	for (size_t i = 0; i < o->round.count; i++) {
		const struct round_request *request = &o->round.requests[i];

		say(o, ENFORCER_RESULT, request->message->id, request->result);
		gone |= request->result == -ENOENT;
	}
	o->round.count = 0;
	if (gone)
		say_lost(o);
}

static bool
leases_ok(const struct owner *o, const struct enforcer_message *m)
{
	if (!bounds_name(m->name))
		return false;
	for (size_t i = 0; i < m->count; i++)
		if (!bounds_lease(
			&m->body.leases[i], o->pods, o->pod_count, o->timeout_max_ms))
			return false;
	return true;
}

static void
take_leases(struct owner *o, const struct enforcer_message *m)
{
	int r = 0;

	if (!o->ready)
		r = -ENOENT;
	else if (!leases_ok(o, m))
		r = -EPERM;
	if (r == 0) {
		o->round.requests[o->round.count++].message = m;
		if (o->round.count == ROUND_MAX)
			owner_flush(o);
		return;
	}
	owner_flush(o); /* results are in order */
	say(o, ENFORCER_RESULT, m->id, r);
}

/* Watch as long as the flags of the table do not keep everybody else away. Before the
 * commit, so that nothing is missed between. Only then: where somebody listens, the
 * kernel makes a message of each element that changes, whether or not he hears it, which
 * is two thirds of the time that many of them take. */
static int
watch(struct owner *o)
{
	if (o->owned && o->transaction.table.own)
		return 0;
	if (o->monitor >= 0) {
		/* rules are made anew, leases are not */
		if (monitor_read(o->monitor) && o->made)
			say_lost(o);
		return 0;
	}
	return monitor_open(o->nl.port, &o->monitor);
}

static int
unwatch_owned(struct owner *o)
{
	struct layout_found found;

	o->owned = layout_find(&o->nl, &found) == 0 && layout_is_owned(&o->nl, &found);
	if (!o->owned)
		return o->monitor < 0 ? monitor_open(o->nl.port, &o->monitor) : 0;
	if (o->monitor >= 0)
		(void)close(o->monitor); /* only read from */
	o->monitor = -1;
	return 0;
}

/* Bring the kernel's table to what the transaction says; ret_anew: leases of a table that
 * was there, or should have been, are not in it. */
static int
make_table(struct owner *o, struct making *making, bool *ret_anew)
{
	int r = watch(o);

	making->log = !o->without_log;
	making->alone = &o->alone;
	if (r == 0)
		r = making_run(&o->nl, &o->transaction, making);
	if (r < 0)
		return r;
	o->without_log = !making->log;
	*ret_anew = o->transaction.table.adopt &&
		    (making->existed ? !making->whole : o->counted_on);
	return unwatch_owned(o);
}

/* From now on requests are measured by what this transaction said. */
static int
copy_bounds(const struct transaction *t, struct prefix **ret_pods, size_t *ret_count,
    uint32_t *ret_services)
{
	const struct ruleset rs = transaction_ruleset(t);
	struct prefix *pods = calloc(rs.pod_count + 1, sizeof(*pods));

	if (pods == NULL)
		return -ENOMEM;
	if (rs.pod_count != 0)
		memcpy(pods, rs.pods, rs.pod_count * sizeof(*pods));
	*ret_pods = pods;
	*ret_count = rs.pod_count;
	*ret_services = translation_services(&rs);
	return 0;
}

/* Hear of what this table refuses. */
static void
listen_refused(struct owner *o, const struct enforcer_table *table)
{
	if (!table->enforce)
		refused_stop(&o->refused);
	else if (o->without_log)
		refused_without(&o->refused, -EOPNOTSUPP);
	else
		refused_listen(&o->refused, table->log_group);
}

/* Of the flows that this transaction leaves without a reason; unfinished: and an earlier
 * one, of the owner before us. */
static void
begin_cut(struct owner *o, bool unfinished)
{
	const struct ruleset rs = transaction_ruleset(&o->transaction);
	size_t count;

	if (unfinished)
		transaction_cut_pods(&o->transaction);
	const struct enforcer_cut *cuts = transaction_cuts(&o->transaction, &count);

	cut_begin(&o->cut, cuts, count, &rs);
}

/* What is no part of the fence waits until it stands. */
static void
settle(struct owner *o)
{
	const int64_t begun_ms = o->now_ms();
	bool look = begun_ms >= o->look_ms;

	making_settle(&o->nl, &o->transaction, &o->alone, &look);
	if (look)
		o->look_ms = o->now_ms() + LOOK_REST * (o->now_ms() - begun_ms);
}

static void
take_end(struct owner *o)
{
	struct transaction *t = &o->transaction;
	struct prefix *pods = NULL;
	size_t pod_count = 0;
	struct making making = {0};
	uint32_t services = 0;
	bool unfinished, anew = false;
	int r = transaction_end(t);

	if (r == 0)
		r = copy_bounds(t, &pods, &pod_count, &services);
	if (r == 0)
		r = make_table(o, &making, &anew);
	unfinished = making.unfinished && !o->made;
	if (r == 0) {
		free(o->pods);
		o->pods = pods;
		o->pod_count = pod_count;
		o->timeout_max_ms = t->table.timeout_max_ms;
		o->services = services;
		o->enforces = t->table.enforce;
		if (anew)
			say_lost(o);
		o->made = o->counted_on = o->ready = true;
		o->lost = false;
	} else {
		free(pods);
	}
	say(o, ENFORCER_RESULT, t->id, r);
	if (r == 0) {
		listen_refused(o, &t->table);
		begin_cut(o, unfinished);
		settle(o);
	}
	transaction_clear(t);
}

/* Leases of one name that follow one another go into one message. */
static void
flush_dump(struct owner *o)
{
	if (o->out.count != 0)
		o->say(o->ctx, &o->out);
	o->out.count = 0;
}

static int
dump_lease(void *ctx, const struct enforcer_lease *lease, const char *name)
{
	struct owner *o = ctx;

	if (o->out.count == ENFORCER_LEASES_MAX || strcmp(o->out.name, name) != 0)
		flush_dump(o);
	if (o->out.count == 0)
		memcpy(o->out.name, name, strlen(name) + 1);
	o->out.body.leases[o->out.count++] = *lease;
	return 0;
}

static int
dump_all(struct owner *o)
{
	struct layout_found found;
	const struct element_form *form;
	int r = layout_find(&o->nl, &found);

	if (r < 0)
		return r;
	if (found.version > LAYOUT_VERSION)
		return -EPROTONOSUPPORT;
	form = element_form_of(found.version);
	return found.exists && form != NULL
		   ? element_dump_all(&o->nl, form, form->leases, dump_lease, o)
		   : -ENOENT;
}

static void
take_dump(struct owner *o, uint32_t id)
{
	int r;

	memset(&o->out, 0, offsetof(struct enforcer_message, body));
	o->out.kind = ENFORCER_LEASES;
	o->out.id = id;
	r = dump_all(o);
	o->counted_on |= r == 0;
	flush_dump(o);
	say(o, ENFORCER_RESULT, id, r);
}

static void
take_lead(struct owner *o, const struct enforcer_message *m)
{
	const struct enforcer_way *ways = m->body.ways;
	const bool ready = o->ready;
	int r = ready ? 0 : -ENOENT;

	if (r == 0 && !bounds_lead(ways, m->count, o->services))
		r = -EPERM;
	if (r == 0) {
		netlink_begin(&o->nl);
		translation_lead(
		    &o->nl, o->enforces, ways->service, ways + 1, m->count - 1u);
		r = netlink_commit(&o->nl, NULL);
	}
	say(o, ENFORCER_RESULT, m->id, r);
	if (r == -ENOENT && ready)
		say_lost(o);
}

static int
take_live(struct owner *o, const struct enforcer_message *m)
{
	int r = o->ready ? 0 : -ENOENT;

	for (size_t i = 0; i < m->count && r == 0; i++)
		if (!bounds_live(&m->body.live[i], o->pods, o->pod_count))
			r = -EPERM;
	return alive_ask(&o->alive, m, r);
}

/* Inside of a table transaction everything has its id. */
static int
take_inside(struct owner *o, const struct enforcer_message *m)
{
	if (m->id != o->transaction.id || m->kind == ENFORCER_TABLE ||
	    m->kind == ENFORCER_DUMP || m->kind == ENFORCER_LIVE ||
	    m->kind == ENFORCER_LEAD)
		return -EPROTO;
	if (m->kind == ENFORCER_END)
		take_end(o);
	else
		transaction_add(&o->transaction, m);
	return 0;
}

int
owner_take(struct owner *o, const struct enforcer_message *m)
{
	if (m->kind == ENFORCER_RESULT || m->kind == ENFORCER_LOST ||
	    m->kind == ENFORCER_REFUSED || m->kind == ENFORCER_FLOWS)
		return -EPROTO;
	if (o->transaction.open)
		return take_inside(o, m);
	if (m->kind == ENFORCER_LEASES) {
		take_leases(o, m);
		return 0;
	}
	if (m->kind == ENFORCER_LIVE)
		return take_live(o, m);
	owner_flush(o);
	if (m->kind == ENFORCER_TABLE)
		transaction_begin(&o->transaction, m);
	else if (m->kind == ENFORCER_DUMP)
		take_dump(o, m->id);
	else if (m->kind == ENFORCER_LEAD)
		take_lead(o, m);
	else
		return -EPROTO;
	return 0;
}

int
owner_watch_fd(const struct owner *o)
{
	return o->monitor;
}

void
owner_watch(struct owner *o)
{
	if (o->monitor >= 0 && monitor_read(o->monitor) && o->made)
		say_lost(o);
}

int
owner_cut_fd(const struct owner *o)
{
	return cut_fd(&o->cut);
}

void
owner_cut(struct owner *o)
{
	cut_work(&o->cut, &o->nl);
}

int
owner_live_fd(const struct owner *o)
{
	return alive_fd(&o->alive);
}

void
owner_live(struct owner *o)
{
	alive_work(&o->alive);
}

int
owner_refused_fd(const struct owner *o)
{
	return refused_fd(&o->refused);
}

int
owner_refused_wait_ms(const struct owner *o)
{
	int64_t until_ms, left_ms;

	if (!refused_is_due(&o->refused, &until_ms))
		return -1;
	left_ms = until_ms - o->now_ms();
	return left_ms > 0 ? (int)MIN_OF(left_ms, TALLY_PERIOD_MS) : 0;
}

void
owner_refused(struct owner *o, bool readable)
{
	if (readable || owner_refused_wait_ms(o) == 0)
		refused_work(&o->refused, o->now_ms());
}
