/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/transaction.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/enforcer/bounds.h"

/* What an element is made with that is deleted at once. */
#define REVOKE_TIMEOUT_MS (60 * 1000)

void
transaction_init(struct transaction *t)
{
	*t = (struct transaction){0};
	buf_init(&t->interfaces, (size_t)TRANSACTION_INTERFACES_MAX * IFNAMSIZ);
	buf_init(&t->pods, TRANSACTION_RANGES_MAX * sizeof(struct prefix));
	buf_init(&t->internal, TRANSACTION_RANGES_MAX * sizeof(struct prefix));
	buf_init(&t->listen, TRANSACTION_RANGES_MAX * sizeof(struct endpoint));
	buf_init(&t->fixed, TRANSACTION_FIXED_MAX * sizeof(struct enforcer_fixed));
	buf_init(&t->ways, TRANSACTION_WAYS_MAX * sizeof(struct enforcer_way));
	buf_init(&t->open_pods, TRANSACTION_OPEN_MAX * sizeof(struct addr));
	buf_init(&t->cuts, TRANSACTION_CUTS_MAX * sizeof(struct enforcer_cut));
	lease_list_init(&t->grants);
	lease_list_init(&t->revokes);
}

void
transaction_done(struct transaction *t)
{
	struct buf *all[] = {&t->interfaces, &t->pods, &t->internal, &t->listen,
	    &t->fixed, &t->ways, &t->open_pods, &t->cuts};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		buf_done(all[i]);
	lease_list_done(&t->grants);
	lease_list_done(&t->revokes);
}

void
transaction_clear(struct transaction *t)
{
	/* a large transaction is rare: its memory goes back */
	transaction_done(t);
	transaction_init(t);
}

static void
refuse(struct transaction *t)
{
	if (t->error == 0)
		t->error = -EPERM;
}

void
transaction_begin(struct transaction *t, const struct enforcer_message *m)
{
	assert(!t->open);
	t->open = true;
	t->id = m->id;
	t->table = m->body.table;
	if (!bounds_table(&t->table))
		refuse(t);
}

static bool
listen_ok(const void *record)
{
	return bounds_listen(record);
}

static bool
prefix_ok(const void *record)
{
	return bounds_prefix(record);
}

static bool
pattern_ok(const void *record)
{
	return bounds_pattern(record);
}

static bool
fixed_ok(const void *record)
{
	return bounds_fixed(record);
}

static bool
way_ok(const void *record)
{
	return bounds_way(record);
}

static bool
addr_ok(const void *record)
{
	return bounds_addr(record);
}

/* Records of a list, each looked at. */
static void
add_list(struct transaction *t, struct buf *b, const void *records, size_t count,
    size_t size, bool (*ok)(const void *record))
{
	const char *record = records;

	for (size_t i = 0; i < count; i++)
		if (!ok(record + i * size))
			refuse(t);
	buf_append(b, records, count * size);
}

/* Nothing but zeros: it was to be said, and then was not. */
static bool
is_taken_back(const void *record, size_t size)
{
	static const char
	    zeros[sizeof(struct enforcer_lease) + sizeof(struct enforcer_cut)];

	return memcmp(record, zeros, size) == 0;
}

/* They are looked at when all pods are there. */
static void
add_cuts(struct transaction *t, const struct enforcer_message *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (!is_taken_back(&m->body.cuts[i], sizeof(m->body.cuts[i])))
			buf_append(&t->cuts, &m->body.cuts[i], sizeof(m->body.cuts[i]));
}

static void
add_leases(
    struct transaction *t, struct lease_list *list, const struct enforcer_message *m)
{
	const bool named = m->kind == ENFORCER_LEASES;

	if (named && !bounds_name(m->name)) {
		refuse(t);
		return;
	}
	for (size_t i = 0; i < m->count; i++) {
		if (!named &&
		    is_taken_back(&m->body.leases[i], sizeof(m->body.leases[i])))
			continue;
		if (!(named ? bounds_key : bounds_revoke)(&m->body.leases[i]))
			refuse(t);
		lease_list_add(list, &m->body.leases[i], named ? m->name : "");
	}
}

