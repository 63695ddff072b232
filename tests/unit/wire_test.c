/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "resolver/wire.h"
#include "tests/unit/message.h"

static struct message m;

static int
check(void)
{
	return wire_check(m.bytes, m.len);
}

static void
reads_stop_at_the_end_and_stay_failed(void **state)
{
	const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
	struct wire w;

	(void)state;
	wire_init(&w, bytes, sizeof(bytes));
	assert_int_equal(wire_u8(&w), 0x01);
	assert_int_equal(wire_u16(&w), 0x0203);
	assert_int_equal(wire_u32(&w), 0x04050607);
	assert_int_equal(wire_u16(&w), 0);
	assert_true(w.failed);
	assert_int_equal(wire_u8(&w), 0); /* although one byte is left */
	assert_int_equal(w.pos, 7);
	wire_init(&w, bytes, sizeof(bytes));
	wire_skip(&w, sizeof(bytes));
	assert_false(w.failed);
	wire_skip(&w, SIZE_MAX);
	assert_true(w.failed);
}

static void
writing_is_the_reverse_of_reading(void **state)
{
	uint8_t bytes[WIRE_RECORD_LEN + 4];
	struct wire w;

	(void)state;
	wire_put_record(bytes, 300, TYPE_TXT, 0xdeadbeef, 0x1234);
	wire_put_u32(bytes + WIRE_RECORD_LEN, 0x01020304);
	wire_init(&w, bytes, sizeof(bytes));
	assert_int_equal(wire_u16(&w), 0xc000 + 300);
	assert_int_equal(wire_u16(&w), TYPE_TXT);
	assert_int_equal(wire_u16(&w), CLASS_IN);
	assert_int_equal(wire_u32(&w), 0xdeadbeef);
	assert_int_equal(wire_u16(&w), 0x1234);
	assert_int_equal(wire_u32(&w), 0x01020304);
	assert_false(w.failed);
}

/* A name at pos of bytes behind an empty header, in memory that ends where they do. */
static bool
name_reads(const void *bytes, size_t len, size_t pos, struct name *ret_name)
{
	uint8_t *copy;
	struct wire w;

	message_start(&m, 0, 0);
	message_bytes(&m, bytes, len);
	copy = malloc(m.len);
	assert_non_null(copy);
	memcpy(copy, m.bytes, m.len);
	wire_init(&w, copy, m.len);
	w.pos = WIRE_HEADER_LEN + pos;
	wire_name(&w, ret_name);
	free(copy);
	return !w.failed;
}

static void
item_15_labels_of_63_and_names_of_255_are_the_most(void **state)
{
	uint8_t bytes[300];
	struct name name;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < 3; i++)
		bytes[i * 64] = 63;
	bytes[192] = 61;
	bytes[254] = 0;
	assert_true(name_reads(bytes, 255, 0, &name));
	assert_int_equal(name.len, 255);
	assert_int_equal(name.labels, 4);
	bytes[192] = 62;
	bytes[254] = 'x';
	bytes[255] = 0;
	assert_false(name_reads(bytes, 256, 0, &name));
	bytes[0] = 64;
	assert_false(name_reads(bytes, 255, 0, &name));
	bytes[0] = 0x80;
	assert_false(name_reads(bytes, 255, 0, &name));
	assert_false(name_reads("\3ab", 3, 0, &name));
	assert_false(name_reads("\2ab", 3, 0, &name)); /* no root label */
	assert_false(name_reads("", 0, 0, &name));
}

static void
items_16_and_17_bytes_are_data_and_only_ascii_letters_fold(void **state)
{
	struct name name;

	(void)state;
	assert_true(name_reads("\7oK.\0*\xC4 \0", 9, 0, &name));
	assert_int_equal(name.labels, 1);
	assert_memory_equal(name.bytes, "\7ok.\0*\xC4 \0", 9);
}

