/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "resolver/question.h"
#include "resolver/wire.h"
#include "tests/unit/message.h"

#define VERSION_1 0x00010000u
#define Z_BIT 0x4000u

static struct message m;
static struct question q;

static enum question_outcome
parse(void)
{
	memset(&q, 0xa5, sizeof(q));
	return question_parse(m.bytes, m.len, &q);
}

static void
a_plain_query_is_taken_apart(void **state)
{
	struct name name = message_parsed("www.example.com");

	(void)state;
	message_query(&m, "wWw.eXample.COM", TYPE_AAAA);
	assert_int_equal(parse(), QUESTION_OK);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.flags, WIRE_RD);
	assert_true(name_equal(&q.name, &name));
	assert_int_equal(q.type, TYPE_AAAA);
	assert_int_equal(q.class, CLASS_IN);
	assert_int_equal(q.udp_size, 512); /* item 28 */
	assert_true(q.has_question);
	assert_false(q.edns);
	assert_false(q.dnssec_ok);
	assert_int_equal(q.raw_len, m.len - WIRE_HEADER_LEN);
	assert_memory_equal(q.raw, m.bytes + WIRE_HEADER_LEN, q.raw_len); /* item 2 */
}

static void
item_4_responses_and_item_7_stumps_are_dropped(void **state)
{
	(void)state;
	message_query(&m, "a", TYPE_A);
	for (size_t len = 0; len < WIRE_HEADER_LEN; len++)
		assert_int_equal(question_parse(m.bytes, len, &q), QUESTION_DROP);
	message_reply(&m, "a", TYPE_A);
	assert_int_equal(parse(), QUESTION_DROP);
	message_start(&m, 1, WIRE_QR | 0x7800);
	assert_int_equal(parse(), QUESTION_DROP);
}

static void
item_5_any_other_opcode_is_notimp_with_nothing_read(void **state)
{
	(void)state;
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		message_start(&m, 7, (uint16_t)(opcode << 11));
		assert_int_equal(parse(), QUESTION_NOTIMP); /* header only */
		assert_false(q.has_question);
		message_question(&m, "a", TYPE_A, CLASS_IN);
		message_opt(&m, 1232, VERSION_1, NULL, 0);
		assert_int_equal(parse(), QUESTION_NOTIMP);
		assert_false(q.has_question);
		assert_false(q.edns);
		assert_int_equal(q.flags, opcode << 11);
		assert_int_equal(q.id, 7);
	}
}

static void
item_6_there_is_exactly_one_question(void **state)
{
	(void)state;
	message_start(&m, 1, MESSAGE_QUERY);
	assert_int_equal(parse(), QUESTION_FORMERR);
	assert_false(q.has_question);
	message_opt(&m, 1232, 0, NULL, 0);
	assert_int_equal(parse(), QUESTION_FORMERR);
	assert_true(q.edns); /* item 20 */

	message_query(&m, "a", TYPE_A);
	message_question(&m, "b", TYPE_A, CLASS_IN);
	assert_int_equal(parse(), QUESTION_FORMERR);
	assert_false(q.has_question);
	message_put16(&m, 4, 0xffff);
	assert_int_equal(parse(), QUESTION_FORMERR);
}

static void
item_7_every_cut_of_a_query_is_formerr(void **state)
{
	(void)state;
	message_query(&m, "www.example", TYPE_A);
	message_opt(&m, 1232, 0, "\0\x0a\0\2xy", 6);
	assert_int_equal(parse(), QUESTION_OK);
	for (size_t len = WIRE_HEADER_LEN; len < m.len; len++) {
		memset(&q, 0xa5, sizeof(q));
		assert_int_equal(question_parse(m.bytes, len, &q), QUESTION_FORMERR);
		assert_int_equal(q.id, 0x1234);
		assert_int_equal(q.has_question, len >= 12 + 13 + 4);
	}
}

static void
items_8_to_10_flags_that_are_not_a_queries_are_ignored(void **state)
{
	static const uint16_t flags[] = {
	    WIRE_AA, WIRE_TC, WIRE_RA, 0x0040, WIRE_AD, WIRE_CD, 0x000f, 0x07ff};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		message_start(&m, 1, flags[i]);
		message_question(&m, "a", TYPE_A, CLASS_IN);
		assert_int_equal(parse(), QUESTION_OK);
		assert_int_equal(q.flags, flags[i]);
	}
}

