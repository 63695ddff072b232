/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/selection.h"

#include <errno.h>
#include <string.h>

/* CNAME records looked at in one reply, wanted or not; a chain has fewer. */
#define ALIASES_MAX 32
#define TTL_TOP_BIT 0x80000000u

/* A cursor into the reply. */
static struct wire
cursor_at(const struct selection *s, size_t pos)
{
	struct wire w;

	wire_init(&w, s->msg, s->len);
	w.pos = pos;
	return w;
}

void
selection_record(const struct selection *s, size_t pos, struct wire_record *ret_record)
{
	struct wire w = cursor_at(s, pos);

	wire_record(&w, ret_record); /* it has passed wire_check */
}

static void
lower_ttl(struct selection *s, uint32_t ttl_s)
{
	if ((ttl_s & TTL_TOP_BIT) != 0) /* RFC 2181 section 8 */
		ttl_s = 0;
	s->ttl_s = MIN_OF(s->ttl_s, ttl_s);
}

static bool
is_address(uint16_t type)
{
	return type == TYPE_A || type == TYPE_AAAA;
}

/* The question, which must be ours, and the header, whose rcode must be an answer. */
static int
open_reply(struct selection *s)
{
	struct wire w = cursor_at(s, 0);
	struct wire_header header;
	struct wire_record record;
	struct name name;
	unsigned rcode;

	wire_header(&w, &header);
	wire_name(&w, &name);
	if (w.failed || !name_equal(&name, &s->names[0]) || wire_u16(&w) != s->type ||
	    wire_u16(&w) != CLASS_IN || (header.flags & WIRE_TC) != 0)
		return -EBADMSG;
	memcpy(s->counts, header.counts, sizeof(s->counts)); /* the same type */
	s->start = w.pos;
	rcode = header.flags & WIRE_RCODE;
	for (size_t left = (size_t)s->counts[1] + s->counts[2] + s->counts[3]; left > 0;
	     left--) {
		wire_record_past(&w, &record);
		if (record.type == TYPE_OPT) /* RFC 6891 section 6.1.3 */
			rcode |= record.ttl_s >> 24 << 4;
	}
	if (w.failed)
		return -EBADMSG;
	if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
		return -EREMOTEIO;
	s->rcode = (uint8_t)rcode;
	return 0;
}

/* Where the CNAME records of the answer section begin, ALIASES_MAX at most. */
static int
find_aliases(const struct selection *s, uint16_t *aliases, size_t *ret_count)
{
	struct wire w = cursor_at(s, s->start);
	struct wire_record record;
	size_t count = 0;

	for (size_t i = 0; i < s->counts[1]; i++) {
		wire_record_past(&w, &record);
		if (record.type != TYPE_CNAME || record.class != CLASS_IN)
			continue;
		if (count == ALIASES_MAX)
			return -ELOOP;
		aliases[count++] = (uint16_t)record.start;
	}
	*ret_count = count;
	return 0;
}

/* Where the last name of the chain leads: 1 and the target, 0 when it is no alias. Two
 * targets are a contradiction (RFC 2181 section 10.1). */
static int
find_target(
    struct selection *s, const uint16_t *aliases, size_t count, struct name *ret_target)
{
	struct wire_record record;
	struct name target;
	struct wire w;
	int found = 0;

	for (size_t i = 0; i < count; i++) {
		selection_record(s, aliases[i], &record);
		if (!name_equal(&record.owner, &s->names[s->links]))
			continue;
		w = cursor_at(s, record.rdata);
		wire_name(&w, &target);
		if (w.failed || (found == 1 && !name_equal(&target, ret_target)))
			return -EBADMSG;
		lower_ttl(s, record.ttl_s);
		*ret_target = target;
		found = 1;
	}
	return found;
}

/* Is name on the chain, among its first count names? */
static bool
on_chain(const struct selection *s, const struct name *name, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (name_equal(&s->names[i], name))
			return true;
	return false;
}

/* Follow the aliases from the question on, in whatever order they came. */
static int
follow_chain(struct selection *s)
{
	uint16_t aliases[ALIASES_MAX];
	struct name target;
	size_t count;
	int r;

	if (s->type == TYPE_CNAME)
		return 0;
	r = find_aliases(s, aliases, &count);
	if (r < 0)
		return r;
	while ((r = find_target(s, aliases, count, &target)) == 1) {
		if (s->links == ANSWER_CHAIN_MAX || on_chain(s, &target, s->links + 1))
			return -ELOOP;
		s->names[++s->links] = target;
	}
	return r;
}

