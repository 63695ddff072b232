/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include <ldns/ldns.h>

#include "resolver/reply.h"
#include "tests/unit/message.h"

#define SIZE 4096

static struct message m;
static struct question q;
static uint8_t out[SIZE];
static size_t len;
static struct wire_header header;

static const struct reply_ede blocked = {.code = EDE_BLOCKED, .text = "not listed"};

/* A query in m becomes q. */
static void
ask(void)
{
	(void)question_parse(m.bytes, m.len, &q);
}

static void
ask_for(const char *name, uint16_t type, bool edns)
{
	message_query(&m, name, type);
	if (edns)
		message_opt(&m, 1232, WIRE_DO, NULL, 0);
	ask();
}

/* The answer to the reply in m. */
static struct answer *
examine(const char *name, uint16_t type)
{
	struct name n = message_parsed(name);
	struct answer *a;

	assert_int_equal(wire_check(m.bytes, m.len), 0);
	assert_int_equal(answer_examine(m.bytes, m.len, &n, type, 0, &a), 0);
	return a;
}

/* What holds for every reply, seen by our walk and by ldns. Leaves header. */
static void
check_reply(void)
{
	struct wire w;
	ldns_pkt *packet;

	wire_init(&w, out, len);
	wire_header(&w, &header);
	assert_int_equal(header.id, q.id);
	assert_int_equal(header.flags & (WIRE_QR | WIRE_RA | WIRE_AA | WIRE_AD | 0x40),
	    WIRE_QR | WIRE_RA);
	assert_int_equal((header.flags ^ q.flags) & (WIRE_OPCODE | WIRE_RD | WIRE_CD), 0);
	assert_int_equal(header.counts[QUESTION], q.has_question);
	assert_int_equal(header.counts[ADDITIONAL], q.edns);
	assert_int_equal(ldns_wire2pkt(&packet, out, len), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_edns(packet), q.edns);
	if (q.edns) {
		assert_int_equal(ldns_pkt_edns_version(packet), 0);
		assert_int_equal(ldns_pkt_edns_z(packet), q.dnssec_ok ? WIRE_DO : 0);
		assert_int_equal(ldns_pkt_edns_udp_size(packet), 1232);
	}
	ldns_pkt_free(packet);
	if (!q.has_question)
		return;
	assert_int_equal(wire_check(out, len), 0);
	assert_memory_equal(out + WIRE_HEADER_LEN, q.raw, q.raw_len);
}

static void
reply(const struct answer *a, uint64_t keep, uint32_t ttl_s, const struct reply_ede *ede,
    size_t limit)
{
	memset(out, 0xa5, sizeof(out));
	len = reply_answer(&q, a, keep, ttl_s, ede, limit, out, sizeof(out));
	assert_true(len <= limit);
	for (size_t i = len; i < sizeof(out); i++)
		assert_int_equal(out[i], 0xa5);
	check_reply();
}

/* The i-th record behind the question. */
static struct wire_record
record_at(size_t i)
{
	struct wire_record record;
	struct wire w;

	wire_init(&w, out, len);
	w.pos = WIRE_HEADER_LEN + q.raw_len;
	do
		wire_record(&w, &record);
	while (i-- > 0);
	assert_false(w.failed);
	return record;
}

static void
items_1_8_9_and_10_flags_are_ours_but_for_those_echoed(void **state)
{
	static const uint16_t flags[] = {0, WIRE_RD, WIRE_CD, WIRE_RD | WIRE_CD, WIRE_AA,
	    WIRE_TC, WIRE_RA, 0x0040, WIRE_AD, 0x000f, 0x07ff};
	struct answer *a;

	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_a(&m, "@", 60, "192.0.2.1");
	a = examine("a", TYPE_A);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		message_start(&m, 77, flags[i]);
		message_question(&m, "a", TYPE_A, CLASS_IN);
		ask();
		reply(a, 1, 60, NULL, SIZE);
		assert_int_equal(header.flags & (WIRE_TC | WIRE_RCODE), 0);
		assert_int_equal(header.counts[ANSWER], 1);
	}
	answer_unref(a);
}

