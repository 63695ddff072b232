/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/wire.h"

#include <errno.h>
#include <string.h>

#define POINTER (WIRE_POINTER >> 8) /* in a label's length */
#define ROOT_RECORD_LEN 11          /* owner ".", type, class, TTL, RDLENGTH */

void
wire_init(struct wire *w, const uint8_t *msg, size_t len)
{
	*w = (struct wire){.msg = msg, .len = len};
}

/* The next len bytes, or NULL. */
static const uint8_t *
take(struct wire *w, size_t len)
{
	const uint8_t *at = w->msg + w->pos;

	if (w->failed || len > w->len - w->pos) {
		w->failed = true;
		return NULL;
	}
	w->pos += len;
	return at;
}

uint8_t
wire_u8(struct wire *w)
{
	const uint8_t *at = take(w, 1);

	return at != NULL ? at[0] : 0;
}

uint16_t
wire_u16(struct wire *w)
{
	const uint8_t *at = take(w, 2);

	return at != NULL ? (uint16_t)(at[0] << 8 | at[1]) : 0;
}

uint32_t
wire_u32(struct wire *w)
{
	const uint8_t *at = take(w, 4);

	return at != NULL ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
				(uint32_t)at[2] << 8 | at[3]
			  : 0;
}

void
wire_skip(struct wire *w, size_t len)
{
	(void)take(w, len); /* it has set failed */
}

void
wire_put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void
wire_put_u32(uint8_t *at, uint32_t value)
{
	wire_put_u16(at, (uint16_t)(value >> 16));
	wire_put_u16(at + 2, (uint16_t)value);
}

void
wire_put_record(
    uint8_t *at, size_t owner, uint16_t type, uint32_t ttl_s, size_t rdata_len)
{
	wire_put_u16(at, (uint16_t)(WIRE_POINTER | owner));
	wire_put_u16(at + 2, type);
	wire_put_u16(at + 4, CLASS_IN);
	wire_put_u32(at + 6, ttl_s);
	wire_put_u16(at + 10, (uint16_t)rdata_len);
}

void
wire_header(struct wire *w, struct wire_header *ret_header)
{
	ret_header->id = wire_u16(w);
	ret_header->flags = wire_u16(w);
	for (size_t i = 0; i < ARRAY_LEN(ret_header->counts); i++)
		ret_header->counts[i] = wire_u16(w);
}

/*
 * Where the pointer at pos leads, 0 when it must not be followed. Every pointer has to
 * lead below the place where the labels before it began (floor), so each hop goes
 * further down and none comes back: that, not the counters, is what ends a loop. The
 * counters are for names that are long and honest, and stand in every record.
 */
static size_t
follow(struct wire *w, size_t pos, size_t floor, unsigned *hops)
{
	size_t target;

	if (w->len - pos < 2 || ++*hops > WIRE_HOPS_MAX)
		return 0;
	w->followed += 2;
	target = (size_t)(w->msg[pos] & ~POINTER) << 8 | w->msg[pos + 1];
	return target >= WIRE_HEADER_LEN && target < floor ? target : 0;
}

/* The name at the cursor, uncompressed, into out when that is not NULL (NAME_WIRE_MAX
 * bytes). Its length; 0 on failure. */
static size_t
read_name(struct wire *w, uint8_t *out)
{
	size_t pos = w->pos, floor = w->pos, end = 0, len = 0;
	unsigned hops = 0;

	while (!w->failed && pos < w->len && w->followed <= WIRE_FOLLOWED_MAX) {
		size_t label = w->msg[pos];

		if (label >= POINTER) {
			if (end == 0)
				end = pos + 2;
			pos = floor = follow(w, pos, floor, &hops);
			if (pos == 0)
				break;
			continue;
		}
		if (label > NAME_LABEL_MAX || label >= w->len - pos ||
		    len + label + 1 > NAME_WIRE_MAX)
			break;
		if (out != NULL)
			memcpy(out + len, w->msg + pos, label + 1);
		len += label + 1;
		pos += label + 1;
		if (end != 0)
			w->followed += label + 1;
		if (label == 0) {
			w->pos = end != 0 ? end : pos;
			return len;
		}
	}
	w->failed = true;
	return 0;
}

void
wire_name(struct wire *w, struct name *ret_name)
{
	uint8_t bytes[NAME_WIRE_MAX];
	size_t len = read_name(w, ret_name != NULL ? bytes : NULL);

	if (len != 0 && ret_name != NULL)
		name_from_wire(bytes, len, ret_name);
}

/* What follows a record's owner. */
static void
read_rest(struct wire *w, struct wire_record *record)
{
	record->type = wire_u16(w);
	record->class = wire_u16(w);
	record->ttl_pos = w->pos;
	record->ttl_s = wire_u32(w);
	record->rdata_len = wire_u16(w);
	record->rdata = w->pos;
	wire_skip(w, record->rdata_len);
}

void
wire_record(struct wire *w, struct wire_record *ret_record)
{
	ret_record->start = w->pos;
	wire_name(w, &ret_record->owner);
	read_rest(w, ret_record);
}

void
wire_record_past(struct wire *w, struct wire_record *ret_record)
{
	uint8_t label;

	ret_record->start = w->pos;
	while ((label = wire_u8(w)) != 0 && label < POINTER)
		wire_skip(w, label);
	if (label >= POINTER)
		wire_skip(w, 1);
	read_rest(w, ret_record);
}

