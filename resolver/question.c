/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/question.h"

#include <string.h>

#include "resolver/wire.h"

/* In the TTL field of an OPT: RFC 6891 section 6.1.3. */
#define OPT_VERSION(ttl) ((uint8_t)((ttl) >> 16))

/* What the records behind the question were found to be. */
struct extras {
	bool malformed;
	bool badvers;
	bool is_signed;
};

/* One question at the cursor. The first name of a message has none before it that a
 * pointer could lead to, so its bytes stand whole in raw. */
static void
read_question(struct wire *w, struct question *q)
{
	size_t start = w->pos;

	wire_name(w, &q->name);
	q->type = wire_u16(w);
	q->class = wire_u16(w);
	if (w->failed)
		return;
	q->raw_len = (uint16_t)(w->pos - start); /* at most NAME_WIRE_MAX + 4 */
	memcpy(q->raw, w->msg + start, q->raw_len);
	q->has_question = true;
}

/* RFC 6891. Every OPT found makes the reply carry one, even if it is a misplaced one. The
 * options of a version that we do not speak may be of any form. */
static void
read_opt(struct wire *w, const struct wire_record *record, bool additional,
    struct question *q, struct extras *extras)
{
	if (q->edns || !additional || record->owner.labels != 0)
		extras->malformed = true;
	q->edns = true;
	q->dnssec_ok = (record->ttl_s & WIRE_DO) != 0;
	q->udp_size = MIN_OF(MAX_OF(record->class, QUESTION_UDP_MIN), QUESTION_UDP_MAX);
	if (OPT_VERSION(record->ttl_s) != 0)
		extras->badvers = true;
	else
		(void)wire_rdata(w, record); /* it has set failed */
}

/* A query has nothing but OPT behind its question, save a signature, the key exchange
 * before one, and the SOA of an IXFR (RFC 1995 section 3). */
static void
read_extra(struct wire *w, bool additional, struct question *q, struct extras *extras)
{
	struct wire_record record;

	wire_record(w, &record);
	if (w->failed)
		return;
	if (record.type == TYPE_OPT)
		read_opt(w, &record, additional, q, extras);
	else if (additional && (record.type == TYPE_TSIG || record.type == TYPE_SIG ||
				   record.type == TYPE_TKEY))
		extras->is_signed = true;
	else if (additional || record.type != TYPE_SOA || q->type != TYPE_IXFR)
		extras->malformed = true;
}

/* Types that ask for something other than data, and that no forwarder can give. */
static bool
type_is_refused(uint16_t type)
{
	switch (type) {
	case TYPE_OPT:
	case TYPE_TKEY:
	case TYPE_TSIG:
	case TYPE_IXFR:
	case TYPE_AXFR:
	case TYPE_MAILB:
	case TYPE_MAILA:
		return true;
	default:
		return false;
	}
}

/* All that follows the header. A version of EDNS that we do not speak comes before what
 * we think of the question, because only the OPT of the reply can tell (RFC 6891 section
 * 6.1.3). */
static enum question_outcome
read_body(struct wire *w, const uint16_t counts[4], struct question *q)
{
	struct extras extras = {0};
	size_t others = (size_t)counts[1] + counts[2];

	for (size_t i = 0; i < counts[0] && !w->failed; i++)
		read_question(w, q);
	if (counts[0] != 1 || w->failed)
		q->has_question = false;
	for (size_t i = 0; i < others + counts[3] && !w->failed; i++)
		read_extra(w, i >= others, q, &extras);

	if (w->failed || w->pos != w->len || extras.malformed || !q->has_question)
		return QUESTION_FORMERR;
	if (extras.badvers)
		return QUESTION_BADVERS;
	if (extras.is_signed || q->class != CLASS_IN || type_is_refused(q->type))
		return QUESTION_REFUSED;
	return QUESTION_OK;
}

enum question_outcome
question_parse(const uint8_t *msg, size_t len, struct question *ret_question)
{
	struct question *q = ret_question;
	struct wire w;
	struct wire_header header;

	wire_init(&w, msg, len);
	wire_header(&w, &header);
	if (w.failed || (header.flags & WIRE_QR) != 0)
		return QUESTION_DROP;
	q->id = header.id;
	q->flags = header.flags;
	q->udp_size = QUESTION_UDP_MIN;
	q->has_question = q->edns = q->dnssec_ok = false;
	q->type = q->class = q->raw_len = 0;
	if ((header.flags & WIRE_OPCODE) != 0)
		return QUESTION_NOTIMP;
	if (len > QUESTION_MESSAGE_MAX)
		return QUESTION_FORMERR;
	return read_body(&w, header.counts, q);
}