static void
item_2_the_question_comes_back_in_its_own_letters(void **state)
{
	static const char *const names[] = {"WWW.test", "wWw.TEST", "www.test"};
	struct answer *a;

	(void)state;
	message_reply(&m, "www.test", TYPE_A);
	message_a(&m, "@", 60, "192.0.2.1");
	a = examine("www.test", TYPE_A);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ask_for(names[i], TYPE_A, true);
		reply(a, 1, 60, &blocked, SIZE); /* check_reply compares */
		len = reply_error(&q, RCODE_SERVFAIL, NULL, out, SIZE);
		check_reply();
		len = reply_negative(&q, RCODE_NXDOMAIN, 5, &blocked, out, SIZE);
		check_reply();
		len = reply_any(&q, 5, out, SIZE);
		check_reply();
	}
	answer_unref(a);
}

static void
items_5_to_7_an_error_echoes_what_could_be_read(void **state)
{
	(void)state;
	message_start(&m, 9, 15 << 11 | WIRE_RD);
	ask();
	len = reply_error(&q, RCODE_NOTIMP, &blocked, out, SIZE);
	check_reply();
	assert_int_equal(len, WIRE_HEADER_LEN);
	assert_int_equal(header.flags & WIRE_RCODE, RCODE_NOTIMP);
	message_start(&m, 9, WIRE_RD);
	message_bytes(&m, "garbage", 7);
	message_put16(&m, 4, 1);
	ask();
	len = reply_error(&q, RCODE_FORMERR, NULL, out, SIZE);
	check_reply();
	assert_int_equal(len, WIRE_HEADER_LEN);
	assert_int_equal(header.flags & WIRE_RCODE, RCODE_FORMERR);
}

static void
item_21_badvers_is_split_over_header_and_opt(void **state)
{
	ldns_pkt *packet;

	(void)state;
	message_query(&m, "a", TYPE_A);
	message_opt(&m, 1232, 0x00010000 | WIRE_DO, NULL, 0);
	ask();
	len = reply_error(&q, RCODE_BADVERS, NULL, out, SIZE);
	check_reply();
	assert_int_equal(header.flags & WIRE_RCODE, 0);
	assert_int_equal(ldns_wire2pkt(&packet, out, len), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_edns_extended_rcode(packet), 1);
	ldns_pkt_free(packet);
}

static void
item_32_an_ede_needs_an_opt(void **state)
{
	struct reply_ede ede = {.code = EDE_OTHER};
	char text[REPLY_EDE_TEXT_MAX + 1];
	struct wire_record opt;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[REPLY_EDE_TEXT_MAX] = '\0';
	ask_for("a", TYPE_A, true);
	len = reply_error(&q, RCODE_REFUSED, &blocked, out, SIZE);
	check_reply();
	opt = record_at(0);
	assert_int_equal(opt.rdata_len, 6 + 10);
	assert_memory_equal(out + opt.rdata, "\0\x0f\0\x0c\0\x0fnot listed", 16);
	len = reply_error(&q, RCODE_REFUSED, &ede, out, SIZE); /* code 0 is a code */
	check_reply();
	assert_memory_equal(out + record_at(0).rdata, "\0\x0f\0\2\0\0", 6);
	ede.text = text;
	len = reply_error(&q, RCODE_REFUSED, &ede, out, SIZE);
	check_reply();
	assert_int_equal(record_at(0).rdata_len, 6 + REPLY_EDE_TEXT_MAX);
	ede.code = EDE_NONE;
	len = reply_error(&q, RCODE_REFUSED, &ede, out, SIZE);
	check_reply();
	assert_int_equal(record_at(0).rdata_len, 0);
	ask_for("a", TYPE_A, false);
	len = reply_error(&q, RCODE_REFUSED, &blocked, out, SIZE);
	check_reply();
	assert_int_equal(len, WIRE_HEADER_LEN + q.raw_len);
}

static void
a_negative_reply_has_a_soa_of_the_questions_name(void **state)
{
	struct wire_record soa;
	struct wire w;

	(void)state;
	ask_for("No.Test", TYPE_A, true);
	len = reply_negative(&q, RCODE_NXDOMAIN, 5, &blocked, out, SIZE);
	check_reply();
	assert_int_equal(header.flags & WIRE_RCODE, RCODE_NXDOMAIN);
	assert_int_equal(header.counts[ANSWER], 0);
	assert_int_equal(header.counts[AUTHORITY], 1);
	soa = record_at(0);
	assert_true(name_equal(&soa.owner, &q.name));
	assert_int_equal(soa.type, TYPE_SOA);
	assert_int_equal(soa.ttl_s, 5);
	wire_init(&w, out, len);
	w.pos = soa.rdata + soa.rdata_len - 4;
	assert_int_equal(wire_u32(&w), 5);
}

