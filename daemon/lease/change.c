/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/change.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/lease/outbox.h"

_Static_assert(ENFORCER_LEASES_MAX == ENFORCER_LIST_MAX, "one limit serves all records");

static void
flush(struct change *c, struct enforcer_message *m)
{
	if (m->kind != 0)
		outbox_frame(c->ahead_count == 0 ? &c->frames : &c->rest, m);
	m->kind = 0;
}

/* The index of a free record of this kind in m, which is sent first where it is full or
 * of another kind; name is the leases' and "" for every other kind. */
static size_t
record_in(struct change *c, struct enforcer_message *m, enum enforcer_kind kind,
    const char *name)
{
	if (m->kind != kind || m->count == ENFORCER_LIST_MAX ||
	    strcmp(m->name, name) != 0) {
		flush(c, m);
		memset(m, 0, offsetof(struct enforcer_message, body));
		m->kind = (uint16_t)kind;
		(void)snprintf(
		    m->name, sizeof(m->name), "%s", name); /* a longer one is cut */
	}
	return m->count++;
}

static size_t
record(struct change *c, enum enforcer_kind kind, const char *name)
{
	return record_in(c, &c->message, kind, name);
}

void
change_begin(struct change *c, const struct enforcer_table *table)
{
	memset(c, 0, sizeof(*c));
	buf_init(&c->frames, OUTBOX_BYTES_MAX);
	buf_init(&c->rest, OUTBOX_BYTES_MAX);
	c->message.kind = ENFORCER_TABLE;
	c->message.count = 1;
	c->message.body.table = *table;
}

void
change_interface(struct change *c, const char *pattern)
{
	char *out =
	    c->message.body.interfaces[record(c, ENFORCER_INTERFACES, "")].pattern;

	(void)snprintf(
	    out, IFNAMSIZ, "%s", pattern); /* the configuration checked its length */
}

void
change_range(struct change *c, enum enforcer_kind kind, const struct prefix *range)
{
	c->message.body.ranges[record(c, kind, "")] = *range;
}

void
change_listen(struct change *c, const struct endpoint *listen)
{
	struct endpoint *out = &c->message.body.listen[record(c, ENFORCER_LISTEN, "")];

	memset(out, 0, sizeof(*out)); /* what lies between its members too */
	out->addr = listen->addr;
	out->port = listen->port;
}

void
change_fixed(struct change *c, const struct enforcer_fixed *fixed)
{
	c->message.body.fixed[record(c, ENFORCER_FIXED, "")] = *fixed;
}

void
change_way(struct change *c, const struct enforcer_way *way)
{
	c->message.body.ways[record(c, ENFORCER_WAYS, "")] = *way;
}

void
change_open(struct change *c, const struct addr *pod)
{
	c->message.body.open[record(c, ENFORCER_OPEN, "")] = *pod;
}

static void
add_cut(struct change *c, const struct enforcer_cut *cut)
{
	struct enforcer_message *m = &c->cuts;

	m->body.cuts[record_in(c, m, ENFORCER_CUT, "")] = *cut;
}

void
change_cut_pods(struct change *c, const struct prefix *pods)
{
	struct enforcer_cut cut;

	memset(&cut, 0, sizeof(cut)); /* what lies between its members too */
	cut.pods = *pods;
	add_cut(c, &cut);
}

struct enforcer_cut
change_make_cut(const struct addr *pod, const struct lease_target *target)
{
	struct enforcer_cut cut;

	memset(&cut, 0, sizeof(cut)); /* what lies between its members too */
	cut.pods = (struct prefix){.addr = *pod, .len = (uint8_t)(addr_len(pod) * 8)};
	cut.destination = target->addr;
	cut.proto = target->proto;
	cut.port = target->port;
	return cut;
}

void
change_cut(struct change *c, const struct addr *pod, const struct lease_target *target)
{
	const struct enforcer_cut cut = change_make_cut(pod, target);

	add_cut(c, &cut);
}

struct enforcer_lease
change_make_lease(const struct addr *pod, const struct lease_target *target)
{
	return (struct enforcer_lease){
	    .pod = *pod,
	    .destination = target->addr,
	    .port = target->port,
	    .proto = target->proto,
	    .to = target->to,
	    .renew = 1,
	};
}

void
change_revoke(struct change *c, const struct addr *pod, const struct lease_target *target)
{
	c->message.body.leases[record(c, ENFORCER_REVOKE, "")] =
	    change_make_lease(pod, target);
}

void
change_lease(struct change *c, const struct addr *pod, const struct lease_target *target,
    const char *text, uint32_t timeout_ms)
{
	struct enforcer_lease *lease =
	    &c->message.body.leases[record(c, ENFORCER_LEASES, text)];

	*lease = change_make_lease(pod, target);
	lease->timeout_ms = timeout_ms;
}

void
change_take(struct change *c, struct buf *frames)
{
	flush(c, &c->message);
	if (frames->len == 0)
		return;
	assert(c->ahead_count < CHANGE_AHEAD_MAX);
	c->ahead[c->ahead_count++] = *frames;
	buf_init(frames, frames->limit);
}

int
change_end(struct change *c)
{
	flush(c, &c->message);
	flush(c, &c->cuts);
	(void)record(c, ENFORCER_END, ""); /* has no records: only its header is sent */
	c->message.count = 0;
	flush(c, &c->message);
	return c->frames.failed || c->rest.failed ? -ENOMEM : 0;
}

void
change_done(struct change *c)
{
	buf_done(&c->frames);
	for (size_t i = 0; i < c->ahead_count; i++)
		buf_done(&c->ahead[i]);
	c->ahead_count = 0;
	buf_done(&c->rest);
}
