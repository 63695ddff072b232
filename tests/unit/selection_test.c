/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "resolver/selection.h"
#include "tests/unit/message.h"

static struct message m;
static struct selection s;

/* What the reply in m says of its own question, asked as name. */
static int
make(const char *name, uint16_t type)
{
	struct name n = message_parsed(name);

	assert_int_equal(wire_check(m.bytes, m.len), 0);
	return selection_make(m.bytes, m.len, &n, type, &s);
}

static bool
selected(size_t i, const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return i < s.address_count && addr_equal(&s.addresses[i], &addr);
}

static void
item_53_addresses_are_taken_with_the_lowest_ttl(void **state)
{
	(void)state;
	message_reply(&m, "www.test", TYPE_A);
	message_a(&m, "@", 300, "192.0.2.1");
	message_a(&m, "WWW.test", 60, "192.0.2.2");
	message_a(&m, "www.TEST", 900, "192.0.2.3");
	assert_int_equal(make("www.test", TYPE_A), 0);
	assert_int_equal(s.address_count, 3);
	assert_true(selected(0, "192.0.2.1") && selected(2, "192.0.2.3"));
	assert_int_equal(s.ttl_s, 60);
	assert_false(selection_is_negative(&s));
	message_reply(&m, "www.test", TYPE_AAAA);
	message_aaaa(&m, "@", 30, "2001:db8::1");
	assert_int_equal(make("www.test", TYPE_AAAA), 0);
	assert_true(selected(0, "2001:db8::1"));
}