static void
the_longest_replies_of_our_own_fit_512_bytes(void **state)
{
	struct reply_ede ede = {.code = EDE_BLOCKED};
	char name[254], text[REPLY_EDE_TEXT_MAX + 1];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[63] = name[127] = name[191] = '.';
	name[253] = '\0';
	memset(text, 'x', sizeof(text));
	text[REPLY_EDE_TEXT_MAX] = '\0';
	ede.text = text;
	ask_for(name, TYPE_ANY, true);
	assert_int_equal(q.raw_len, sizeof(q.raw));
	len = reply_negative(&q, RCODE_NXDOMAIN, 5, &ede, out, REPLY_SIZE_MIN);
	assert_true(len <= REPLY_SIZE_MIN);
	check_reply();
	len = reply_error(&q, RCODE_REFUSED, &ede, out, REPLY_SIZE_MIN);
	check_reply();
	len = reply_any(&q, 5, out, REPLY_SIZE_MIN);
	check_reply();
}

static void
item_14_any_gets_hinfo(void **state)
{
	struct wire_record hinfo;

	(void)state;
	ask_for("ok.test", TYPE_ANY, true);
	len = reply_any(&q, 3600, out, SIZE);
	check_reply();
	hinfo = record_at(0);
	assert_int_equal(header.counts[ANSWER], 1);
	assert_int_equal(hinfo.type, TYPE_HINFO);
	assert_int_equal(hinfo.ttl_s, 3600);
	assert_int_equal(hinfo.rdata_len, 9);
	assert_memory_equal(out + hinfo.rdata, "\7RFC8482\0", 9);
}

/* A chain of one link and count addresses, 192.0.2.0 and on. */
static struct answer *
make_addresses(size_t count)
{
	char text[16];

	message_reply(&m, "a.test", TYPE_A);
	message_alias(&m, "@", 600, "b.test");
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%zu", i);
		message_a(&m, "b.test", 600, text);
	}
	return examine("a.test", TYPE_A);
}

static void
every_choice_of_addresses_is_sent_with_its_ttl(void **state)
{
	const size_t count = 6;
	struct answer *a = make_addresses(count);

	(void)state;
	ask_for("A.test", TYPE_A, true);
	for (uint64_t keep = 1; keep < UINT64_C(1) << count; keep++) {
		size_t at = 1;

		reply(a, keep, (uint32_t)keep, NULL, SIZE);
		assert_int_equal(header.counts[ANSWER], 1 + __builtin_popcountll(keep));
		assert_int_equal(record_at(0).type, TYPE_CNAME);
		assert_int_equal(record_at(0).ttl_s, keep);
		for (size_t i = 0; i < count; i++) {
			struct wire_record record;

			if ((keep >> i & 1) == 0)
				continue;
			record = record_at(at++);
			assert_int_equal(record.ttl_s, keep);
			assert_int_equal(out[record.rdata + 3], i);
			assert_int_equal(record.owner.bytes[1], 'b');
		}
	}
	answer_unref(a);
}

static void
all_64_addresses_can_be_kept_or_only_the_last(void **state)
{
	struct answer *a = make_addresses(ANSWER_ADDRESSES_MAX);

	(void)state;
	ask_for("a.test", TYPE_A, false);
	reply(a, UINT64_MAX, 1, NULL, SIZE);
	assert_int_equal(header.counts[ANSWER], 65);
	reply(a, UINT64_C(1) << 63, 1, NULL, SIZE);
	assert_int_equal(header.counts[ANSWER], 2);
	assert_int_equal(out[len - 1], 63);
	answer_unref(a);
	a = make_addresses(1); /* bits without an address mean nothing */
	reply(a, UINT64_MAX, 1, NULL, SIZE);
	assert_int_equal(header.counts[ANSWER], 2);
	answer_unref(a);
}

static void
nothing_kept_is_noerror_without_an_answer(void **state)
{
	struct answer *a = make_addresses(2);

	(void)state;
	ask_for("a.test", TYPE_A, true);
	reply(a, UINT64_MAX << 2, 60, &blocked, SIZE);
	assert_int_equal(header.flags & WIRE_RCODE, RCODE_NOERROR);
	assert_int_equal(header.counts[ANSWER] + header.counts[AUTHORITY], 0);
	assert_int_equal(record_at(0).rdata_len, 6 + 10);
	answer_unref(a);
}

