/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the image is written: every owner is a pointer to the question or to the alias that
 * led there, and all names in RDATA stand uncompressed, so nothing ever points into a
 * record that could be left out.
 *
 * ldns gets to see the RDATA of selected records with names in them, one at a time, and
 * nothing else. Of a whole message ldns 1.8.3 takes 1.5 GB for one TXT record of 40,000
 * empty strings, reads on in the middle of a record whose RDATA is longer than its type
 * asks for, and aborts when memory is short while it compresses names.
 */
#include "resolver/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "resolver/selection.h"
#include "resolver/wire.h"

/* An answer under construction. */
struct image {
	struct answer *answer;
	const struct selection *selection;
	struct answer_address *addresses;
	uint16_t *ttl_offsets;
	uint8_t *bytes;
	size_t len;
	size_t ttl_count;
	size_t owner; /* where the last name of the chain stands */
};

/* How long the record of the reply at pos becomes; 0 when it cannot be read. */
static size_t
rebuilt_len(const struct selection *s, size_t pos)
{
	struct wire_record record;
	struct wire w;
	size_t len;

	selection_record(s, pos, &record);
	wire_init(&w, s->msg, s->len);
	len = wire_rdata(&w, &record);
	return w.failed ? 0 : WIRE_RECORD_LEN + len;
}

/* The most that the image takes. */
static size_t
image_size(const struct selection *s)
{
	size_t size = WIRE_HEADER_LEN + s->names[0].len + 4u;

	for (size_t i = 1; i <= s->links; i++)
		size += WIRE_RECORD_LEN + s->names[i].len;
	size += s->address_count * (WIRE_RECORD_LEN + (s->type == TYPE_A ? 4u : 16u));
	for (size_t i = 0; i < s->record_count; i++)
		size += rebuilt_len(s, s->records[i]);
	return s->soa != 0 ? size + rebuilt_len(s, s->soa) : size;
}

/* The answer with its arrays and its image in one piece; NULL when out of memory. */
static struct answer *
image_init(struct image *im, const struct selection *s, size_t size)
{
	size_t ttls = s->links + s->address_count + s->record_count + (s->soa != 0);
	size_t bytes = sizeof(struct answer) +
		       s->address_count * sizeof(struct answer_address) +
		       ttls * sizeof(uint16_t) + size;
	struct answer *a = calloc(1, bytes);

	if (a == NULL)
		return NULL;
	a->refs = 1;
	a->bytes = bytes;
	im->answer = a;
	im->selection = s;
	im->addresses = (void *)(a + 1);
	im->ttl_offsets = (void *)(im->addresses + s->address_count);
	im->bytes = (void *)(im->ttl_offsets + ttls);
	im->len = im->ttl_count = 0;
	im->owner = WIRE_HEADER_LEN;
	return a;
}

static void
put_question(struct image *im)
{
	const struct name *name = &im->selection->names[0];
	uint8_t *at = im->bytes;

	wire_put_u16(
	    at + 2, (uint16_t)(WIRE_QR | WIRE_RD | WIRE_RA | im->selection->rcode));
	wire_put_u16(at + 4, 1);
	memcpy(at + WIRE_HEADER_LEN, name->bytes, name->len); /* image_size has it */
	im->len = WIRE_HEADER_LEN + name->len;
	wire_put_u16(at + im->len, im->selection->type);
	wire_put_u16(at + im->len + 2, CLASS_IN);
	im->len += 4;
}

/* A record up to its RDATA, whose place it returns; image_size has counted it. */
static uint8_t *
put_record(struct image *im, size_t owner, uint16_t type, size_t rdata_len)
{
	uint8_t *at = im->bytes + im->len;

	wire_put_record(at, owner, type, im->selection->ttl_s, rdata_len);
	im->ttl_offsets[im->ttl_count++] = (uint16_t)(im->len + 6);
	im->len += WIRE_RECORD_LEN + rdata_len;
	return at + WIRE_RECORD_LEN;
}

static void
put_chain(struct image *im)
{
	const struct selection *s = im->selection;

	for (size_t i = 1; i <= s->links; i++) {
		const struct name *target = &s->names[i];
		uint8_t *at = put_record(im, im->owner, TYPE_CNAME, target->len);

		memcpy(at, target->bytes, target->len);
		im->owner = (size_t)(at - im->bytes);
	}
}

static void
put_addresses(struct image *im)
{
	const struct selection *s = im->selection;

	for (size_t i = 0; i < s->address_count; i++) {
		const struct addr *addr = &s->addresses[i];
		size_t start = im->len;
		uint8_t *at = put_record(im, im->owner, s->type, addr_len(addr));

		memcpy(at, addr->bytes, addr_len(addr));
		im->addresses[i] = (struct answer_address){
		    .addr = *addr,
		    .offset = (uint16_t)start,
		    .len = (uint16_t)(im->len - start),
		};
	}
}

/* RDATA with names in it, read and built by ldns: len bytes into out. ldns may lose a
 * field when memory is short, and does not look where the RDATA ends: both show in the
 * lengths. */