static void
item_52_a_ttl_with_the_top_bit_is_0_and_none_is_above_a_week(void **state)
{
	static const uint32_t rows[][2] = {{0, 0}, {1, 1}, {604800, 604800},
	    {604801, 604800}, {0x7fffffff, 604800}, {0x80000000, 0}, {0xffffffff, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		message_reply(&m, "a", TYPE_A);
		message_a(&m, "@", rows[i][0], "192.0.2.1");
		assert_int_equal(make("a", TYPE_A), 0);
		assert_int_equal(s.ttl_s, rows[i][1]);
	}
}

static void
item_58_the_chain_is_followed_in_any_order(void **state)
{
	struct name c = message_parsed("c.other");

	(void)state;
	for (int order = 0; order < 2; order++) {
		message_reply(&m, "a.test", TYPE_A);
		if (order == 1)
			message_a(&m, "c.other", 70, "192.0.2.1");
		message_alias(&m, "b.test", 50, "C.other");
		message_alias(&m, "A.test", 90, "b.test");
		if (order == 0)
			message_a(&m, "c.other", 70, "192.0.2.1");
		assert_int_equal(make("a.test", TYPE_A), 0);
		assert_int_equal(s.links, 2);
		assert_true(name_equal(&s.names[2], &c));
		assert_int_equal(s.ttl_s, 50);
		assert_true(selected(0, "192.0.2.1"));
	}
}

/* n0 to nLINKS, with an address at the end. */
static void
put_chain(size_t links)
{
	char owner[16], target[16];

	message_reply(&m, "n0", TYPE_A);
	for (size_t i = 0; i < links; i++) {
		(void)snprintf(owner, sizeof(owner), "n%zu", i);
		(void)snprintf(target, sizeof(target), "n%zu", i + 1);
		message_alias(&m, owner, 60, target);
	}
	(void)snprintf(owner, sizeof(owner), "n%zu", links);
	message_a(&m, owner, 60, "192.0.2.1");
}

static void
item_58_a_chain_has_at_most_eight_links(void **state)
{
	(void)state;
	for (size_t links = 0; links <= ANSWER_CHAIN_MAX; links++) {
		put_chain(links);
		assert_int_equal(make("n0", TYPE_A), 0);
		assert_int_equal(s.links, links);
		assert_int_equal(s.address_count, 1);
	}
	put_chain(ANSWER_CHAIN_MAX + 1);
	assert_int_equal(make("n0", TYPE_A), -ELOOP);
	put_chain(1000); /* more aliases than are looked at */
	assert_int_equal(make("n0", TYPE_A), -ELOOP);
}

static void
item_58_a_chain_that_bites_its_tail_is_a_loop(void **state)
{
	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_alias(&m, "@", 60, "a");
	assert_int_equal(make("a", TYPE_A), -ELOOP);
	message_reply(&m, "a", TYPE_A);
	message_alias(&m, "@", 60, "b");
	message_alias(&m, "b", 60, "c");
	message_alias(&m, "c", 60, "B");
	assert_int_equal(make("a", TYPE_A), -ELOOP);
}

static void
attack_5_what_is_not_on_the_chain_does_not_count(void **state)
{
	(void)state;
	message_reply(&m, "a.test", TYPE_A);
	message_a(&m, "victim.test", 1, "203.0.113.1");
	message_alias(&m, "other.test", 1, "a.test");
	message_begin(&m, ANSWER, "test", TYPE_DNAME, 1);
	message_name(&m, "evil");
	message_end(&m);
	message_alias(&m, "@", 60, "c.test");
	message_a(&m, "c.test", 60, "192.0.2.1");
	message_aaaa(&m, "c.test", 1, "2001:db8::1");
	message_record(&m, ANSWER, "c.test", TYPE_RRSIG, 1,
	    "\0\1\5\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 19);
	message_record(&m, AUTHORITY, "test", TYPE_NS, 1, "\2ns\4evil", 9);
	message_record(&m, ADDITIONAL, "c.test", TYPE_A, 1, "\313\0\161\2", 4);
	assert_int_equal(make("a.test", TYPE_A), 0);
	assert_int_equal(s.links, 1);
	assert_int_equal(s.address_count, 1);
	assert_true(selected(0, "192.0.2.1"));
	assert_int_equal(s.ttl_s, 60);
}

static void
item_58_aliases_made_of_a_dname_are_followed(void **state)
{
	(void)state;
	message_reply(&m, "a.old.test", TYPE_A);
	message_begin(&m, ANSWER, "old.test", TYPE_DNAME, 30);
	message_name(&m, "new.test");
	message_end(&m);
	message_alias(&m, "@", 60, "a.new.test");
	message_a(&m, "a.new.test", 90, "192.0.2.1");
	assert_int_equal(make("a.old.test", TYPE_A), 0);
	assert_int_equal(s.links, 1);
	assert_int_equal(s.ttl_s, 60); /* the DNAME is not part of the answer */
}

static void
other_classes_do_not_count(void **state)
{
	(void)state;
	message_reply(&m, "a", TYPE_A);
	message_record(&m, ANSWER, "@", TYPE_A, 60, "\1\2\3\4", 4);
	message_put16(&m, m.len - 12, 3);
	assert_int_equal(make("a", TYPE_A), 0);
	assert_true(selection_is_negative(&s));
	message_reply(&m, "a", TYPE_A);
	message_alias(&m, "@", 60, "b");
	message_put16(&m, m.len - 3 - 8, 3);
	assert_int_equal(make("a", TYPE_A), 0);
	assert_int_equal(s.links, 0);
}

static void
contradictions_are_refused(void **state)
{
	(void)state;
	message_reply(&m, "a", TYPE_A); /* two targets */
	message_alias(&m, "@", 60, "b");
	message_alias(&m, "@", 60, "c");
	assert_int_equal(make("a", TYPE_A), -EBADMSG);

	message_reply(&m, "a", TYPE_A); /* one target, twice */
	message_alias(&m, "@", 60, "b");
	message_alias(&m, "@", 20, "B");
	assert_int_equal(make("a", TYPE_A), 0);
	assert_int_equal(s.ttl_s, 0); /* negative, without a SOA */

	message_reply(&m, "a", TYPE_A); /* data beside an alias */
	message_alias(&m, "@", 60, "b");
	message_a(&m, "@", 60, "192.0.2.1");
	assert_int_equal(make("a", TYPE_A), -EBADMSG);

	message_reply(&m, "a", TYPE_A); /* data of a name that is not there */
	message_put16(&m, 2, MESSAGE_REPLY | RCODE_NXDOMAIN);
	message_a(&m, "@", 60, "192.0.2.1");
	assert_int_equal(make("a", TYPE_A), -EBADMSG);

	message_reply(&m, "a", TYPE_A); /* another question */
	assert_int_equal(make("b", TYPE_A), -EBADMSG);
	assert_int_equal(make("a", TYPE_AAAA), -EBADMSG);
	message_start(&m, 1, MESSAGE_REPLY);
	message_question(&m, "a", TYPE_A, 3);
	assert_int_equal(make("a", TYPE_A), -EBADMSG);

	message_reply(&m, "a", TYPE_A); /* item 42: cut */
	message_put16(&m, 2, MESSAGE_REPLY | WIRE_TC);
	assert_int_equal(make("a", TYPE_A), -EBADMSG);
}

static void
item_49_only_noerror_and_nxdomain_are_answers(void **state)
{
	(void)state;
	for (unsigned rcode = 0; rcode < 16; rcode++) {
		message_reply(&m, "a", TYPE_A);
		message_put16(&m, 2, (uint16_t)(MESSAGE_REPLY | rcode));
		assert_int_equal(make("a", TYPE_A),
		    rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN ? 0 : -EREMOTEIO);
	}
	message_reply(&m, "a", TYPE_A); /* BADVERS: 0 in the header, 1 in the OPT */
	message_opt(&m, 1232, 0x01000000, NULL, 0);
	assert_int_equal(make("a", TYPE_A), -EREMOTEIO);
}

static void
item_54_nothing_lasts_as_long_as_the_soa_says(void **state)
{
	static const struct {
		uint32_t ttl_s, minimum_s, expected;
	} rows[] = {{3600, 300, 300}, {60, 300, 60}, {86400, 86400, 10800}, {0, 300, 0},
	    {0x80000000, 300, 0}, {300, 0xffffffff, 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		message_reply(&m, "a.b.test", TYPE_A);
		message_put16(&m, 2, MESSAGE_REPLY | RCODE_NXDOMAIN);
		message_soa(&m, "test", rows[i].ttl_s, rows[i].minimum_s);
		assert_int_equal(make("a.b.test", TYPE_A), 0);
		assert_int_equal(s.rcode, RCODE_NXDOMAIN);
		assert_true(selection_is_negative(&s));
		assert_true(s.soa != 0);
		assert_int_equal(s.ttl_s, rows[i].expected);
	}
}

static void
a_soa_counts_only_above_the_end_of_the_chain(void **state)
{
	static const struct {
		const char *owner;
		bool counts;
	} rows[] = {{".", true}, {"other", true}, {"b.Other", true}, {"a.test", false},
	    {"test", false}, {"x.b.other", false}, {"ther", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		message_reply(&m, "a.test", TYPE_A);
		message_alias(&m, "@", 200, "b.other");
		message_soa(&m, rows[i].owner, 300, 300);
		assert_int_equal(make("a.test", TYPE_A), 0);
		assert_int_equal(s.soa != 0, rows[i].counts);
		assert_int_equal(s.ttl_s, rows[i].counts ? 200 : 0);
	}
	message_reply(&m, "a.test", TYPE_A); /* the one that fits is taken */
	message_soa(&m, "other", 1, 1);
	message_soa(&m, "test", 300, 300);
	assert_int_equal(make("a.test", TYPE_A), 0);
	assert_int_equal(s.ttl_s, 300);
	message_reply(&m, "a.test", TYPE_A); /* a positive answer has none */
	message_a(&m, "@", 600, "192.0.2.1");
	message_soa(&m, "test", 300, 300);
	assert_int_equal(make("a.test", TYPE_A), 0);
	assert_int_equal(s.soa, 0);
	assert_int_equal(s.ttl_s, 600);
}

static void
attack_10_addresses_are_distinct_and_at_most_64(void **state)
{
	char text[16];

	(void)state;
	message_reply(&m, "a", TYPE_A);
	for (unsigned i = 0; i < 500; i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%u", i / 2 % 256);
		message_a(&m, "@", i == 499 ? 5 : 60, text);
	}
	assert_int_equal(make("a", TYPE_A), 0);
	assert_int_equal(s.address_count, ANSWER_ADDRESSES_MAX);
	assert_true(selected(0, "192.0.2.0") && selected(63, "192.0.2.63"));
	assert_int_equal(s.ttl_s, 5); /* one TTL for the whole set, kept or not */
}

static void
other_types_are_selected_like_addresses(void **state)
{
	struct wire_record record;

	(void)state;
	message_reply(&m, "a", TYPE_TXT);
	message_alias(&m, "@", 60, "b");
	message_record(&m, ANSWER, "b", TYPE_TXT, 50, "\1x", 2);
	message_record(&m, ANSWER, "c", TYPE_TXT, 1, "\1y", 2);
	assert_int_equal(make("a", TYPE_TXT), 0);
	assert_int_equal(s.record_count, 1);
	assert_int_equal(s.ttl_s, 50);
	selection_record(&s, s.records[0], &record);
	assert_memory_equal(m.bytes + record.rdata, "\1x", 2);
	message_reply(&m, "a", TYPE_TXT);
	for (size_t i = 0; i < ANSWER_RECORDS_MAX; i++)
		message_record(&m, ANSWER, "@", TYPE_TXT, 50, "\0", 1);
	assert_int_equal(make("a", TYPE_TXT), 0);
	message_record(&m, ANSWER, "@", TYPE_TXT, 50, "\0", 1);
	assert_int_equal(make("a", TYPE_TXT), -EMSGSIZE);
}

static void
a_question_for_an_alias_is_answered_by_it(void **state)
{
	(void)state;
	message_reply(&m, "a", TYPE_CNAME);
	message_alias(&m, "@", 60, "b");
	message_alias(&m, "b", 1, "c");
	assert_int_equal(make("a", TYPE_CNAME), 0);
	assert_int_equal(s.links, 0);
	assert_int_equal(s.record_count, 1);
	assert_int_equal(s.ttl_s, 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(item_53_addresses_are_taken_with_the_lowest_ttl),
	    cmocka_unit_test(
		item_52_a_ttl_with_the_top_bit_is_0_and_none_is_above_a_week),
	    cmocka_unit_test(item_58_the_chain_is_followed_in_any_order),
	    cmocka_unit_test(item_58_a_chain_has_at_most_eight_links),
	    cmocka_unit_test(item_58_a_chain_that_bites_its_tail_is_a_loop),
	    cmocka_unit_test(attack_5_what_is_not_on_the_chain_does_not_count),
	    cmocka_unit_test(item_58_aliases_made_of_a_dname_are_followed),
	    cmocka_unit_test(other_classes_do_not_count),
	    cmocka_unit_test(contradictions_are_refused),
	    cmocka_unit_test(item_49_only_noerror_and_nxdomain_are_answers),
	    cmocka_unit_test(item_54_nothing_lasts_as_long_as_the_soa_says),
	    cmocka_unit_test(a_soa_counts_only_above_the_end_of_the_chain),
	    cmocka_unit_test(attack_10_addresses_are_distinct_and_at_most_64),
	    cmocka_unit_test(other_types_are_selected_like_addresses),
	    cmocka_unit_test(a_question_for_an_alias_is_answered_by_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
