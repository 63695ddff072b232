/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/packet.h"

#include <stdbool.h>
#include <string.h>

#define QUESTION_TAIL 4 /* type and class */

static size_t
put_u16(uint8_t *out, size_t pos, uint16_t value)
{
	wire_put_u16(out + pos, value);
	return pos + 2;
}

static size_t
letter_count(const struct name *name)
{
	size_t n = 0;

	for (size_t i = 0; i < name->len; i++)
		if (name->bytes[i] >= 'a' && name->bytes[i] <= 'z')
			n++;
	return n;
}

/* Is a letter a capital now? A length byte is at most 63 and so never looks like a
 * letter: labels need no walk. */
static bool
put_name(uint8_t *out, const struct name *name, const uint8_t *coins)
{
	size_t coin = 0;
	bool mixed = false;

	for (size_t i = 0; i < name->len; i++) {
		out[i] = name->bytes[i];
		if (out[i] < 'a' || out[i] > 'z')
			continue;
		if (coins[coin / 8] >> (coin % 8) & 1) {
			out[i] = (uint8_t)(out[i] - 'a' + 'A');
			mixed = true;
		}
		coin++;
	}
	return mixed;
}

/* RFC 6891 section 6.1.2: root, OPT, our UDP size as class, rcode, version and flags all
 * zero, no options. */
static size_t
put_opt(uint8_t *out, size_t pos)
{
	out[pos++] = 0;
	pos = put_u16(out, pos, TYPE_OPT);
	pos = put_u16(out, pos, PACKET_UDP_SIZE);
	pos = put_u16(out, pos, 0);
	pos = put_u16(out, pos, 0);
	return put_u16(out, pos, 0);
}

int
packet_make(const struct name *name, uint16_t type, struct packet_form form,
    struct entropy *e, struct packet *ret_packet)
{
	uint8_t dice[2 + (NAME_WIRE_MAX + 7) / 8] = {0};
	size_t coins = form.as_is ? 0 : (letter_count(name) + 7) / 8;
	uint8_t *out = ret_packet->bytes;
	size_t pos = 0;
	int r;

	r = entropy_take(e, 2 + coins, dice);
	if (r < 0)
		return r;
	out[pos++] = dice[0];
	out[pos++] = dice[1];
	pos = put_u16(out, pos, WIRE_RD);
	pos = put_u16(out, pos, 1); /* QDCOUNT */
	pos = put_u16(out, pos, 0);
	pos = put_u16(out, pos, 0);
	pos = put_u16(out, pos, !form.bare); /* ARCOUNT: the OPT */
	ret_packet->mixed = put_name(out + pos, name, dice + 2);
	pos += name->len;
	pos = put_u16(out, pos, type);
	pos = put_u16(out, pos, CLASS_IN);
	ret_packet->question_len = (uint16_t)(pos - WIRE_HEADER_LEN);
	ret_packet->len = (uint16_t)(form.bare ? pos : put_opt(out, pos));
	return 0;
}

static bool
same_folded(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name_fold(a[i]) != name_fold(b[i]))
			return false;
	return true;
}

/* Type and class are compared as they are: their bytes may look like letters. */
static bool
same_question(const struct packet *p, const uint8_t *question)
{
	const uint8_t *ours = p->bytes + WIRE_HEADER_LEN;
	size_t name_len = p->question_len - (size_t)QUESTION_TAIL;

	return same_folded(question, ours, name_len) &&
	       memcmp(question + name_len, ours + name_len, QUESTION_TAIL) == 0;
}

static bool
same_header(const struct packet *p, const struct wire_header *theirs)
{
	struct wire w;
	struct wire_header ours;

	wire_init(&w, p->bytes, p->len);
	wire_header(&w, &ours);
	return theirs->id == ours.id && theirs->counts[0] == 1 &&
	       (theirs->flags & (WIRE_QR | WIRE_OPCODE)) == WIRE_QR;
}

/*
 * A cut reply is not looked at any further, neither at its records, which some servers
 * cut in the middle, nor at its letters: all that it can do is to send us to TCP, where
 * wrong replies lead as well.
 */
enum packet_verdict
packet_judge(const struct packet *p, const uint8_t *msg, size_t len, size_t full_len)
{
	const size_t question_end = WIRE_HEADER_LEN + (size_t)p->question_len;
	struct wire_header header;
	struct wire w;

	wire_init(&w, msg, len);
	wire_header(&w, &header);
	if (len < question_end || !same_header(p, &header) ||
	    !same_question(p, msg + WIRE_HEADER_LEN))
		return PACKET_WRONG;
	if (header.flags & WIRE_TC || full_len > len)
		return PACKET_TRUNCATED;
	if (wire_check(msg, len) < 0)
		return PACKET_WRONG;
	if (memcmp(msg + WIRE_HEADER_LEN, p->bytes + WIRE_HEADER_LEN, p->question_len) !=
	    0)
		return PACKET_FOLDED;
	return PACKET_RIGHT;
}