static void
item_18_pointers_lead_backwards_only(void **state)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t len, pos;
		bool good;
	} rows[] = {
	    {"to an earlier name", "\1a\0\xc0\x0c", 5, 3, true},
	    {"behind a label", "\1a\0\1b\xc0\x0c", 7, 3, true},
	    {"over two hops", "\1a\0\xc0\x0c\xc0\x0f", 7, 5, true},
	    {"to itself", "\xc0\x0c", 2, 0, false},
	    {"to its own label", "\1a\xc0\x0c", 4, 0, false},
	    {"to each other", "\xc0\x0e\xc0\x0c", 4, 2, false},
	    {"forwards", "\xc0\x0e\1a\0", 5, 0, false},
	    {"behind the end", "\xff\xff", 2, 0, false},
	    {"into the header", "\1a\0\xc0\x04", 5, 3, false},
	    {"cut", "\1a\0\xc0", 4, 3, false},
	};
	struct name name;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (name_reads(rows[i].bytes, rows[i].len, rows[i].pos, &name) !=
		    rows[i].good)
			fail_msg("a pointer %s", rows[i].what);
}

/* A TXT record whose RDATA is a ladder of pointers, every one to the one before it, at
 * most as many as one string after the other holds. Returns where the last one is. */
static size_t
put_ladder(size_t rungs)
{
	size_t last = WIRE_HEADER_LEN;

	message_begin(&m, ANSWER, "@", TYPE_NULL, 1);
	for (size_t i = 0; i < rungs; i++) {
		size_t at = m.len;

		message_u16(&m, (uint16_t)(WIRE_POINTER | last));
		last = at;
	}
	message_end(&m);
	return last;
}

static void
item_18_hops_are_bounded_for_a_name(void **state)
{
	size_t top;

	(void)state;
	message_reply(&m, "a", TYPE_A);
	top = put_ladder(WIRE_HOPS_MAX - 1);
	message_begin(&m, ANSWER, "@", TYPE_CNAME, 1);
	message_u16(&m, (uint16_t)(WIRE_POINTER | top));
	message_end(&m);
	assert_int_equal(check(), 0);

	message_reply(&m, "a", TYPE_A);
	top = put_ladder(WIRE_HOPS_MAX);
	message_begin(&m, ANSWER, "@", TYPE_CNAME, 1);
	message_u16(&m, (uint16_t)(WIRE_POINTER | top));
	message_end(&m);
	assert_int_equal(check(), -EBADMSG);
}

/* MX records whose names have 100 hops and a byte; how many pass? */
static void
what_is_read_behind_pointers_is_bounded_for_a_message(void **state)
{
	const size_t each = 2 + 2 + 1 + 200 + 2 + 1; /* the owner "a" and the name */
	size_t top;

	(void)state;
	message_reply(&m, "a", TYPE_A);
	top = put_ladder(99);
	for (size_t i = 0; i < WIRE_FOLLOWED_MAX / each; i++) {
		assert_int_equal(check(), 0);
		message_begin(&m, ANSWER, "@", TYPE_MX, 1);
		message_u16(&m, 10);
		message_u16(&m, (uint16_t)(WIRE_POINTER | top));
		message_end(&m);
	}
	for (size_t i = 0; i < 10; i++)
		message_a(&m, "@", 1, "192.0.2.1");
	assert_int_equal(check(), 0);
	for (size_t i = 0; i < 100; i++)
		message_a(&m, "@", 1, "192.0.2.1");
	assert_int_equal(check(), -EBADMSG);
}

static void
addresses_have_their_length(void **state)
{
	static const uint8_t zeros[17];

	(void)state;
	for (size_t len = 0; len <= sizeof(zeros); len++) {
		message_reply(&m, "a", TYPE_A);
		message_record(&m, ANSWER, "@", TYPE_A, 1, zeros, len);
		assert_int_equal(check(), len == 4 ? 0 : -EBADMSG);
		message_reply(&m, "a", TYPE_A);
		message_record(&m, ADDITIONAL, "@", TYPE_AAAA, 1, zeros, len);
		assert_int_equal(check(), len == 16 ? 0 : -EBADMSG);
	}
}

static void
item_24_there_is_one_opt_of_the_root_in_the_additional_section(void **state)
{
	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_opt(&m, 1232, 0, "\0\x64\0\1x", 5);
	assert_int_equal(check(), 0);
	message_a(&m, "@", 1, "192.0.2.1"); /* now it stands in the answer section */
	assert_int_equal(check(), -EBADMSG);

	message_reply(&m, "a", TYPE_A);
	message_opt(&m, 1232, 0, NULL, 0);
	message_opt(&m, 1232, 0, NULL, 0);
	assert_int_equal(check(), -EBADMSG);

	message_reply(&m, "a", TYPE_A);
	message_record(&m, ADDITIONAL, "@", TYPE_OPT, 0, NULL, 0);
	assert_int_equal(check(), -EBADMSG);

	message_reply(&m, "a", TYPE_A);
	message_opt(&m, 1232, 0, "\0\x64\0\2x", 5); /* an option longer than the OPT */
	assert_int_equal(check(), -EBADMSG);
}

