/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/transaction.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bounds.h"

/* A lease, and where its name is. */
struct record {
	struct enforcer_lease lease;
	uint32_t name;
};

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
	buf_init(&t->open_pods, TRANSACTION_OPEN_MAX * sizeof(struct addr));
	buf_init(&t->cuts, TRANSACTION_CUTS_MAX * sizeof(struct enforcer_cut));
	buf_init(&t->grants, TRANSACTION_LEASES_MAX * sizeof(struct record));
	buf_init(&t->revokes, TRANSACTION_LEASES_MAX * sizeof(struct record));
	buf_init(&t->names, TRANSACTION_NAMES_MAX);
}

static void
for_each_buf(struct transaction *t, void (*act)(struct buf *b))
{
	struct buf *all[] = {&t->interfaces, &t->pods, &t->internal, &t->listen,
	    &t->fixed, &t->open_pods, &t->cuts, &t->grants, &t->revokes, &t->names};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		act(all[i]);
}

void
transaction_done(struct transaction *t)
{
	for_each_buf(t, buf_done);
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

/* The limit of buf.h counts bytes; a name is written once a message. */
static void
add_leases(struct transaction *t, struct buf *b, const struct enforcer_message *m)
{
	struct record record;
	const bool named = m->kind == ENFORCER_LEASES;
	const size_t name = t->names.len;

	if (named && !bounds_name(m->name)) {
		refuse(t);
		return;
	}
	buf_append(&t->names, named ? m->name : "", named ? strlen(m->name) + 1 : 1);
	for (size_t i = 0; i < m->count; i++) {
		record =
		    (struct record){.lease = m->body.leases[i], .name = (uint32_t)name};
		if (!bounds_key(&record.lease))
			refuse(t);
		buf_append(b, &record, sizeof(record));
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
	case ENFORCER_OPEN:
		add_list(t, &t->open_pods, m->body.open, m->count, sizeof(struct addr),
		    addr_ok);
		break;
	case ENFORCER_CUT: /* looked at when all pods are there */
		buf_append(
		    &t->cuts, m->body.cuts, m->count * sizeof(struct enforcer_cut));
		break;
	case ENFORCER_TABLE:
	case ENFORCER_END:
	case ENFORCER_DUMP:
	case ENFORCER_RESULT:
	case ENFORCER_LOST:
	case ENFORCER_REFUSED:
	case ENFORCER_FLOWS:
		assert(!"a kind that has its own way");
	}
}

/* A list that has failed was above its limit, or there was no memory for it: one cannot
 * tell, and neither is what was asked for. */
static void
note_failed(struct transaction *t)
{
	if (t->interfaces.failed || t->pods.failed || t->internal.failed ||
	    t->listen.failed || t->fixed.failed || t->open_pods.failed ||
	    t->cuts.failed || t->grants.failed || t->revokes.failed || t->names.failed)
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
	const struct record *records = (const void *)t->grants.bytes;
	const size_t count = t->grants.len / sizeof(*records);
	const struct prefix *pods = (const void *)t->pods.bytes;
	const size_t pod_count = t->pods.len / sizeof(*pods);

	for (size_t i = 0; i < count && t->error == 0; i++)
		if (!bounds_lease(
			&records[i].lease, pods, pod_count, t->table.timeout_max_ms))
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

static int
make_elements(const struct transaction *t, const struct buf *b, uint32_t timeout_ms,
    struct element **ret_list, size_t *ret_count)
{
	const struct record *records = (const void *)b->bytes;
	const size_t count = b->len / sizeof(*records);
	struct element *list = NULL;

	if (count != 0) {
		list = calloc(count, sizeof(*list));
		if (list == NULL)
			return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		list[i] = (struct element){
		    .lease = &records[i].lease,
		    .name = t->names.bytes + records[i].name,
		    .timeout_ms =
			timeout_ms != 0 ? timeout_ms : records[i].lease.timeout_ms,
		    .renew = records[i].lease.renew,
		};
	*ret_list = list;
	*ret_count = element_merge(list, count);
	return 0;
}

int
transaction_grants(
    const struct transaction *t, struct element **ret_list, size_t *ret_count)
{
	return make_elements(t, &t->grants, 0, ret_list, ret_count);
}

int
transaction_revokes(
    const struct transaction *t, struct element **ret_list, size_t *ret_count)
{
	return make_elements(t, &t->revokes, REVOKE_TIMEOUT_MS, ret_list, ret_count);
}
