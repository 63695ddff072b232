/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "resolver/packet.h"
#include "tests/unit/fake_server.h"

static const struct packet_form usual = {.bare = false};
static int fill_result;

static int
fill(void *out, size_t len)
{
	(void)fake_random_bytes(out, len); /* it cannot fail */
	return fill_result;
}

static struct name
name_of(const char *text)
{
	struct name n;

	assert_int_equal(name_parse(text, strlen(text), &n), 0);
	return n;
}

static struct packet
packet_of(const char *text, uint16_t type)
{
	struct name n = name_of(text);
	struct entropy e;
	struct packet p;

	entropy_init(&e, fill);
	assert_int_equal(packet_make(&n, type, usual, &e, &p), 0);
	return p;
}

/* The reply to p that has no records. */
static size_t
reply_to(const struct packet *p, uint8_t *out)
{
	size_t len = WIRE_HEADER_LEN + (size_t)p->question_len;

	memcpy(out, p->bytes, len);
	out[2] |= 0x80;
	out[11] = 0;
	return len;
}

static void
has_one_question_rd_and_an_opt(void **state)
{
	static const uint8_t head[] = {0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1};
	static const uint8_t tail[] = {0, 28, 0, 1, 0, 0, 41, PACKET_UDP_SIZE >> 8,
	    PACKET_UDP_SIZE & 0xff, 0, 0, 0, 0, 0, 0};
	struct packet p = packet_of("a.example", TYPE_AAAA);
	struct name n = name_of("a.example"), got;

	(void)state;
	assert_int_equal(p.len, WIRE_HEADER_LEN + n.len + 4 + PACKET_OPT_LEN);
	assert_memory_equal(p.bytes + 2, head, sizeof(head));
	assert_memory_equal(p.bytes + p.len - sizeof(tail), tail, sizeof(tail));
	name_from_wire(p.bytes + WIRE_HEADER_LEN, n.len, &got);
	assert_true(name_equal(&n, &got));
	assert_int_equal(wire_check(p.bytes, p.len), 0);
}

static void
ids_and_letters_vary(void **state)
{
	bool upper[7] = {false}, lower[7] = {false}, ids[256] = {false};
	size_t different = 0;

	(void)state;
	for (size_t i = 0; i < 256; i++) {
		struct packet p = packet_of("letters", TYPE_A);

		different += !ids[p.bytes[0]];
		ids[p.bytes[0]] = true;
		for (size_t k = 0; k < 7; k++) {
			uint8_t c = p.bytes[WIRE_HEADER_LEN + 1 + k];

			upper[k] |= c >= 'A' && c <= 'Z';
			lower[k] |= c >= 'a' && c <= 'z';
		}
	}
	assert_true(different > 100);
	for (size_t k = 0; k < 7; k++)
		assert_true(upper[k] && lower[k]);
}

static void
letters_stay_small_and_the_opt_away_when_told_to(void **state)
{
	const struct packet_form form = {.as_is = true, .bare = true};
	struct name n = name_of("a.example");
	struct entropy e;
	struct packet p;

	(void)state;
	entropy_init(&e, fill);
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(packet_make(&n, TYPE_A, form, &e, &p), 0);
		assert_false(p.mixed);
		assert_int_equal(p.len, WIRE_HEADER_LEN + n.len + 4);
		assert_memory_equal(p.bytes + WIRE_HEADER_LEN, n.bytes, n.len);
		assert_int_equal(wire_check(p.bytes, p.len), 0);
	}
	assert_true(packet_of("many.letters.example", TYPE_A).mixed);
	assert_false(packet_of("4.3.2.1", TYPE_A).mixed);
}

static void
longest_name_and_root_fit(void **state)
{
	struct name n = {.len = NAME_WIRE_MAX};
	struct entropy e;
	struct packet p;
	size_t pos = 0;

	(void)state;
	for (size_t label = 0; label < 4; label++) {
		size_t len = label < 3 ? 63 : 61;

		n.bytes[pos] = (uint8_t)len;
		memset(n.bytes + pos + 1, 'x', len);
		pos += len + 1;
	}
	assert_int_equal(pos + 1, NAME_WIRE_MAX);
	entropy_init(&e, fill);
	assert_int_equal(packet_make(&n, TYPE_A, usual, &e, &p), 0);
	assert_int_equal(p.len, PACKET_MAX);
	assert_int_equal(wire_check(p.bytes, p.len), 0);
	p = packet_of(".", TYPE_A);
	assert_int_equal(p.len, WIRE_HEADER_LEN + 1 + 4 + PACKET_OPT_LEN);
}