static int
select_address(struct selection *s, const struct wire_record *record)
{
	struct addr addr = {.family = s->type == TYPE_A ? AF_INET : AF_INET6};

	if (record->rdata_len != addr_len(&addr))
		return -EBADMSG;
	if (s->address_count == ANSWER_ADDRESSES_MAX)
		return 0;
	addr = addr_make(addr.family, s->msg + record->rdata);
	for (size_t i = 0; i < s->address_count; i++)
		if (addr_equal(&s->addresses[i], &addr))
			return 0;
	s->addresses[s->address_count++] = addr;
	return 0;
}

/* The record at the cursor, which ends behind it. Its owner, which may cost far more than
 * all the rest, is read only when type and class are right. */
static bool
next_is(const struct selection *s, struct wire *w, uint16_t type,
    struct wire_record *ret_record)
{
	wire_record_past(w, ret_record);
	if (ret_record->type != type || ret_record->class != CLASS_IN)
		return false;
	selection_record(s, ret_record->start, ret_record);
	return true;
}

/* A record of our type in the answer section: is it one at the chain's end? */
static int
select_record(struct selection *s, const struct wire_record *record)
{
	if (on_chain(s, &record->owner, s->links))
		return -EBADMSG; /* data beside an alias: RFC 2181 section 10.1 */
	if (!name_equal(&record->owner, &s->names[s->links]))
		return 0;
	lower_ttl(s, record->ttl_s); /* the lowest for all: RFC 2181 section 5.2 */
	if (is_address(s->type))
		return select_address(s, record);
	if (s->record_count == ANSWER_RECORDS_MAX)
		return -EMSGSIZE;
	s->records[s->record_count++] = (uint16_t)record->start;
	return 0;
}

/* RFC 2308 section 5: how long may it be said that there is nothing? */
static int
select_soa(struct selection *s, const struct wire_record *record)
{
	struct wire w = cursor_at(s, record->rdata);
	uint32_t minimum_s;

	if (s->soa != 0 || !name_within(&s->names[s->links], &record->owner))
		return 0;
	wire_name(&w, NULL);
	wire_name(&w, NULL);
	wire_skip(&w, 16);
	minimum_s = wire_u32(&w);
	if (w.failed)
		return -EBADMSG;
	s->soa = (uint16_t)record->start;
	lower_ttl(s, record->ttl_s);
	lower_ttl(s, minimum_s);
	return 0;
}

bool
selection_is_negative(const struct selection *s)
{
	return s->address_count + s->record_count == 0;
}

/* The limits of what the upstream says; nothing may be said about nothing without a SOA
 * (RFC 2308 section 5). */
static uint32_t
limited_ttl(const struct selection *s)
{
	if (!selection_is_negative(s))
		return MIN_OF(s->ttl_s, ANSWER_TTL_MAX_S);
	return s->soa != 0 ? MIN_OF(s->ttl_s, ANSWER_NEGATIVE_TTL_MAX_S) : 0;
}

static int
select_records(struct selection *s)
{
	struct wire w = cursor_at(s, s->start);
	struct wire_record record;
	int r = 0;

	for (size_t i = 0; i < s->counts[1] && r == 0; i++) {
		if (next_is(s, &w, s->type, &record))
			r = select_record(s, &record);
	}
	if (r < 0 || !selection_is_negative(s))
		return r;
	for (size_t i = 0; i < s->counts[2] && r == 0; i++) {
		if (next_is(s, &w, TYPE_SOA, &record))
			r = select_soa(s, &record);
	}
	return r;
}

int
selection_make(const uint8_t *msg, size_t len, const struct name *name, uint16_t type,
    struct selection *ret_selection)
{
	struct selection *s = ret_selection;
	int r;

	s->msg = msg;
	s->len = len;
	s->type = type;
	s->ttl_s = UINT32_MAX;
	s->names[0] = *name;
	s->links = s->address_count = s->record_count = s->soa = 0;
	r = open_reply(s);
	if (r == 0)
		r = follow_chain(s);
	if (r == 0)
		r = select_records(s);
	if (r < 0)
		return r;
	if (!selection_is_negative(s) && s->rcode == RCODE_NXDOMAIN)
		return -EBADMSG;
	s->ttl_s = limited_ttl(s);
	return 0;
}