static void
item_11_other_classes_are_refused(void **state)
{
	static const uint16_t classes[] = {0, 2, 3, 4, 254, 255, 65535};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		message_start(&m, 1, MESSAGE_QUERY);
		message_question(&m, "version.bind", TYPE_TXT, classes[i]);
		assert_int_equal(parse(), QUESTION_REFUSED);
		assert_true(q.has_question);
		assert_int_equal(q.class, classes[i]);
	}
}

static void
items_12_and_13_types_that_are_no_data_are_refused_others_not(void **state)
{
	static const uint16_t refused[] = {
	    TYPE_AXFR, TYPE_IXFR, TYPE_MAILA, TYPE_MAILB, TYPE_OPT, TYPE_TSIG, TYPE_TKEY};
	static const uint16_t good[] = {
	    TYPE_A, TYPE_AAAA, TYPE_ANY, TYPE_NULL, TYPE_HTTPS, 0, 1000, 65280, 65535};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		message_query(&m, "a", refused[i]);
		assert_int_equal(parse(), QUESTION_REFUSED);
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		message_query(&m, "a", good[i]);
		assert_int_equal(parse(), QUESTION_OK);
		assert_int_equal(q.type, good[i]);
	}
	message_query(&m, "a", TYPE_IXFR); /* RFC 1995 section 3 */
	message_soa(&m, "@", 0, 0);
	assert_int_equal(parse(), QUESTION_REFUSED);
}

