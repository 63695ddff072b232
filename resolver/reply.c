/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/reply.h"

#include <assert.h>
#include <string.h>

#define OPT_LEN 11
#define OPTION_LEN 6 /* code, length and the EDE's own code */
#define OPTION_EDE 15

static_assert(ANSWER_ADDRESSES_MAX <= 64, "keep has a bit for each address");

/* RFC 2308 section 3 wants a SOA and these fields mean nothing here: the primary is the
 * question's own name, the mailbox nobody.invalid (RFC 2606 section 2 keeps it from being
 * anyone's), the times are usual ones; MINIMUM follows. */
static const uint8_t soa_middle[] = {
    6, 'n', 'o', 'b', 'o', 'd', 'y', 7, 'i', 'n', 'v', 'a', 'l', 'i', 'd', 0, /* RNAME */
    0, 0, 0, 1,                                                               /* SERIAL */
    0, 0, 0x0e, 0x10,    /* REFRESH: one hour */
    0, 0, 0x04, 0xb0,    /* RETRY: 20 minutes */
    0, 0x09, 0x3a, 0x80, /* EXPIRE: one week */
};

static_assert(WIRE_HEADER_LEN + NAME_WIRE_MAX + 4 + WIRE_RECORD_LEN + 2 +
		      sizeof(soa_middle) + 4 + OPT_LEN + OPTION_LEN +
		      REPLY_EDE_TEXT_MAX <=
		  REPLY_SIZE_MIN,
    "the longest reply of our own fits everywhere");

/* Everything but the header's counts of records; returns where the question ends. */
static size_t
put_head(const struct question *q, unsigned rcode, uint8_t *out)
{
	unsigned echoed = q->flags & (WIRE_OPCODE | WIRE_RD | WIRE_CD);

	wire_put_u16(out, q->id);
	wire_put_u16(
	    out + 2, (uint16_t)(WIRE_QR | WIRE_RA | echoed | (rcode & WIRE_RCODE)));
	wire_put_u16(out + 4, q->has_question);
	wire_put_u16(out + 6, 0);
	wire_put_u16(out + 8, 0);
	wire_put_u16(out + 10, q->edns);
	if (!q->has_question)
		return WIRE_HEADER_LEN;
	memcpy(out + WIRE_HEADER_LEN, q->raw, q->raw_len); /* fits REPLY_SIZE_MIN */
	return WIRE_HEADER_LEN + q->raw_len;
}

static size_t
text_len(const char *text)
{
	size_t len = text != NULL ? strnlen(text, REPLY_EDE_TEXT_MAX + 1) : 0;

	assert(len <= REPLY_EDE_TEXT_MAX);
	return len;
}

static bool
ede_is_sent(const struct question *q, const struct reply_ede *ede)
{
	return q->edns && ede != NULL && ede->code != EDE_NONE;
}

/* What put_opt will write. */
static size_t
opt_len(const struct question *q, const struct reply_ede *ede)
{
	if (!q->edns)
		return 0;
	return OPT_LEN + (ede_is_sent(q, ede) ? OPTION_LEN + text_len(ede->text) : 0);
}

/* RFC 6891 section 6.1.2; the option: RFC 8914 section 2. Returns the length so far. */
static size_t
put_opt(const struct question *q, unsigned rcode, const struct reply_ede *ede,
    uint8_t *out, size_t pos)
{
	size_t len = opt_len(q, ede);
	uint8_t *at = out + pos;

	if (len == 0)
		return pos;
	at[0] = 0;
	wire_put_u16(at + 1, TYPE_OPT);
	wire_put_u16(at + 3, QUESTION_UDP_MAX);
	wire_put_u32(at + 5, rcode >> 4 << 24 | (q->dnssec_ok ? WIRE_DO : 0));
	wire_put_u16(at + 9, (uint16_t)(len - OPT_LEN));
	if (len == OPT_LEN)
		return pos + len;
	wire_put_u16(at + 11, OPTION_EDE);
	wire_put_u16(at + 13, (uint16_t)(len - OPT_LEN - 4));
	wire_put_u16(at + 15, (uint16_t)ede->code);
	if (len > OPT_LEN + OPTION_LEN)
		memcpy(at + OPT_LEN + OPTION_LEN, ede->text, len - OPT_LEN - OPTION_LEN);
	return pos + len;
}