void
transaction_add(struct transaction *t, const struct enforcer_message *m)
{
	assert(t->open);
	if (t->error != 0)
		return;
	switch ((enum enforcer_kind)m->kind) {
	case ENFORCER_LEASES:
		add_leases(t, &t->grants, m);
		break;
	case ENFORCER_REVOKE:
		add_leases(t, &t->revokes, m);
		break;
	case ENFORCER_INTERFACES:
		add_list(t, &t->interfaces, m->body.interfaces, m->count, IFNAMSIZ,
		    pattern_ok);
		break;
	case ENFORCER_PODS:
		add_list(t, &t->pods, m->body.ranges, m->count, sizeof(struct prefix),
		    prefix_ok);
		break;
	case ENFORCER_INTERNAL:
		add_list(t, &t->internal, m->body.ranges, m->count, sizeof(struct prefix),
		    prefix_ok);
		break;
	case ENFORCER_LISTEN:
		add_list(t, &t->listen, m->body.listen, m->count, sizeof(struct endpoint),
		    listen_ok);
		break;
	case ENFORCER_FIXED:
		add_list(t, &t->fixed, m->body.fixed, m->count,
		    sizeof(struct enforcer_fixed), fixed_ok);
		break;
	case ENFORCER_WAYS:
		add_list(t, &t->ways, m->body.ways, m->count, sizeof(struct enforcer_way),
		    way_ok);
		break;
	case ENFORCER_OPEN:
		add_list(t, &t->open_pods, m->body.open, m->count, sizeof(struct addr),
		    addr_ok);
		break;
	case ENFORCER_CUT:
		add_cuts(t, m);
		break;
	case ENFORCER_TABLE:
	case ENFORCER_END:
	case ENFORCER_DUMP:
	case ENFORCER_RESULT:
	case ENFORCER_LOST:
	case ENFORCER_REFUSED:
	case ENFORCER_FLOWS:
	case ENFORCER_LIVE:
	case ENFORCER_LEAD:
		assert(!"a kind that has its own way");
	}
}

/* A list that has failed was above its limit, or there was no memory for it: one cannot
 * tell, and neither is what was asked for. */
static void
note_failed(struct transaction *t)
{
	if (t->interfaces.failed || t->pods.failed || t->internal.failed ||
	    t->listen.failed || t->fixed.failed || t->ways.failed ||
	    t->open_pods.failed || t->cuts.failed || lease_list_failed(&t->grants) ||
	    lease_list_failed(&t->revokes))
		refuse(t);
}

/* Nobody but a pod is open, or loses flows. */
static void
note_pods(struct transaction *t)
{
	const struct addr *open = (const void *)t->open_pods.bytes;
	const struct prefix *pods = (const void *)t->pods.bytes;
	const struct enforcer_cut *cuts = (const void *)t->cuts.bytes;
	const size_t pod_count = t->pods.len / sizeof(*pods);

	for (size_t i = 0; i < t->open_pods.len / sizeof(*open) && t->error == 0; i++)
		if (!bounds_pod(&open[i], pods, pod_count))
			refuse(t);
	for (size_t i = 0; i < t->cuts.len / sizeof(*cuts) && t->error == 0; i++)
		if (!bounds_cut(&cuts[i], pods, pod_count))
			refuse(t);
}

static void
note_leases(struct transaction *t)
{
	const size_t count = lease_list_len(&t->grants);
	const struct prefix *pods = (const void *)t->pods.bytes;
	const size_t pod_count = t->pods.len / sizeof(*pods);

	for (size_t i = 0; i < count && t->error == 0; i++)
		if (!bounds_lease(lease_list_get(&t->grants, i), pods, pod_count,
			t->table.timeout_max_ms))
			refuse(t);
}

int
transaction_end(struct transaction *t)
{
	assert(t->open);
	note_failed(t);
	note_pods(t);
	note_leases(t);
	return t->error;
}

void
transaction_cut_pods(struct transaction *t)
{
	const struct prefix *pods = (const void *)t->pods.bytes;
	struct enforcer_cut cut;

	for (size_t i = 0; i < t->pods.len / sizeof(*pods); i++) {
		memset(&cut, 0, sizeof(cut));
		cut.pods = pods[i];
		buf_append(&t->cuts, &cut, sizeof(cut));
	}
}

struct ruleset
transaction_ruleset(const struct transaction *t)
{
	return (struct ruleset){
	    .table = t->table,
	    .interfaces = (const void *)t->interfaces.bytes,
	    .interface_count = t->interfaces.len / IFNAMSIZ,
	    .pods = (const void *)t->pods.bytes,
	    .pod_count = t->pods.len / sizeof(struct prefix),
	    .internal = (const void *)t->internal.bytes,
	    .internal_count = t->internal.len / sizeof(struct prefix),
	    .listen = (const void *)t->listen.bytes,
	    .listen_count = t->listen.len / sizeof(struct endpoint),
	    .fixed = (const void *)t->fixed.bytes,
	    .fixed_count = t->fixed.len / sizeof(struct enforcer_fixed),
	    .ways = (const void *)t->ways.bytes,
	    .way_count = t->ways.len / sizeof(struct enforcer_way),
	    .open = (const void *)t->open_pods.bytes,
	    .open_count = t->open_pods.len / sizeof(struct addr),
	};
}

const struct enforcer_cut *
transaction_cuts(const struct transaction *t, size_t *ret_count)
{
	*ret_count = t->cuts.len / sizeof(struct enforcer_cut);
	return (const void *)t->cuts.bytes;
}

int
transaction_grants(
    const struct transaction *t, struct element **ret_list, size_t *ret_count)
{
	return lease_list_elements(&t->grants, 0, ret_list, ret_count);
}

int
transaction_revokes(
    const struct transaction *t, struct element **ret_list, size_t *ret_count)
{
	return lease_list_elements(&t->revokes, REVOKE_TIMEOUT_MS, ret_list, ret_count);
}