static void
item_15_the_longest_name_fits(void **state)
{
	char text[254 + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	message_query(&m, text, TYPE_A);
	assert_int_equal(parse(), QUESTION_OK);
	assert_int_equal(q.name.len, 255);
	assert_int_equal(q.raw_len, sizeof(q.raw));
	text[253] = 'x';
	text[254] = '\0';
	message_query(&m, text, TYPE_A);
	assert_int_equal(parse(), QUESTION_FORMERR);
	assert_false(q.has_question);
	message_query(&m, ".", TYPE_NS);
	assert_int_equal(parse(), QUESTION_OK);
	assert_int_equal(q.name.len, 1);
}

static void
item_16_a_dot_in_a_label_does_not_split_it(void **state)
{
	struct name two = message_parsed("ok.test");

	(void)state;
	message_start(&m, 1, MESSAGE_QUERY);
	message_bytes(&m, "\7ok.test\0\0\1\0\1", 13);
	message_put16(&m, 4, 1);
	assert_int_equal(parse(), QUESTION_OK);
	assert_int_equal(q.name.labels, 1);
	assert_false(name_equal(&q.name, &two));
}

static void
item_18_no_pointer_in_the_question(void **state)
{
	static const char *const names[] = {"\xc0\x0c", "\1a\xc0\x0c", "\xc0\x10",
	    "\xc0\xff", "\xff\xff", "\xc0\x02", "\1a\xc0\x02"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		message_start(&m, 1, MESSAGE_QUERY);
		message_bytes(&m, names[i], strlen(names[i]));
		message_bytes(&m, "\0\1\0\1", 4);
		message_put16(&m, 4, 1);
		assert_int_equal(parse(), QUESTION_FORMERR);
		assert_false(q.has_question);
	}
}

static void
item_19_bytes_behind_the_last_record_are_formerr(void **state)
{
	(void)state;
	message_query(&m, "a", TYPE_A);
	message_bytes(&m, "", 1);
	assert_int_equal(parse(), QUESTION_FORMERR);
	assert_true(q.has_question);
	message_query(&m, "a", TYPE_A);
	message_opt(&m, 1232, WIRE_DO, NULL, 0);
	message_bytes(&m, "x", 1);
	assert_int_equal(parse(), QUESTION_FORMERR);
	assert_true(q.edns);
	assert_true(q.dnssec_ok);
}

static void
items_20_to_23_edns(void **state)
{
	static const struct {
		uint32_t ttl;
		const char *options;
		size_t len;
		enum question_outcome outcome;
		bool dnssec_ok;
	} rows[] = {
	    {0, "", 0, QUESTION_OK, false}, {WIRE_DO, "", 0, QUESTION_OK, true},
	    {Z_BIT, "", 0, QUESTION_OK, false},                  /* 23 */
	    {0, "\0\x64\0\3xyz", 7, QUESTION_OK, false},         /* 22 */
	    {0, "\0\x64\0\0\0\x64\0\1x", 9, QUESTION_OK, false}, /* two options */
	    {0, "\0\x0a\0\3xyz", 7, QUESTION_OK, false},         /* 31: a COOKIE */
	    {0, "\0\x0d\0\1x", 5, QUESTION_OK, false},           /* 0.10: CHAIN */
	    {0, "\0\x64\0\4xyz", 7, QUESTION_FORMERR, false},    /* 25 */
	    {WIRE_DO, "\0\x64\0", 3, QUESTION_FORMERR, true},    /* 25 */
	    {VERSION_1, "", 0, QUESTION_BADVERS, false},         /* 21 */
	    {VERSION_1 | WIRE_DO | Z_BIT, "\0\x64\0\0", 4, QUESTION_BADVERS, true},
	    {VERSION_1, "what?", 5, QUESTION_BADVERS, false},
	    {0x00ff0000, "", 0, QUESTION_BADVERS, false},
	    {0xff000000, "", 0, QUESTION_OK, false}, /* rcode bits: not a query's */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		message_query(&m, "a", TYPE_A);
		message_opt(&m, 1232, rows[i].ttl, rows[i].options, rows[i].len);
		if (parse() != rows[i].outcome)
			fail_msg("row %zu", i);
		assert_true(q.edns);
		assert_true(q.has_question);
		assert_int_equal(q.dnssec_ok, rows[i].dnssec_ok);
	}
}

static void
badvers_beats_refusals_and_formerr_beats_badvers(void **state)
{
	(void)state;
	message_start(&m, 1, MESSAGE_QUERY);
	message_question(&m, "version.bind", TYPE_TXT, 3);
	message_opt(&m, 512, VERSION_1, NULL, 0);
	assert_int_equal(parse(), QUESTION_BADVERS);
	message_query(&m, "a", TYPE_AXFR);
	message_opt(&m, 512, VERSION_1, NULL, 0);
	assert_int_equal(parse(), QUESTION_BADVERS);
	message_bytes(&m, "x", 1);
	assert_int_equal(parse(), QUESTION_FORMERR);
	message_query(&m, "a", TYPE_A);
	message_opt(&m, 512, VERSION_1, NULL, 0);
	message_opt(&m, 512, VERSION_1, NULL, 0);
	assert_int_equal(parse(), QUESTION_FORMERR);
}

static void
items_24_and_25_a_wrong_opt_is_formerr_with_edns(void **state)
{
	(void)state;
	message_query(&m, "a", TYPE_A);
	message_opt(&m, 1232, 0, NULL, 0);
	message_opt(&m, 1232, 0, NULL, 0);
	assert_int_equal(parse(), QUESTION_FORMERR);
	assert_true(q.edns);

	message_query(&m, "a", TYPE_A);
	message_record(&m, ADDITIONAL, "@", TYPE_OPT, 0, NULL, 0);
	assert_int_equal(parse(), QUESTION_FORMERR);
	assert_true(q.edns);

	for (size_t section = ANSWER; section <= AUTHORITY; section++) {
		message_query(&m, "a", TYPE_A);
		message_opt(&m, 1232, 0, NULL, 0);
		message_put16(&m, 10, 0);
		message_put16(&m, 4 + 2 * section, 1);
		assert_int_equal(parse(), QUESTION_FORMERR);
		assert_true(q.edns);
	}
}

static void
items_26_and_27_the_size_is_512_to_1232(void **state)
{
	static const uint16_t sizes[][2] = {{0, 512}, {100, 512}, {511, 512}, {512, 512},
	    {513, 513}, {1231, 1231}, {1232, 1232}, {1233, 1232}, {4096, 1232},
	    {65535, 1232}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		message_query(&m, "a", TYPE_A);
		message_opt(&m, sizes[i][0], 0, NULL, 0);
		assert_int_equal(parse(), QUESTION_OK);
		assert_int_equal(q.udp_size, sizes[i][1]);
	}
}

static void
other_records_are_formerr_signed_queries_refused(void **state)
{
	(void)state;
	for (size_t section = ANSWER; section <= ADDITIONAL; section++) {
		message_query(&m, "a", TYPE_A);
		message_record(&m, section, "@", TYPE_A, 1, "\1\2\3\4", 4);
		assert_int_equal(parse(), QUESTION_FORMERR);
		assert_true(q.has_question);

		message_query(&m, "a", TYPE_A);
		message_opt(&m, 1232, 0, NULL, 0);
		message_record(&m, section, "key", TYPE_TSIG, 0, "\0", 1);
		assert_int_equal(
		    parse(), section == ADDITIONAL ? QUESTION_REFUSED : QUESTION_FORMERR);
	}
	message_query(&m, "a", TYPE_A);
	message_record(&m, ADDITIONAL, ".", TYPE_SIG, 0, "\0\0", 2);
	assert_int_equal(parse(), QUESTION_REFUSED);
	message_query(&m, "a", TYPE_TKEY);
	message_record(&m, ADDITIONAL, "a", TYPE_TKEY, 0, "\0", 1);
	assert_int_equal(parse(), QUESTION_REFUSED);
	message_query(&m, "a", TYPE_A);
	message_soa(&m, "@", 0, 0);
	assert_int_equal(parse(), QUESTION_FORMERR);
}

static void
a_query_of_more_than_4096_bytes_is_not_read(void **state)
{
	static const uint8_t padding[QUESTION_MESSAGE_MAX];
	size_t room;

	(void)state;
	message_query(&m, "a", TYPE_A);
	room = QUESTION_MESSAGE_MAX - m.len - 11 - 4;
	for (size_t more = 0; more <= 1; more++) {
		message_query(&m, "a", TYPE_A);
		message_begin(&m, ADDITIONAL, ".", TYPE_OPT, 0);
		message_u16(&m, 12); /* padding, RFC 7830 */
		message_u16(&m, (uint16_t)(room + more));
		message_bytes(&m, padding, room + more);
		message_end(&m);
		assert_int_equal(m.len, QUESTION_MESSAGE_MAX + more);
		assert_int_equal(parse(), more == 0 ? QUESTION_OK : QUESTION_FORMERR);
		assert_int_equal(q.has_question, more == 0);
		assert_int_equal(q.id, 0x1234);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plain_query_is_taken_apart),
	    cmocka_unit_test(item_4_responses_and_item_7_stumps_are_dropped),
	    cmocka_unit_test(item_5_any_other_opcode_is_notimp_with_nothing_read),
	    cmocka_unit_test(item_6_there_is_exactly_one_question),
	    cmocka_unit_test(item_7_every_cut_of_a_query_is_formerr),
	    cmocka_unit_test(items_8_to_10_flags_that_are_not_a_queries_are_ignored),
	    cmocka_unit_test(item_11_other_classes_are_refused),
	    cmocka_unit_test(
		items_12_and_13_types_that_are_no_data_are_refused_others_not),
	    cmocka_unit_test(item_15_the_longest_name_fits),
	    cmocka_unit_test(item_16_a_dot_in_a_label_does_not_split_it),
	    cmocka_unit_test(item_18_no_pointer_in_the_question),
	    cmocka_unit_test(item_19_bytes_behind_the_last_record_are_formerr),
	    cmocka_unit_test(items_20_to_23_edns),
	    cmocka_unit_test(badvers_beats_refusals_and_formerr_beats_badvers),
	    cmocka_unit_test(items_24_and_25_a_wrong_opt_is_formerr_with_edns),
	    cmocka_unit_test(items_26_and_27_the_size_is_512_to_1232),
	    cmocka_unit_test(other_records_are_formerr_signed_queries_refused),
	    cmocka_unit_test(a_query_of_more_than_4096_bytes_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