/* A record owned by the question's name, up to its RDATA. */
static size_t
put_record(uint8_t *out, size_t pos, uint16_t type, uint32_t ttl_s, size_t rdata_len)
{
	wire_put_record(out + pos, WIRE_HEADER_LEN, type, ttl_s, rdata_len);
	return pos + WIRE_RECORD_LEN;
}

size_t
reply_error(const struct question *q, enum wire_rcode rcode, const struct reply_ede *ede,
    uint8_t *out, size_t size)
{
	assert(size >= REPLY_SIZE_MIN && (q->edns || rcode <= WIRE_RCODE));
	return put_opt(q, rcode, ede, out, put_head(q, rcode, out));
}

size_t
reply_negative(const struct question *q, enum wire_rcode rcode, uint32_t ttl_s,
    const struct reply_ede *ede, uint8_t *out, size_t size)
{
	size_t pos;

	assert(size >= REPLY_SIZE_MIN && q->has_question);
	pos = put_head(q, rcode, out);
	wire_put_u16(out + 8, 1);
	pos = put_record(out, pos, TYPE_SOA, ttl_s, 2 + sizeof(soa_middle) + 4);
	wire_put_u16(out + pos, WIRE_POINTER | WIRE_HEADER_LEN);
	memcpy(out + pos + 2, soa_middle, sizeof(soa_middle)); /* fits REPLY_SIZE_MIN */
	pos += 2 + sizeof(soa_middle);
	wire_put_u32(out + pos, ttl_s);
	return put_opt(q, rcode, ede, out, pos + 4);
}

size_t
reply_any(const struct question *q, uint32_t ttl_s, uint8_t *out, size_t size)
{
	static const uint8_t hinfo[] = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
	size_t pos;

	assert(size >= REPLY_SIZE_MIN && q->has_question);
	pos = put_head(q, RCODE_NOERROR, out);
	wire_put_u16(out + 6, 1);
	pos = put_record(out, pos, TYPE_HINFO, ttl_s, sizeof(hinfo));
	memcpy(out + pos, hinfo, sizeof(hinfo)); /* fits REPLY_SIZE_MIN */
	return put_opt(q, RCODE_NOERROR, NULL, out, pos + sizeof(hinfo));
}

/* The bits of keep that stand for an address of a. */
static uint64_t
kept_of(const struct answer *a, uint64_t keep)
{
	return a->address_count == 0 ? 0 : keep & UINT64_MAX >> (64 - a->address_count);
}

/* What a takes with those addresses. Their records are equally long. */
static size_t
kept_len(const struct answer *a, uint64_t keep)
{
	size_t left_out = a->address_count - (size_t)__builtin_popcountll(keep);

	return left_out == 0 ? a->len : a->len - left_out * a->addresses[0].len;
}

/* The image without the records of addresses that are not kept. Nothing in a record
 * points at a record of an address, so they can move and vanish. */
static void
put_kept(const struct answer *a, uint64_t keep, uint32_t ttl_s, uint8_t *out)
{
	const uint16_t *ttls = a->ttl_offsets + a->ttl_count - a->address_count;
	size_t pos = a->addresses[0].offset;

	memcpy(out, a->image, pos); /* kept_len was checked */
	for (size_t i = 0; i < a->address_count; i++) {
		const struct answer_address *address = &a->addresses[i];

		if ((keep >> i & 1) == 0)
			continue;
		memcpy(out + pos, a->image + address->offset, address->len);
		wire_put_u32(out + pos + (ttls[i] - address->offset), ttl_s);
		pos += address->len;
	}
}