static int
put_names(
    const struct selection *s, const struct wire_record *record, uint8_t *out, size_t len)
{
	ldns_rr *rr = ldns_rr_new();
	ldns_buffer *buffer = ldns_buffer_new(len);
	size_t pos = record->rdata - 2; /* of RDLENGTH */
	int r = -ENOMEM;

	if (rr == NULL || buffer == NULL)
		goto out;
	r = -EBADMSG;
	ldns_rr_set_type(rr, record->type);
	if (ldns_wire2rdf(rr, s->msg, s->len, &pos) != LDNS_STATUS_OK ||
	    pos != record->rdata + record->rdata_len)
		goto out;
	if (ldns_rr_rdata2buffer_wire(buffer, rr) != LDNS_STATUS_OK ||
	    ldns_buffer_position(buffer) != len)
		goto out;
	memcpy(out, ldns_buffer_begin(buffer), len);
	r = 0;
out:
	ldns_buffer_free(buffer);
	ldns_rr_free(rr);
	return r;
}

/* The record of the reply at pos, under the name that stands at owner. */
static int
put_rebuilt(struct image *im, size_t owner, size_t pos)
{
	const struct selection *s = im->selection;
	size_t len = rebuilt_len(s, pos);
	struct wire_record record;
	uint8_t *at;

	if (len < WIRE_RECORD_LEN)
		return -EBADMSG;
	len -= WIRE_RECORD_LEN;
	selection_record(s, pos, &record);
	at = put_record(im, owner, record.type, len);
	if (wire_has_names(record.type))
		return put_names(s, &record, at, len);
	memcpy(at, s->msg + record.rdata, len); /* image_size has counted it */
	return 0;
}

/* Take the last record away again when it is there already (RFC 2181 section 5). Only
 * records of one owner, type and TTL are compared. */
static void
drop_repeated(struct image *im, size_t start)
{
	size_t last = im->ttl_count - 1;

	for (size_t i = im->selection->links; i < last; i++) {
		const uint8_t *other = im->bytes + im->ttl_offsets[i] - 6;

		if (memcmp(other, im->bytes + start, im->len - start) == 0) {
			im->len = start;
			im->ttl_count = last;
			return;
		}
	}
}

static int
put_records(struct image *im)
{
	const struct selection *s = im->selection;
	struct wire_record soa;
	int r = 0;

	for (size_t i = 0; i < s->record_count && r == 0; i++) {
		size_t start = im->len;

		r = put_rebuilt(im, im->owner, s->records[i]);
		if (r == 0)
			drop_repeated(im, start);
	}
	im->answer->answer_records = (uint16_t)im->ttl_count;
	if (r < 0 || s->soa == 0)
		return r;
	selection_record(s, s->soa, &soa);
	im->answer->authority_records = 1;
	return put_rebuilt(
	    im, im->owner + s->names[s->links].len - soa.owner.len, s->soa);
}

static void
image_finish(struct image *im, int64_t now_ms)
{
	const struct selection *s = im->selection;
	struct answer *a = im->answer;

	wire_put_u16(im->bytes + 6, a->answer_records);
	wire_put_u16(im->bytes + 8, a->authority_records);
	a->name = s->names[0];
	a->type = s->type;
	a->rcode = s->rcode;
	a->negative = selection_is_negative(s);
	a->ttl_s = s->ttl_s;
	a->born_ms = now_ms;
	a->address_count = s->address_count;
	a->addresses = im->addresses;
	a->ttl_count = im->ttl_count;
	a->ttl_offsets = im->ttl_offsets;
	a->len = (uint16_t)im->len;
	a->image = im->bytes;
}

int
answer_examine(const uint8_t *msg, size_t len, const struct name *name, uint16_t type,
    int64_t now_ms, struct answer **ret_answer)
{
	struct selection s;
	struct image im;
	size_t size;
	int r;

	r = selection_make(msg, len, name, type, &s);
	if (r < 0)
		return r;
	size = image_size(&s);
	if (size > ANSWER_BYTES_MAX)
		return -EMSGSIZE;
	if (image_init(&im, &s, size) == NULL)
		return -ENOMEM;
	put_question(&im);
	put_chain(&im);
	put_addresses(&im);
	r = put_records(&im);
	if (r < 0) {
		free(im.answer);
		return r;
	}
	image_finish(&im, now_ms);
	*ret_answer = im.answer;
	return 0;
}

struct answer *
answer_ref(struct answer *a)
{
	a->refs++;
	return a;
}

void
answer_unref(struct answer *a)
{
	if (a != NULL && --a->refs == 0)
		free(a);
}

static int64_t
age_s(const struct answer *a, int64_t now_ms)
{
	return now_ms > a->born_ms ? (now_ms - a->born_ms) / 1000 : 0;
}

uint32_t
answer_ttl(const struct answer *a, int64_t now_ms)
{
	int64_t age = age_s(a, now_ms);

	return age < a->ttl_s ? a->ttl_s - (uint32_t)age : 0;
}

int64_t
answer_ttl_end(const struct answer *a, int64_t now_ms)
{
	return a->born_ms + (age_s(a, now_ms) + 1) * 1000;
}