/*
 * What the RDATA of a type is made of, field by field: a digit is so many bytes, n a
 * name, s a string with its length before it, S strings to the end but at least one, o
 * EDNS options to the end, r the rest whatever it is. Here are all types that ldns finds
 * names or a number of strings in, and the addresses; any other type is bytes to us.
 */
static const char *
rdata_fields(uint16_t type)
{
	switch (type) {
	case TYPE_A:
		return "4";
	case TYPE_AAAA:
		return "88";
	case TYPE_NS:
	case 3: /* MD */
	case 4: /* MF */
	case TYPE_CNAME:
	case 7: /* MB */
	case 8: /* MG */
	case 9: /* MR */
	case TYPE_PTR:
	case TYPE_DNAME:
		return "n";
	case TYPE_SOA:
		return "nn488";
	case 14: /* MINFO */
	case 17: /* RP, RFC 1183 section 2.2 */
	case 58: /* TALINK */
		return "nn";
	case TYPE_MX:
	case 18:  /* AFSDB, RFC 1183 section 1 */
	case 21:  /* RT, RFC 1183 section 3.3 */
	case 36:  /* KX, RFC 2230 section 3.1 */
	case 107: /* LP, RFC 6742 section 2.4 */
		return "2n";
	case 26: /* PX, RFC 2163 section 4 */
		return "2nn";
	case TYPE_SRV:
		return "6n";
	case 35: /* NAPTR, RFC 3403 section 4.1 */
		return "4sssn";
	case TYPE_SIG:
	case TYPE_RRSIG:
		return "882nr";
	case TYPE_SVCB:
	case TYPE_HTTPS:
		return "2nr";
	case 30: /* NXT, RFC 2535 section 5.2 */
	case 47: /* NSEC, RFC 4034 section 4.1 */
	case TYPE_TKEY:
	case TYPE_TSIG:
		return "nr";
	case TYPE_HINFO:
		return "ss";
	case TYPE_TXT:
	case 99: /* SPF, RFC 7208 section 14.1 */
		return "S";
	case TYPE_OPT:
		return "o";
	default:
		return "r";
	}
}

bool
wire_has_names(uint16_t type)
{
	return strchr(rdata_fields(type), 'n') != NULL;
}

/* One field of RDATA; in ends where the RDATA does. How much longer than it stands it is
 * with compression undone: a pointer to the root is even shorter. */
static ptrdiff_t
read_field(struct wire *in, char field)
{
	size_t start = in->pos;

	switch (field) {
	case 'n':
		return (ptrdiff_t)read_name(in, NULL) - (ptrdiff_t)(in->pos - start);
	case 'S':
		do
			wire_skip(in, wire_u8(in));
		while (!in->failed && in->pos < in->len);
		break;
	case 's':
		wire_skip(in, wire_u8(in));
		break;
	case 'o':
		while (!in->failed && in->pos < in->len) {
			wire_skip(in, 2); /* the option's code */
			wire_skip(in, wire_u16(in));
		}
		break;
	case 'r':
		wire_skip(in, in->len - in->pos);
		break;
	default:
		wire_skip(in, (size_t)(field - '0'));
	}
	return 0;
}

size_t
wire_rdata(struct wire *w, const struct wire_record *record)
{
	struct wire in = *w;
	ptrdiff_t len = record->rdata_len;

	in.pos = record->rdata;
	in.len = record->rdata + record->rdata_len;
	for (const char *fields = rdata_fields(record->type); *fields != '\0'; fields++)
		len += read_field(&in, *fields);
	w->followed = in.followed;
	w->failed = in.failed || in.pos != in.len;
	return w->failed ? 0 : (size_t)len;
}

/* What a section may hold of OPT and TSIG; last is the message's last record. */
static bool
record_is_placed(const struct wire_record *record, bool additional, bool last, bool *opt)
{
	if (record->type == TYPE_TSIG)
		return additional && last;
	if (record->type != TYPE_OPT)
		return true;
	if (*opt || !additional || record->rdata - record->start != ROOT_RECORD_LEN)
		return false;
	*opt = true;
	return true;
}

int
wire_check(const uint8_t *msg, size_t len)
{
	struct wire w;
	struct wire_header header;
	struct wire_record record;
	size_t additional, total;
	bool opt = false;

	wire_init(&w, msg, len);
	wire_header(&w, &header);
	additional = (size_t)header.counts[1] + header.counts[2];
	total = additional + header.counts[3];
	if (len > WIRE_MESSAGE_MAX || header.counts[0] != 1 || total > WIRE_RECORDS_MAX)
		return -EBADMSG;
	wire_name(&w, NULL);
	wire_skip(&w, 4); /* type and class */
	for (size_t i = 0; i < total; i++) {
		record.start = w.pos;
		wire_name(&w, NULL);
		read_rest(&w, &record);
		(void)wire_rdata(&w, &record); /* only to see it fail */
		if (w.failed ||
		    !record_is_placed(&record, i >= additional, i + 1 == total, &opt))
			return -EBADMSG;
	}
	return w.failed || w.pos != len ? -EBADMSG : 0;
}