/* The image with its TTLs; returns its length. Header and question are still a's. */
static size_t
put_image(const struct answer *a, uint64_t keep, uint32_t ttl_s, uint8_t *out)
{
	size_t len = kept_len(a, keep);
	size_t ttls = a->ttl_count;

	if (len == a->len) {
		memcpy(out, a->image, len); /* the caller has checked kept_len */
	} else {
		put_kept(a, keep, ttl_s, out);
		ttls -= a->address_count;
	}
	for (size_t i = 0; i < ttls; i++)
		wire_put_u32(out + a->ttl_offsets[i], ttl_s);
	return len;
}

size_t
reply_answer(const struct question *q, const struct answer *a, uint64_t keep,
    uint32_t ttl_s, const struct reply_ede *ede, size_t limit, uint8_t *out, size_t size)
{
	size_t len, pos, records;

	assert(limit >= REPLY_SIZE_MIN && limit <= size);
	assert(q->has_question && q->raw_len == a->name.len + 4u);
	keep = kept_of(a, keep);
	if (a->address_count != 0 && keep == 0)
		return reply_error(q, RCODE_NOERROR, ede, out, size);
	len = kept_len(a, keep);
	if (len + opt_len(q, ede) > limit)
		ede = NULL;
	if (len + opt_len(q, NULL) > limit) {
		len = reply_error(q, a->rcode, NULL, out, size);
		out[2] |= WIRE_TC >> 8;
		return len;
	}
	pos = put_image(a, keep, ttl_s, out);
	(void)put_head(q, a->rcode, out); /* as long as the image's own */
	records =
	    a->answer_records - a->address_count + (size_t)__builtin_popcountll(keep);
	wire_put_u16(out + 6, (uint16_t)records);
	wire_put_u16(out + 8, a->authority_records);
	return put_opt(q, a->rcode, ede, out, pos);
}

/* A CNAME of the question's name, and behind it what it leads to. */
static size_t
put_alias(const struct name *target, uint32_t ttl_s, uint8_t *out, size_t pos)
{
	pos = put_record(out, pos, TYPE_CNAME, ttl_s, target->len);
	memcpy(out + pos, target->bytes, target->len); /* alias_len was checked */
	return pos + target->len;
}

static size_t
alias_len(const struct question *q, const struct answer *a, uint64_t keep)
{
	size_t kept = (size_t)__builtin_popcountll(keep);
	size_t one = a->address_count > 0 ? addr_len(&a->addresses[0].addr) : 0;

	return WIRE_HEADER_LEN + q->raw_len + WIRE_RECORD_LEN + a->name.len +
	       kept * (WIRE_RECORD_LEN + one);
}

size_t
reply_alias(const struct question *q, const struct answer *a, uint64_t keep,
    uint32_t ttl_s, const struct reply_ede *ede, size_t limit, uint8_t *out, size_t size)
{
	size_t len, pos, owner;
	uint16_t records = 1;

	assert(limit >= REPLY_SIZE_MIN && limit <= size);
	assert(q->has_question && (a->type == TYPE_A || a->type == TYPE_AAAA));
	keep = kept_of(a, keep);
	len = alias_len(q, a, keep);
	if (len + opt_len(q, ede) > limit)
		ede = NULL;
	if (len + opt_len(q, NULL) > limit) {
		len = reply_error(q, a->rcode, NULL, out, size);
		out[2] |= WIRE_TC >> 8;
		return len;
	}
	pos = put_head(q, a->rcode, out);
	owner = pos + WIRE_RECORD_LEN;
	pos = put_alias(&a->name, ttl_s, out, pos);
	for (size_t i = 0; i < a->address_count; i++) {
		const struct addr *addr = &a->addresses[i].addr;

		if ((keep >> i & 1) == 0)
			continue;
		wire_put_record(out + pos, owner, a->type, ttl_s, addr_len(addr));
		pos += WIRE_RECORD_LEN;
		memcpy(
		    out + pos, addr->bytes, addr_len(addr)); /* alias_len was checked */
		pos += addr_len(addr);
		records++;
	}
	wire_put_u16(out + 6, records);
	return put_opt(q, a->rcode, ede, out, pos);
}
