/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ldns/ldns.h>

#include "resolver/answer.h"
#include "resolver/wire.h"
#include "tests/unit/alloc.h"
#include "tests/unit/message.h"

static struct message m;

static int
try(const char *name, uint16_t type, struct answer **ret_answer)
{
	struct name n = message_parsed(name);

	assert_int_equal(wire_check(m.bytes, m.len), 0);
	return answer_examine(m.bytes, m.len, &n, type, 1000, ret_answer);
}

/* What any image must be, seen by our own walk. */
static void
check_image(const struct answer *a)
{
	struct wire w;
	struct wire_header header;
	struct wire_record record;
	size_t first = a->ttl_count - a->address_count;

	assert_int_equal(wire_check(a->image, a->len), 0);
	wire_init(&w, a->image, a->len);
	wire_header(&w, &header);
	assert_int_equal(header.flags, MESSAGE_REPLY | a->rcode);
	assert_int_equal(header.counts[ANSWER], a->answer_records);
	assert_int_equal(header.counts[AUTHORITY], a->authority_records);
	assert_int_equal(header.counts[ADDITIONAL], 0);
	assert_int_equal(a->ttl_count, a->answer_records + a->authority_records);
	assert_memory_equal(a->image + w.pos, a->name.bytes, a->name.len);
	w.pos += a->name.len + 4u;
	for (size_t i = 0; i < a->ttl_count; i++) {
		wire_record(&w, &record);
		assert_int_equal(record.ttl_pos, a->ttl_offsets[i]);
		assert_int_equal(record.ttl_s, a->ttl_s);
		assert_int_equal(record.class, CLASS_IN);
		if (i < first)
			continue;
		assert_int_equal(record.type, a->type);
		assert_int_equal(record.start, a->addresses[i - first].offset);
		assert_int_equal(w.pos - record.start, a->addresses[i - first].len);
		assert_memory_equal(a->image + record.rdata,
		    a->addresses[i - first].addr.bytes, record.rdata_len);
	}
	assert_false(w.failed);
	assert_int_equal(w.pos, a->len);
	assert_true(a->bytes >= sizeof(*a) + a->len);
}

/* The answer to the reply in m, with its image checked. */
static struct answer *
examine(const char *name, uint16_t type)
{
	struct answer *a;

	assert_int_equal(try(name, type, &a), 0);
	check_image(a);
	assert_int_equal(a->born_ms, 1000);
	assert_int_equal(a->type, type);
	assert_int_equal(a->refs, 1);
	return a;
}

static void
an_image_is_the_chain_and_then_the_addresses(void **state)
{
	static const char expected[] = "\0\0\x81\x80\0\1\0\3\0\0\0\0\1a\4test\0\0\1\0\1"
				       "\xc0\x0c\0\5\0\1\0\0\0\x32\0\3\1b\0"
				       "\xc0\x24\0\1\0\1\0\0\0\x32\0\4\xc0\0\2\1"
				       "\xc0\x24\0\1\0\1\0\0\0\x32\0\4\xc0\0\2\2";
	struct answer *a;

	(void)state;
	message_reply(&m, "A.tEst", TYPE_A);
	message_a(&m, "b", 70, "192.0.2.1");
	message_alias(&m, "a.Test", 50, "B");
	message_a(&m, "b", 60, "192.0.2.2");
	a = examine("a.test", TYPE_A);
	assert_int_equal(a->len, sizeof(expected) - 1);
	assert_memory_equal(a->image, expected, a->len);
	assert_int_equal(a->address_count, 2);
	assert_int_equal(a->ttl_s, 50);
	assert_int_equal(a->rcode, RCODE_NOERROR);
	assert_false(a->negative);
	answer_unref(a);
}

