/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "resolver/hints.h"
#include "resolver/reply.h"
#include "resolver/wire.h"
#include "tests/unit/alloc.h"
#include "tests/unit/message.h"

#define HEAD "\0\1\0" /* priority 1, target "." */
#define ALPN "\0\1\0\3\2h2"
#define ECH "\0\5\0\2xx"
#define HINT4 "\0\4\0\4"

static struct message m;

static void
record(const char *owner, const void *rdata, size_t len)
{
	message_record(&m, ANSWER, owner, TYPE_HTTPS, 60, rdata, len);
}

/* HEAD, alpn, ipv4hint with so many addresses from 198.51.100.first on, ech, ipv6hint
 * with 2001:db8::1. */
static void
full_record(const char *owner, uint8_t first, uint8_t count)
{
	message_begin(&m, ANSWER, owner, TYPE_HTTPS, 60);
	message_bytes(&m, HEAD ALPN, sizeof(HEAD ALPN) - 1);
	message_u16(&m, 4);
	message_u16(&m, (uint16_t)(4 * count));
	for (uint8_t i = 0; i < count; i++)
		message_bytes(&m, (uint8_t[]){198, 51, 100, (uint8_t)(first + i)}, 4);
	message_bytes(&m, ECH, sizeof(ECH) - 1);
	message_bytes(&m, "\0\6\0\20\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1", 20);
	message_end(&m);
}

static struct answer *
examined(void)
{
	struct name name = message_parsed("a.test");
	struct answer *a;

	assert_int_equal(wire_check(m.bytes, m.len), 0);
	assert_int_equal(answer_examine(m.bytes, m.len, &name, TYPE_HTTPS, 1000, &a), 0);
	return a;
}

/* The reply in m with its hints found. */
static struct answer *
found(void)
{
	struct answer *a = examined(), *hinted;

	assert_int_equal(hints_find(a, &hinted), 0);
	assert_int_equal(hinted->refs, 1);
	answer_unref(a);
	return hinted;
}

/* And cut; what any image must be. */
static struct answer *
cut(const struct answer *a, uint64_t keep)
{
	struct wire w;
	struct wire_header header;
	struct wire_record r;
	struct answer *c;

	assert_int_equal(hints_cut(a, keep, &c), 0);
	assert_int_equal(wire_check(c->image, c->len), 0);
	wire_init(&w, c->image, c->len);
	wire_header(&w, &header);
	assert_int_equal(header.counts[ANSWER], c->answer_records);
	assert_int_equal(header.counts[AUTHORITY], c->authority_records);
	assert_int_equal(c->ttl_count, c->answer_records + c->authority_records);
	w.pos += c->name.len + 4u;
	for (size_t i = 0; i < c->ttl_count; i++) {
		wire_record(&w, &r);
		assert_int_equal(r.ttl_pos, c->ttl_offsets[i]);
	}
	assert_int_equal(w.pos, c->len);
	assert_int_equal(c->address_count, 0);
	assert_int_equal(c->refs, 1);
	assert_int_equal(c->born_ms, a->born_ms);
	return c;
}

static bool
has_bytes(const struct answer *a, const void *bytes, size_t len)
{
	return memmem(a->image, a->len, bytes, len) != NULL;
}

static void
hints_are_found_each_once(void **state)
{
	struct answer *a;

	(void)state;
	message_reply(&m, "a.test", TYPE_HTTPS);
	full_record("@", 1, 2);
	full_record("@", 2, 2);
	a = found();
	assert_int_equal(a->address_count, 4); /* .1, .2, ::1, .3 */
	assert_true(addr_equal(
	    &a->addresses[0].addr, &(struct addr){AF_INET, {198, 51, 100, 1}}));
	assert_int_equal(a->addresses[2].addr.family, AF_INET6);
	assert_true(addr_equal(
	    &a->addresses[3].addr, &(struct addr){AF_INET, {198, 51, 100, 3}}));
	answer_unref(a);
}

static void
found_twice_is_found_once(void **state)
{
	struct answer *a, *again;

	(void)state;
	message_reply(&m, "a.test", TYPE_HTTPS);
	full_record("@", 1, 2);
	a = found();
	assert_int_equal(hints_find(a, &again), 0);
	assert_int_equal(again->address_count, 3);
	assert_int_equal(again->len, a->len);
	assert_memory_equal(again->image, a->image, a->len);
	answer_unref(again);
	answer_unref(a);
}

static void
what_is_not_kept_is_cut_from_each_record(void **state)
{
	struct answer *a, *c;

	(void)state;
	message_reply(&m, "a.test", TYPE_HTTPS);
	full_record("@", 1, 2);
	full_record("@", 2, 2);
	a = found();
	c = cut(a, 1 << 1);
	assert_int_equal(c->answer_records, 2);
	assert_false(c->negative);
	assert_false(has_bytes(c, "\306\63\144\1", 4));
	assert_true(has_bytes(c, HINT4 "\306\63\144\2", 8));
	assert_false(has_bytes(c, "\306\63\144\3", 4));
	assert_false(has_bytes(c, "\40\1\15\270", 4));
	assert_false(has_bytes(c, ECH, sizeof(ECH) - 1));
	answer_unref(c);
	c = cut(a, 0);
	assert_int_equal(c->answer_records, 2);
	assert_true(has_bytes(c, HEAD ALPN, sizeof(HEAD ALPN) - 1));
	assert_false(has_bytes(c, "\306\63\144", 3));
	answer_unref(c);
	answer_unref(a);
}