static void
a_tsig_is_the_last_record(void **state)
{
	static const char tsig[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_record(&m, ADDITIONAL, ".", TYPE_TSIG, 0, tsig, sizeof(tsig));
	assert_int_equal(check(), 0);
	message_record(&m, ADDITIONAL, ".", TYPE_TSIG, 0, tsig, sizeof(tsig));
	assert_int_equal(check(), -EBADMSG);
	message_reply(&m, "a", TYPE_A);
	message_record(&m, ANSWER, ".", TYPE_TSIG, 0, tsig, sizeof(tsig));
	assert_int_equal(check(), -EBADMSG);
}

static void
counts_and_lengths_do_not_lie(void **state)
{
	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_a(&m, "@", 1, "192.0.2.1");
	assert_int_equal(check(), 0);
	for (size_t len = 0; len < m.len; len++)
		assert_int_equal(wire_check(m.bytes, len), -EBADMSG);
	for (size_t section = QUESTION; section <= ADDITIONAL; section++) {
		size_t pos = 4 + 2 * section;
		uint16_t count = m.bytes[pos + 1];

		message_put16(&m, pos, (uint16_t)(count + 1));
		assert_int_equal(check(), -EBADMSG);
		message_put16(&m, pos, 0xffff);
		assert_int_equal(check(), -EBADMSG);
		message_put16(&m, pos, count);
	}
	message_bytes(&m, "", 1); /* item 19 */
	assert_int_equal(check(), -EBADMSG);
	message_start(&m, 1, MESSAGE_REPLY);
	assert_int_equal(check(), -EBADMSG); /* no question */
}

static void
a_message_full_of_addresses_passes(void **state)
{
	(void)state;
	message_reply(&m, "a", TYPE_A);
	while (m.len + 16 <= sizeof(m.bytes))
		message_a(&m, "@", 1, "192.0.2.1");
	assert_int_equal(check(), 0);
	message_reply(&m, "a", TYPE_A);
	for (size_t i = 0; i < WIRE_RECORDS_MAX + 1; i++)
		message_record(&m, ANSWER, ".", TYPE_NULL, 1, NULL, 0);
	assert_int_equal(check(), -EBADMSG);
}

/* RDATA of ldns's idea of a type: every number 0, every string empty, names from names,
 * which has one letter for each: 'r' the root, 'p' a pointer to the question, 'f' one
 * that leads forwards. */
static size_t
put_fields(const ldns_rr_descriptor *descriptor, char letter)
{
	size_t names = 0;

	for (size_t i = 0; i < ldns_rr_descriptor_minimum(descriptor); i++) {
		switch (ldns_rr_descriptor_field_type(descriptor, i)) {
		case LDNS_RDF_TYPE_DNAME:
			names++;
			if (letter == 'r')
				message_name(&m, ".");
			else
				message_u16(&m, letter == 'p' ? 0xc00c : 0xfffe);
			break;
		case LDNS_RDF_TYPE_INT32:
		case LDNS_RDF_TYPE_PERIOD:
		case LDNS_RDF_TYPE_TIME:
			message_u32(&m, 0);
			break;
		case LDNS_RDF_TYPE_TSIGTIME:
			message_u32(&m, 0);
			message_u16(&m, 0);
			break;
		case LDNS_RDF_TYPE_INT8:
		case LDNS_RDF_TYPE_ALG:
		case LDNS_RDF_TYPE_STR:
			message_bytes(&m, "", 1);
			break;
		default: /* 16 bits, or the rest of the RDATA */
			message_u16(&m, 0);
		}
	}
	return names;
}

/* Of any type in which ldns would follow pointers, so do we first. */
static void
every_name_that_ldns_reads_is_checked(void **state)
{
	size_t types = 0;

	(void)state;
	for (unsigned type = 1; type < 65535; type++) {
		const ldns_rr_descriptor *descriptor = ldns_rr_descript((uint16_t)type);
		size_t names = 0;

		if (type == TYPE_TSIG)
			continue; /* its place is tested above */
		for (const char *letter = "rpf"; *letter != '\0'; letter++) {
			message_reply(&m, "a", TYPE_A);
			message_begin(&m, ADDITIONAL, ".", (uint16_t)type, 1);
			names = put_fields(descriptor, *letter);
			message_end(&m);
			if (names == 0)
				break;
			if (check() != (*letter == 'f' ? -EBADMSG : 0))
				fail_msg("type %u, names '%c'", type, *letter);
		}
		assert_int_equal(wire_has_names((uint16_t)type), names != 0);
		types += names != 0;
	}
	assert_true(types > 20);
}

static void
rdata_is_measured_with_its_names_uncompressed(void **state)
{
	struct wire_record record;
	struct wire w;

	(void)state;
	message_reply(&m, "www.example", TYPE_MX);
	message_begin(&m, ANSWER, "@", TYPE_MX, 1);
	message_u16(&m, 10);
	message_bytes(&m, "\2mx\xc0\x10", 5);
	message_end(&m);
	wire_init(&w, m.bytes, m.len);
	w.pos = WIRE_HEADER_LEN + 13 + 4;
	wire_record(&w, &record);
	assert_int_equal(record.rdata_len, 7);
	assert_int_equal(wire_rdata(&w, &record), 2 + 3 + 9);
	assert_false(w.failed);
	assert_int_equal(record.owner.len, 13);
	assert_int_equal(record.ttl_pos, record.start + 6);
	record.rdata_len--;
	assert_int_equal(wire_rdata(&w, &record), 0);
	assert_true(w.failed);
}

static void
strings_end_where_the_rdata_does(void **state)
{
	static const struct {
		uint16_t type;
		const char *rdata;
		size_t len;
		bool good;
	} rows[] = {
	    {TYPE_TXT, "\1a\0\2bc", 6, true},
	    {TYPE_TXT, "\0", 1, true},
	    {TYPE_TXT, "", 0, false},
	    {TYPE_TXT, "\2a", 2, false},
	    {TYPE_HINFO, "\1a\1b", 4, true},
	    {TYPE_HINFO, "\1a", 2, false},
	    {TYPE_HINFO, "\1a\1b\0", 5, false},
	    {TYPE_SRV, "\0\1\0\2\0\3\1a\0", 9, true},
	    {TYPE_SRV, "\0\1\0\2\0\3\1a\0\0", 10, false},
	    {TYPE_SRV, "\0\1\0\2\0\3\1a", 8, false},
	    {TYPE_CNAME, "", 0, false},
	    {TYPE_SOA, "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 22, true},
	    {TYPE_SOA, "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0", 21, false},
	    {TYPE_HTTPS, "\0\1\0\0\1\0\3\2h2", 10, true},
	    {65280, "anything", 8, true},
	    {65280, "", 0, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		message_reply(&m, "a", TYPE_A);
		message_record(
		    &m, ANSWER, "@", rows[i].type, 1, rows[i].rdata, rows[i].len);
		if ((check() == 0) != rows[i].good)
			fail_msg("row %zu, type %u", i, rows[i].type);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_stop_at_the_end_and_stay_failed),
	    cmocka_unit_test(writing_is_the_reverse_of_reading),
	    cmocka_unit_test(item_15_labels_of_63_and_names_of_255_are_the_most),
	    cmocka_unit_test(items_16_and_17_bytes_are_data_and_only_ascii_letters_fold),
	    cmocka_unit_test(item_18_pointers_lead_backwards_only),
	    cmocka_unit_test(item_18_hops_are_bounded_for_a_name),
	    cmocka_unit_test(what_is_read_behind_pointers_is_bounded_for_a_message),
	    cmocka_unit_test(addresses_have_their_length),
	    cmocka_unit_test(
		item_24_there_is_one_opt_of_the_root_in_the_additional_section),
	    cmocka_unit_test(a_tsig_is_the_last_record),
	    cmocka_unit_test(counts_and_lengths_do_not_lie),
	    cmocka_unit_test(a_message_full_of_addresses_passes),
	    cmocka_unit_test(every_name_that_ldns_reads_is_checked),
	    cmocka_unit_test(rdata_is_measured_with_its_names_uncompressed),
	    cmocka_unit_test(strings_end_where_the_rdata_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