static void
the_longest_chain_has_valid_pointers(void **state)
{
	char owner[254], target[254];
	struct answer *a;

	(void)state;
	memset(owner, 'x', sizeof(owner));
	owner[63] = owner[127] = owner[191] = '.';
	owner[253] = '\0';
	message_reply(&m, owner, TYPE_AAAA);
	for (char c = 'a'; c < 'a' + ANSWER_CHAIN_MAX; c++) {
		memcpy(target, owner, sizeof(target));
		target[0] = c;
		message_alias(&m, owner, 60, target);
		memcpy(owner, target, sizeof(owner));
	}
	for (unsigned i = 0; i < ANSWER_ADDRESSES_MAX; i++) {
		(void)snprintf(target, sizeof(target), "2001:db8::%x", i);
		message_aaaa(&m, owner, 60, target);
	}
	owner[0] = 'x';
	a = examine(owner, TYPE_AAAA);
	assert_int_equal(a->address_count, ANSWER_ADDRESSES_MAX);
	assert_int_equal(a->answer_records, ANSWER_CHAIN_MAX + ANSWER_ADDRESSES_MAX);
	answer_unref(a);
}

static void
the_root_can_own_anything(void **state)
{
	struct answer *a;

	(void)state;
	message_reply(&m, ".", TYPE_A);
	message_a(&m, ".", 60, "192.0.2.1");
	a = examine(".", TYPE_A);
	assert_int_equal(a->address_count, 1);
	answer_unref(a);
	message_reply(&m, "a", TYPE_A);
	message_alias(&m, "a", 60, ".");
	message_soa(&m, ".", 60, 60);
	a = examine("a", TYPE_A);
	assert_true(a->negative);
	assert_int_equal(a->ttl_s, 60);
	answer_unref(a);
}

/* Who owns the last record of the image? */
static struct name
last_owner(const struct answer *a)
{
	struct wire_record record;
	struct wire w;

	wire_init(&w, a->image, a->len);
	w.pos = a->ttl_offsets[a->ttl_count - 1] - 6u;
	wire_record(&w, &record);
	return record.owner;
}

static void
item_54_a_negative_answer_keeps_chain_and_soa(void **state)
{
	static const uint16_t rcodes[] = {RCODE_NOERROR, RCODE_NXDOMAIN};
	struct name other = message_parsed("other"), owner;
	struct answer *a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rcodes); i++) {
		message_reply(&m, "a.test", TYPE_A);
		message_put16(&m, 2, (uint16_t)(MESSAGE_REPLY | WIRE_AA | rcodes[i]));
		message_alias(&m, "@", 500, "b.Other");
		message_soa(&m, "Other", 400, 300);
		message_opt(&m, 1232, 0, NULL, 0);
		a = examine("a.test", TYPE_A);
		assert_true(a->negative);
		assert_int_equal(a->rcode, rcodes[i]);
		assert_int_equal(a->ttl_s, 300);
		assert_int_equal(a->answer_records, 1);
		assert_int_equal(a->authority_records, 1);
		owner = last_owner(a);
		assert_true(name_equal(&owner, &other));
		assert_int_equal(a->address_count, 0);
		answer_unref(a);
	}
	message_reply(&m, "a.test", TYPE_A);
	a = examine("a.test", TYPE_A);
	assert_true(a->negative);
	assert_int_equal(a->ttl_s, 0);
	assert_int_equal(a->len, WIRE_HEADER_LEN + 8 + 4);
	answer_unref(a);
}

/* RDATA with names, in ldns's own text form, and a name that it holds compressed. */
static const char *const texts[] = {
    "a.test. IN NS ns.a.test.",
    "a.test. IN SOA ns.a.test. h.test. 1 2 3 4 5",
    "a.test. IN PTR Host.a.test.",
    "a.test. IN MX 10 mx.a.test.",
    "a.test. IN MX 0 .",
    "a.test. IN TXT \"v=1\" \"\" \"two\"",
    "a.test. IN HINFO \"cpu\" \"os\"",
    "a.test. IN SRV 1 2 3 Srv.test.",
    "a.test. IN NAPTR 1 2 \"u\" \"sip\" \"!^.*$!x!\" r.test.",
    "a.test. IN DNAME d.test.",
    "a.test. IN RP m.test. t.a.test.",
    "a.test. IN AFSDB 1 afs.test.",
    "a.test. IN KX 1 kx.a.test.",
    "a.test. IN CNAME c.a.test.",
    "a.test. IN CAA 0 issue \"ca.test\"",
    "a.test. IN DS 1 8 1 0000000000000000000000000000000000000000",
    "a.test. IN TLSA 3 1 1 00",
    "a.test. IN SSHFP 1 1 00",
    "a.test. IN LOC 52 0 0.000 N 4 0 0.000 E 0.00m 1m 1m 1m",
    "a.test. IN NSEC b.a.test. A RRSIG NSEC",
    "a.test. IN TYPE65280 \\# 3 010203",
    "a.test. IN HTTPS 1 . alpn=h2",
    "a.test. IN SVCB 1 s.a.test. port=443",
};