static void
hints_beyond_what_keep_has_bits_for_are_cut(void **state)
{
	struct answer *a, *c;

	(void)state;
	message_reply(&m, "a.test", TYPE_HTTPS);
	full_record("@", 0, 80);
	a = found();
	assert_int_equal(a->address_count, ANSWER_ADDRESSES_MAX);
	c = cut(a, UINT64_MAX);
	assert_true(has_bytes(c, "\306\63\144\77", 4));
	assert_false(has_bytes(c, "\306\63\144\100", 4));
	answer_unref(c);
	answer_unref(a);
}

static void
malformed_records_go_and_have_no_hints(void **state)
{
	static const char bad[] = HEAD HINT4 "\306\63\144\11" HINT4 "\306\63\144\12";
	struct answer *a, *c;

	(void)state;
	message_reply(&m, "a.test", TYPE_HTTPS);
	record("@", bad, sizeof(bad) - 1);
	full_record("@", 1, 1);
	record("@", HEAD "\0\3\0\1x", 8);
	a = found();
	assert_int_equal(a->address_count, 2);
	c = cut(a, UINT64_MAX);
	assert_int_equal(c->answer_records, 1);
	assert_false(has_bytes(c, "\306\63\144\11", 4));
	answer_unref(c);
	answer_unref(a);
	message_reply(&m, "a.test", TYPE_HTTPS);
	record("@", bad, sizeof(bad) - 1);
	a = found();
	c = cut(a, UINT64_MAX);
	assert_int_equal(c->answer_records, 0);
	assert_true(c->negative);
	answer_unref(c);
	answer_unref(a);
}

static void
a_chain_stays(void **state)
{
	struct answer *a, *c;

	(void)state;
	message_reply(&m, "a.test", TYPE_HTTPS);
	message_alias(&m, "@", 60, "b.test");
	message_alias(&m, "b.test", 60, "c.test");
	full_record("c.test", 1, 2);
	full_record("c.test", 3, 2);
	a = found();
	assert_int_equal(a->address_count, 5);
	c = cut(a, 1);
	assert_int_equal(c->answer_records, 4);
	assert_true(has_bytes(c, "\1c\4test", 7));
	answer_unref(c);
	answer_unref(a);
}

static void
no_record_is_no_record(void **state)
{
	struct answer *a, *c;

	(void)state;
	message_reply(&m, "a.test", TYPE_HTTPS);
	message_soa(&m, "test", 30, 30);
	a = found();
	assert_int_equal(a->address_count, 0);
	c = cut(a, 0);
	assert_true(c->negative);
	assert_int_equal(c->authority_records, 1);
	assert_int_equal(c->len, a->len);
	answer_unref(c);
	answer_unref(a);
}

static void
a_reply_is_made_of_what_is_left(void **state)
{
	static uint8_t out[1232];
	struct message query;
	struct question q;
	struct answer *a, *c;
	size_t len;

	(void)state;
	message_reply(&m, "a.test", TYPE_HTTPS);
	full_record("@", 1, 2);
	a = found();
	c = cut(a, 2);
	message_query(&query, "a.test", TYPE_HTTPS);
	assert_int_equal(question_parse(query.bytes, query.len, &q), QUESTION_OK);
	len = reply_answer(&q, c, UINT64_MAX, 7, NULL, 512, out, sizeof(out));
	assert_int_equal(wire_check(out, len), 0);
	assert_int_equal(out[7], 1);
	assert_int_equal(out[c->ttl_offsets[0] + 3], 7);
	answer_unref(c);
	answer_unref(a);
}

static void
without_memory_nothing_is_made(void **state)
{
	struct answer *a, *other = NULL;

	(void)state;
	message_reply(&m, "a.test", TYPE_HTTPS);
	full_record("@", 1, 2);
	a = found();
	alloc_fail_at(0);
	assert_int_equal(hints_find(a, &other), -ENOMEM);
	alloc_fail_at(0);
	assert_int_equal(hints_cut(a, 1, &other), -ENOMEM);
	alloc_reset();
	assert_null(other);
	answer_unref(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hints_are_found_each_once),
	    cmocka_unit_test(found_twice_is_found_once),
	    cmocka_unit_test(what_is_not_kept_is_cut_from_each_record),
	    cmocka_unit_test(hints_beyond_what_keep_has_bits_for_are_cut),
	    cmocka_unit_test(malformed_records_go_and_have_no_hints),
	    cmocka_unit_test(a_chain_stays),
	    cmocka_unit_test(no_record_is_no_record),
	    cmocka_unit_test(a_reply_is_made_of_what_is_left),
	    cmocka_unit_test(without_memory_nothing_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
