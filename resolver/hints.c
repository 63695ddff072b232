/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/hints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/svcb.h"
#include "resolver/wire.h"

/* Another answer under construction, its arrays and image in one piece with it. */
struct copy {
	struct answer *answer;
	struct answer_address *addresses;
	uint16_t *ttl_offsets;
	uint8_t *image;
};

/* All of a but the addresses, for which there is room. */
static int
copy_init(struct copy *c, const struct answer *a, size_t addresses)
{
	size_t bytes = sizeof(*a) + addresses * sizeof(*a->addresses) +
		       a->ttl_count * sizeof(*a->ttl_offsets) + a->len;

	c->answer = calloc(1, bytes);
	if (c->answer == NULL)
		return -ENOMEM;
	*c->answer = *a;
	c->addresses = (void *)(c->answer + 1);
	c->ttl_offsets = (void *)(c->addresses + addresses);
	c->image = (void *)(c->ttl_offsets + a->ttl_count);
	memcpy(c->ttl_offsets, a->ttl_offsets, /* bytes has counted both */
	    a->ttl_count * sizeof(*a->ttl_offsets));
	memcpy(c->image, a->image, a->len);
	c->answer->refs = 1;
	c->answer->bytes = bytes;
	c->answer->address_count = addresses;
	c->answer->addresses = c->addresses;
	c->answer->ttl_offsets = c->ttl_offsets;
	c->answer->image = c->image;
	return 0;
}

/* A cursor before the first record; they are answer_records and authority_records. */
static struct wire
records_of(const struct answer *a)
{
	struct wire w;

	wire_init(&w, a->image, a->len);
	wire_skip(&w, WIRE_HEADER_LEN + a->name.len + 4u);
	return w;
}

static bool
is_service(const struct wire_record *record)
{
	return record->type == TYPE_SVCB || record->type == TYPE_HTTPS;
}

/* Where addr is among len, which may be where the next one goes. */
static size_t
place_of(const struct addr *list, size_t len, const struct addr *addr)
{
	size_t i = 0;

	while (i < len && !addr_equal(&list[i], addr))
		i++;
	return i;
}

static size_t
add_hints(const struct svcb *s, struct addr *list, size_t len)
{
	for (size_t i = 0; i < svcb_hint_count(s); i++) {
		struct addr addr = svcb_hint(s, i);

		if (place_of(list, len, &addr) == len && len < ANSWER_ADDRESSES_MAX)
			list[len++] = addr;
	}
	return len;
}

int
hints_find(const struct answer *a, struct answer **ret_answer)
{
	struct addr list[ANSWER_ADDRESSES_MAX];
	struct wire w = records_of(a);
	struct copy c;
	size_t len = 0;
	int r;

	for (size_t i = 0; i < a->answer_records; i++) {
		struct wire_record record;
		struct svcb s;

		wire_record_past(&w, &record);
		if (is_service(&record) &&
		    svcb_parse(a->image + record.rdata, record.rdata_len, &s) == 0)
			len = add_hints(&s, list, len);
	}
	r = copy_init(&c, a, len);
	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++)
		c.addresses[i] = (struct answer_address){.addr = list[i]};
	*ret_answer = c.answer;
	return 0;
}

struct kept {
	const struct answer *answer;
	uint64_t keep;
};

static bool
is_kept(const void *ctx, const struct addr *addr)
{
	const struct kept *kept = ctx;
	const struct answer *a = kept->answer;

	for (size_t i = 0; i < a->address_count; i++)
		if (addr_equal(&a->addresses[i].addr, addr))
			return (kept->keep >> i & 1) != 0;
	return false;
}

/* The record where the copy ends so far; false: it is malformed. It never gets longer,
 * and stands under the same name: what owners point at comes before all of this. */
static bool
put_record(struct copy *c, const struct kept *kept, const struct wire_record *record)
{
	const uint8_t *image = kept->answer->image;
	struct answer *out = c->answer;
	size_t head = record->rdata - record->start, len = record->rdata_len;
	uint8_t *at = c->image + out->len;
	struct svcb s;

	if (is_service(record) && svcb_parse(image + record->rdata, len, &s) < 0)
		return false;
	memcpy(at, image + record->start, head);
	if (is_service(record))
		len = svcb_write(&s, is_kept, kept, at + head);
	else
		memcpy(at + head, image + record->rdata, len);
	wire_put_u16(at + head - 2, (uint16_t)len);
	c->ttl_offsets[out->ttl_count++] =
	    (uint16_t)(out->len + record->ttl_pos - record->start);
	out->len = (uint16_t)(out->len + head + len);
	return true;
}

int
hints_cut(const struct answer *a, uint64_t keep, struct answer **ret_answer)
{
	struct kept kept = {.answer = a, .keep = keep};
	struct wire w = records_of(a);
	struct copy c;
	int r = copy_init(&c, a, 0);

	if (r < 0)
		return r;
	c.answer->len = (uint16_t)w.pos;
	c.answer->ttl_count = 0;
	c.answer->answer_records = 0;
	c.answer->negative = true;
	for (size_t i = 0; i < a->answer_records + (size_t)a->authority_records; i++) {
		struct wire_record record;

		wire_record_past(&w, &record);
		if (!put_record(&c, &kept, &record) || i >= a->answer_records)
			continue;
		c.answer->answer_records++;
		if (record.type == a->type)
			c.answer->negative = false;
	}
	wire_put_u16(c.image + 6, c.answer->answer_records);
	*ret_answer = c.answer;
	return 0;
}