static void
without_entropy_there_is_no_packet(void **state)
{
	struct name n = name_of("a.example");
	struct entropy e;
	struct packet p;

	(void)state;
	entropy_init(&e, fill);
	fill_result = -EIO;
	assert_int_equal(packet_make(&n, TYPE_A, usual, &e, &p), -EIO);
	fill_result = 0;
}

static void
reply_is_right(void **state)
{
	struct packet p = packet_of("a.example", TYPE_A);
	uint8_t msg[512];
	size_t len = reply_to(&p, msg);

	(void)state;
	assert_int_equal(packet_judge(&p, msg, len, len), PACKET_RIGHT);
}

static void
every_changed_bit_of_id_opcode_count_and_question_is_wrong(void **state)
{
	struct packet p = packet_of("a-1.example", TYPE_A);
	uint8_t msg[512];
	size_t len = reply_to(&p, msg);

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		size_t byte = bit / 8;
		uint8_t mask = (uint8_t)(1u << bit % 8);
		bool flag = byte == 3 || (byte == 2 && (mask & 0x07) != 0);

		if (flag)
			continue; /* AA, TC, RD, RA, Z, AD, CD, rcode */
		msg[byte] ^= mask;
		assert_int_not_equal(packet_judge(&p, msg, len, len), PACKET_RIGHT);
		msg[byte] ^= mask;
	}
}

static void
every_shorter_reply_is_wrong(void **state)
{
	struct packet p = packet_of("a.example", TYPE_A);
	uint8_t msg[512];
	size_t len = reply_to(&p, msg);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(packet_judge(&p, msg, cut, cut), PACKET_WRONG);
}

static void
other_letter_case_is_folded_not_right(void **state)
{
	struct packet p = packet_of("a.example", TYPE_A);
	uint8_t msg[512];
	size_t len = reply_to(&p, msg);

	(void)state;
	msg[WIRE_HEADER_LEN + 1] ^= 0x20;
	assert_int_equal(packet_judge(&p, msg, len, len), PACKET_FOLDED);
	msg[WIRE_HEADER_LEN + 1] ^= 0x21;
	assert_int_equal(packet_judge(&p, msg, len, len), PACKET_WRONG);
}

/* Type 'A' + n and its lower-case twin differ: they are numbers. */
static void
type_bytes_are_not_letters(void **state)
{
	struct packet p = packet_of("a.example", TYPE_HTTPS); /* 65: 'A' */
	uint8_t msg[512];
	size_t len = reply_to(&p, msg);

	(void)state;
	msg[len - 3] = 'a';
	assert_int_equal(packet_judge(&p, msg, len, len), PACKET_WRONG);
}

static void
garbage_behind_the_question_is_wrong(void **state)
{
	struct packet p = packet_of("a.example", TYPE_A);
	uint8_t msg[512];
	size_t len = reply_to(&p, msg);

	(void)state;
	msg[len] = 0;
	assert_int_equal(packet_judge(&p, msg, len + 1, len + 1), PACKET_WRONG);
	msg[7] = 1; /* ANCOUNT without a record */
	assert_int_equal(packet_judge(&p, msg, len, len), PACKET_WRONG);
}

static void
tc_and_oversize_are_truncated(void **state)
{
	struct packet p = packet_of("a.example", TYPE_A);
	uint8_t msg[512];
	size_t len = reply_to(&p, msg);

	(void)state;
	assert_int_equal(packet_judge(&p, msg, len, len + 1), PACKET_TRUNCATED);
	msg[2] |= WIRE_TC >> 8;
	msg[7] = 9; /* records that were cut off */
	assert_int_equal(packet_judge(&p, msg, len, len), PACKET_TRUNCATED);
	msg[0] ^= 1;
	assert_int_equal(packet_judge(&p, msg, len, len), PACKET_WRONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(has_one_question_rd_and_an_opt),
	    cmocka_unit_test(ids_and_letters_vary),
	    cmocka_unit_test(letters_stay_small_and_the_opt_away_when_told_to),
	    cmocka_unit_test(longest_name_and_root_fit),
	    cmocka_unit_test(without_entropy_there_is_no_packet),
	    cmocka_unit_test(reply_is_right),
	    cmocka_unit_test(every_changed_bit_of_id_opcode_count_and_question_is_wrong),
	    cmocka_unit_test(every_shorter_reply_is_wrong),
	    cmocka_unit_test(other_letter_case_is_folded_not_right),
	    cmocka_unit_test(type_bytes_are_not_letters),
	    cmocka_unit_test(garbage_behind_the_question_is_wrong),
	    cmocka_unit_test(tc_and_oversize_are_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