/* ldns's own packet of one record, in m: its names are compressed where they may be. */
static void
put_packet(ldns_rr *rr)
{
	ldns_pkt *packet = ldns_pkt_new();
	ldns_rr *question = ldns_rr_new();
	uint8_t *wire;
	size_t len;

	ldns_rr_set_question(question, true);
	ldns_rr_set_owner(question, ldns_rdf_clone(ldns_rr_owner(rr)));
	ldns_rr_set_type(question, ldns_rr_get_type(rr));
	ldns_rr_set_class(question, LDNS_RR_CLASS_IN);
	ldns_pkt_set_qr(packet, true);
	assert_true(ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION, question));
	assert_true(ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, ldns_rr_clone(rr)));
	assert_int_equal(ldns_pkt2wire(&wire, packet, &len), LDNS_STATUS_OK);
	m.len = 0;
	message_bytes(&m, wire, len);
	free(wire);
	ldns_pkt_free(packet);
}

/* A record comes out of reply, image and ldns as it went in. */
static void
round_trip_of_every_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct answer *a;
		ldns_pkt *packet;
		ldns_rr *rr;

		if (ldns_rr_new_frm_str(&rr, texts[i], 60, NULL, NULL) != LDNS_STATUS_OK)
			fail_msg("ldns does not know %s", texts[i]);
		put_packet(rr);
		a = examine("a.test", (uint16_t)ldns_rr_get_type(rr));
		assert_int_equal(a->answer_records, 1);
		assert_int_equal(
		    ldns_wire2pkt(&packet, a->image, a->len), LDNS_STATUS_OK);
		if (ldns_rr_compare(rr, ldns_rr_list_rr(ldns_pkt_answer(packet), 0)) != 0)
			fail_msg("changed: %s", texts[i]);
		ldns_pkt_free(packet);
		ldns_rr_free(rr);
		answer_unref(a);
	}
}

static void
repeated_records_are_sent_once(void **state)
{
	struct answer *a;

	(void)state;
	message_reply(&m, "a.test", TYPE_MX);
	message_alias(&m, "@", 60, "b.test");
	for (size_t i = 0; i < 6; i++) {
		message_begin(&m, ANSWER, "b.test", TYPE_MX, 60);
		message_u16(&m, (uint16_t)(i % 3));
		if (i < 3)
			message_name(&m, "mx.test");
		else
			message_bytes(&m, "\2mx\xc0\x0e", 5);
		message_end(&m);
	}
	a = examine("a.test", TYPE_MX);
	assert_int_equal(a->answer_records, 1 + 3);
	answer_unref(a);
}

/* ldns 1.8.3 goes on reading behind the last field that it knows, not behind the RDATA,
 * and would take the address in it for a record. */
static void
a_record_hidden_in_rdata_stays_hidden(void **state)
{
	static const char x25[] = "\0\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1";
	struct answer *a;
	ldns_pkt *packet;

	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_record(&m, ANSWER, "@", 19, 60, x25, sizeof(x25) - 1);
	message_a(&m, "@", 60, "192.0.2.1");
	assert_int_equal(ldns_wire2pkt(&packet, m.bytes, m.len), LDNS_STATUS_OK);
	ldns_pkt_free(packet);
	a = examine("a", TYPE_A);
	assert_int_equal(a->address_count, 1);
	assert_int_equal(a->addresses[0].addr.bytes[0], 192);
	answer_unref(a);
}