static void
a_negative_answer_is_sent_with_its_soa(void **state)
{
	struct answer *a;

	(void)state;
	message_reply(&m, "a.test", TYPE_A);
	message_put16(&m, 2, MESSAGE_REPLY | RCODE_NXDOMAIN);
	message_alias(&m, "@", 600, "b.test");
	message_soa(&m, "test", 600, 600);
	a = examine("a.test", TYPE_A);
	ask_for("A.TEST", TYPE_A, true);
	reply(a, 0, 17, NULL, SIZE);
	assert_int_equal(header.flags & WIRE_RCODE, RCODE_NXDOMAIN);
	assert_int_equal(header.counts[ANSWER], 1);
	assert_int_equal(header.counts[AUTHORITY], 1);
	assert_int_equal(record_at(0).ttl_s, 17);
	assert_int_equal(record_at(1).ttl_s, 17);
	answer_unref(a);
}

/* Every limit, from the least to one that takes all: first the EDE goes, then all. */
static void
items_27_32_and_33_what_does_not_fit_is_cut_whole(void **state)
{
	struct answer *a = make_addresses(60);
	size_t whole;

	(void)state;
	ask_for("a.test", TYPE_A, true);
	reply(a, UINT64_MAX, 60, &blocked, SIZE);
	whole = len;
	for (size_t limit = REPLY_SIZE_MIN; limit <= whole; limit++) {
		reply(a, UINT64_MAX, 60, &blocked, limit);
		if (limit < whole - 16) {
			assert_int_equal(header.flags & WIRE_TC, WIRE_TC);
			assert_int_equal(header.counts[ANSWER], 0);
			assert_int_equal(len, WIRE_HEADER_LEN + q.raw_len + 11);
		} else {
			assert_int_equal(header.flags & WIRE_TC, 0);
			assert_int_equal(header.counts[ANSWER], 61);
			assert_int_equal(len, limit < whole ? whole - 16 : whole);
		}
	}
	ask_for("a.test", TYPE_A, false); /* item 28 */
	reply(a, UINT64_MAX, 60, &blocked, q.udp_size);
	assert_int_equal(header.flags & WIRE_TC, WIRE_TC);
	reply(a, 1, 60, &blocked, q.udp_size);
	assert_int_equal(header.flags & WIRE_TC, 0);
	answer_unref(a);
}

static void
records_of_other_types_are_sent_as_they_are(void **state)
{
	struct answer *a;

	(void)state;
	message_reply(&m, "a.test", TYPE_MX);
	message_record(&m, ANSWER, "@", TYPE_MX, 600, "\0\1\2mx\xc0\x0e", 7);
	message_record(&m, ANSWER, "@", TYPE_MX, 600, "\0\2\2mx\xc0\x0e", 7);
	a = examine("a.test", TYPE_MX);
	ask_for("a.test", TYPE_MX, true);
	reply(a, 0, 30, NULL, SIZE); /* keep is for addresses */
	assert_int_equal(header.counts[ANSWER], 2);
	assert_int_equal(record_at(1).ttl_s, 30);
	answer_unref(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(items_1_8_9_and_10_flags_are_ours_but_for_those_echoed),
	    cmocka_unit_test(item_2_the_question_comes_back_in_its_own_letters),
	    cmocka_unit_test(items_5_to_7_an_error_echoes_what_could_be_read),
	    cmocka_unit_test(item_21_badvers_is_split_over_header_and_opt),
	    cmocka_unit_test(item_32_an_ede_needs_an_opt),
	    cmocka_unit_test(a_negative_reply_has_a_soa_of_the_questions_name),
	    cmocka_unit_test(the_longest_replies_of_our_own_fit_512_bytes),
	    cmocka_unit_test(item_14_any_gets_hinfo),
	    cmocka_unit_test(every_choice_of_addresses_is_sent_with_its_ttl),
	    cmocka_unit_test(all_64_addresses_can_be_kept_or_only_the_last),
	    cmocka_unit_test(nothing_kept_is_noerror_without_an_answer),
	    cmocka_unit_test(a_negative_answer_is_sent_with_its_soa),
	    cmocka_unit_test(items_27_32_and_33_what_does_not_fit_is_cut_whole),
	    cmocka_unit_test(records_of_other_types_are_sent_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
