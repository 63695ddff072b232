/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each reply is read back as if it came from upstream: what our own reader makes of it is
 * what a client gets.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "resolver/reply.h"
#include "tests/unit/message.h"

#define SIZE 4096
#define ASKED "google.com.default.svc.cluster.local"
#define MEANT "google.com"

static struct message m;
static struct question q;
static uint8_t out[SIZE];
static size_t len;

static const struct reply_ede stale = {.code = EDE_STALE, .text = "old"};

static void
ask_for(uint16_t type, bool edns)
{
	message_query(&m, ASKED, type);
	if (edns)
		message_opt(&m, 1232, 0, NULL, 0);
	(void)question_parse(m.bytes, m.len, &q);
}

static struct answer *
examine(const uint8_t *msg, size_t msg_len, const char *name, uint16_t type)
{
	struct name n = message_parsed(name);
	struct answer *a;

	assert_int_equal(wire_check(msg, msg_len), 0);
	assert_int_equal(answer_examine(msg, msg_len, &n, type, 0, &a), 0);
	return a;
}

/* MEANT by way of another name has count addresses. */
static struct answer *
meant(size_t count)
{
	char text[ADDR_TEXT_MAX];

	message_reply(&m, MEANT, TYPE_A);
	message_alias(&m, "@", 60, "edge.example");
	for (size_t i = 0; i < count; i++) {
		const struct addr a =
		    addr_make(AF_INET, (uint8_t[]){192, 0, 2, (uint8_t)(i + 1)});

		message_a(&m, "edge.example", 60, addr_format(&a, text));
	}
	return examine(m.bytes, m.len, MEANT, TYPE_A);
}

static void
reply(const struct answer *a, uint64_t keep, size_t limit)
{
	memset(out, 0xa5, sizeof(out));
	len = reply_alias(&q, a, keep, 17, &stale, limit, out, sizeof(out));
	assert_true(len <= limit);
	for (size_t i = len; i < sizeof(out); i++)
		assert_int_equal(out[i], 0xa5);
	assert_memory_equal(out + WIRE_HEADER_LEN, q.raw, q.raw_len);
}

static void
the_name_leads_to_the_one_meant(void **state)
{
	struct answer *a = meant(3), *got;

	(void)state;
	for (int edns = 0; edns < 2; edns++) {
		ask_for(TYPE_A, edns != 0);
		reply(a, 5, SIZE);
		got = examine(out, len, ASKED, TYPE_A);
		assert_int_equal(got->address_count, 2);
		assert_int_equal(got->answer_records, 3);
		assert_int_equal(got->ttl_s, 17);
		assert_true(addr_equal(&got->addresses[0].addr, &a->addresses[0].addr));
		assert_true(addr_equal(&got->addresses[1].addr, &a->addresses[2].addr));
		answer_unref(got);
	}
	answer_unref(a);
}

static void
all_64_fit_a_stream(void **state)
{
	struct answer *a = meant(ANSWER_ADDRESSES_MAX), *got;

	(void)state;
	ask_for(TYPE_A, true);
	reply(a, UINT64_MAX, SIZE);
	got = examine(out, len, ASKED, TYPE_A);
	assert_int_equal(got->address_count, ANSWER_ADDRESSES_MAX);
	answer_unref(got);
	reply(a, UINT64_MAX, REPLY_SIZE_MIN);
	assert_int_equal(out[2] & WIRE_TC >> 8, WIRE_TC >> 8);
	assert_int_equal(out[7], 0);
	answer_unref(a);
}

static void
without_addresses_the_alias_stays(void **state)
{
	struct answer *a, *got;

	(void)state;
	message_reply(&m, MEANT, TYPE_AAAA);
	a = examine(m.bytes, m.len, MEANT, TYPE_AAAA);
	ask_for(TYPE_AAAA, true);
	reply(a, UINT64_MAX, SIZE);
	assert_int_equal(out[3] & WIRE_RCODE, RCODE_NOERROR);
	assert_int_equal(out[7], 1);
	got = examine(out, len, ASKED, TYPE_AAAA);
	assert_true(got->negative);
	answer_unref(got);
	answer_unref(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_name_leads_to_the_one_meant),
	    cmocka_unit_test(all_64_fit_a_stream),
	    cmocka_unit_test(without_addresses_the_alias_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