static void
rdata_that_ldns_reads_otherwise_than_we_is_refused(void **state)
{
	struct answer *a;

	(void)state;
	message_reply(&m, "a", 30); /* NXT: a name and what we take for the rest */
	message_record(&m, ANSWER, "@", 30, 60, "\0", 1);
	a = examine("a", 30);
	answer_unref(a);
	message_reply(&m, "a", TYPE_RRSIG); /* times and numbers, the signature absent */
	message_record(&m, ANSWER, "@", TYPE_RRSIG, 60,
	    "\0\1\5\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0x", 20);
	a = examine("a", TYPE_RRSIG);
	answer_unref(a);
	message_reply(&m, "a", TYPE_TKEY); /* a key longer than the record */
	message_record(
	    &m, ANSWER, "@", TYPE_TKEY, 60, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\0\0", 17);
	assert_int_equal(try("a", TYPE_TKEY, &a), -EBADMSG);
}

static void
an_image_has_at_most_16384_bytes(void **state)
{
	static const uint8_t zeros[ANSWER_BYTES_MAX]; /* a TXT of empty strings */
	size_t most = ANSWER_BYTES_MAX - WIRE_HEADER_LEN - 3 - 4 - WIRE_RECORD_LEN;
	struct answer *a;

	(void)state;
	message_reply(&m, "a", TYPE_TXT);
	message_record(&m, ANSWER, "@", TYPE_TXT, 60, zeros, most);
	a = examine("a", TYPE_TXT);
	assert_int_equal(a->len, ANSWER_BYTES_MAX);
	answer_unref(a);
	message_reply(&m, "a", TYPE_TXT);
	message_record(&m, ANSWER, "@", TYPE_TXT, 60, zeros, most + 1);
	assert_int_equal(try("a", TYPE_TXT, &a), -EMSGSIZE);
}

static void
errors_give_no_answer(void **state)
{
	struct answer *const none = (void *)&m;
	struct answer *a = none;

	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_put16(&m, 2, MESSAGE_REPLY | RCODE_SERVFAIL);
	assert_int_equal(try("a", TYPE_A, &a), -EREMOTEIO);
	message_reply(&m, "a", TYPE_A);
	message_alias(&m, "@", 60, "a");
	assert_int_equal(try("a", TYPE_A, &a), -ELOOP);
	assert_int_equal(try("a", TYPE_AAAA, &a), -EBADMSG);
	message_reply(&m, "a", TYPE_A);
	message_a(&m, "@", 60, "192.0.2.1");
	alloc_fail_at(0);
	assert_int_equal(try("a", TYPE_A, &a), -ENOMEM);
	alloc_reset();
	assert_ptr_equal(a, none);
}

static void
references_keep_it(void **state)
{
	struct answer *a;

	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_a(&m, "@", 60, "192.0.2.1");
	a = examine("a", TYPE_A);
	assert_ptr_equal(answer_ref(a), a);
	answer_unref(a);
	assert_int_equal(a->address_count, 1);
	answer_unref(a);
	answer_unref(NULL);
}

static void
item_51_the_ttl_counts_down_to_0(void **state)
{
	struct answer *a;

	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_a(&m, "@", 60, "192.0.2.1");
	a = examine("a", TYPE_A);
	assert_int_equal(answer_ttl(a, 0), 60); /* before it came: no more than it had */
	assert_int_equal(answer_ttl(a, 1000), 60);
	assert_int_equal(answer_ttl(a, 1999), 60);
	assert_int_equal(answer_ttl(a, 2000), 59);
	assert_int_equal(answer_ttl(a, 60999), 1);
	assert_int_equal(answer_ttl(a, 61000), 0);
	assert_int_equal(answer_ttl(a, INT64_MAX), 0);
	answer_unref(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_image_is_the_chain_and_then_the_addresses),
	    cmocka_unit_test(the_longest_chain_has_valid_pointers),
	    cmocka_unit_test(the_root_can_own_anything),
	    cmocka_unit_test(item_54_a_negative_answer_keeps_chain_and_soa),
	    cmocka_unit_test(round_trip_of_every_type),
	    cmocka_unit_test(repeated_records_are_sent_once),
	    cmocka_unit_test(a_record_hidden_in_rdata_stays_hidden),
	    cmocka_unit_test(rdata_that_ldns_reads_otherwise_than_we_is_refused),
	    cmocka_unit_test(an_image_has_at_most_16384_bytes),
	    cmocka_unit_test(errors_give_no_answer),
	    cmocka_unit_test(references_keep_it),
	    cmocka_unit_test(item_51_the_ttl_counts_down_to_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
