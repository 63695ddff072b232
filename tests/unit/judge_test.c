/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "tests/unit/alloc.h"
#include "tests/witness/judge.h"
#include "tests/witness/packet.h"

#define S 1000000000ull
#define MS 1000000ull
#define TTL_S 30
#define PORT 443

struct bed {
	struct places places;
	struct judge judge;
	struct record syn; /* of the pod to what it was answered */
};

static unsigned told;

static void
count_told(const char *line)
{
	told += line[0] != ' '; /* else more about the one before */
}

static struct addr
address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return a;
}

static int
enter(void **state)
{
	static struct bed b;
	char uplink[] = "uplink0=192.0.2.1,3fff::1", pod[] = "vethpod1=10.244.0.1";
	char *words[] = {uplink, pod};

	memset(&b, 0, sizeof(b));
	told = 0;
	assert_int_equal(places_parse(&b.places, words, ARRAY_LEN(words)), 0);
	assert_int_equal(judge_init(&b.judge, &b.places, count_told), 0);
	b.syn = (struct record){
	    .kind = RECORD_LEAVES,
	    .src = address("10.244.0.1"),
	    .dst = address("198.51.100.80"),
	    .sport = 40000,
	    .dport = PORT,
	    .proto = IPPROTO_TCP,
	    .flags = PACKET_SYN,
	};
	*state = &b;
	return 0;
}

static int
leave(void **state)
{
	struct bed *b = *state;

	judge_done(&b->judge);
	return 0;
}

static void
change(struct bed *b, bool add, uint64_t at_ns, uint64_t left_ns)
{
	struct change_seen c = {.add = add, .left_ns = left_ns};
	size_t key_len;

	c.set = (uint8_t)sets_find("leases4", &key_len);
	assert_int_equal(key_len, 16);
	memcpy(c.low, b->syn.src.bytes, 4);
	memcpy(c.low + 4, b->syn.dst.bytes, 4);
	c.low[8] = IPPROTO_TCP;
	c.low[12] = PORT >> 8;
	c.low[13] = PORT & 0xff;
	memcpy(c.high, c.low, sizeof(c.high));
	assert_int_equal(sets_change(&b->judge.sets, &c), 0);
	assert_int_equal(sets_apply(&b->judge.sets, at_ns), 0);
}

static void
answer(struct bed *b, uint64_t at_ns, uint8_t ttl_s)
{
	uint8_t message[] = {0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, /* header */
	    1, 'a', 0, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, ttl_s, 0, 4, 198, 51,
	    100, 80};
	struct record r = {
	    .at_ns = at_ns,
	    .kind = RECORD_ANSWER,
	    .place = 1,
	    .proto = IPPROTO_UDP,
	    .data = message,
	    .len = sizeof(message),
	};

	assert_int_equal(judge_take(&b->judge, &r), 0);
}

static void
leaves(struct bed *b, uint64_t at_ns, uint8_t flags)
{
	struct record r = b->syn;

	r.at_ns = at_ns;
	r.flags = flags;
	assert_int_equal(judge_take(&b->judge, &r), 0);
}

/* Nothing but this many of one kind. */
static void
assert_found(const struct bed *b, enum finding f, uint64_t count)
{
	for (int i = 0; i < FINDINGS; i++)
		assert_int_equal(b->judge.found[i], (int)f == i ? count : 0);
	assert_int_equal(told, MIN_OF(count, JUDGE_TOLD_MAX));
}

static void
right_order_is_found_right(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	answer(b, S + 1, TTL_S);
	leaves(b, S + 2, PACKET_SYN);
	leaves(b, S + 3, PACKET_ACK);
	assert_found(b, FINDING_EARLY, 0);
	assert_int_equal(b->judge.answers, 1);
	assert_int_equal(b->judge.opened, 1);
	assert_int_equal(b->judge.left, 2);
}

static void
an_answer_before_the_commit_is_found(void **state)
{
	struct bed *b = *state;

	answer(b, S - 1, TTL_S);
	change(b, true, S, 60 * S);
	assert_found(b, FINDING_EARLY, 1);
}

static void
an_answer_after_the_end_is_found(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	answer(b, 61 * S - SETS_EDGE_NS, 0);
	assert_found(b, FINDING_EARLY, 0);
	answer(b, 61 * S - SETS_EDGE_NS + 1, 0);
	assert_found(b, FINDING_EARLY, 1);
}

static void
a_ttl_beyond_the_lease_is_found(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	answer(b, 31 * S, TTL_S);
	assert_found(b, FINDING_SHORT, 0);
	answer(b, 31 * S + SETS_EDGE_NS + 1, TTL_S);
	assert_found(b, FINDING_SHORT, 1);
}

static void
what_nobody_was_answered_is_found(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	leaves(b, 2 * S, PACKET_SYN);
	assert_found(b, FINDING_UNANSWERED, 1);
}

static void
what_has_no_lease_is_found(void **state)
{
	struct bed *b = *state;

	for (unsigned i = 0; i < JUDGE_TOLD_MAX + 5; i++)
		leaves(b, S + i, i % 2 == 0 ? PACKET_SYN : PACKET_ACK);
	assert_found(b, FINDING_UNLISTED, JUDGE_TOLD_MAX + 5);
}

static void
a_lease_s_end_counts_when_the_packet_came(void **state)
{
	struct bed *b = *state;
	struct record came = b->syn;

	change(b, true, S, 60 * S);
	answer(b, 2 * S, TTL_S);
	leaves(b, 61 * S + SETS_EDGE_NS, PACKET_SYN);
	came.kind = RECORD_FROM_POD;
	came.place = 1;
	came.at_ns = 61 * S;
	assert_int_equal(judge_take(&b->judge, &came), 0);
	leaves(b, 63 * S, PACKET_SYN); /* two seconds in a queue of the node's */
	assert_found(b, FINDING_UNLISTED, 0);
	came.at_ns = 64 * S;
	assert_int_equal(judge_take(&b->judge, &came), 0);
	leaves(b, 64 * S + 1, PACKET_SYN);
	assert_found(b, FINDING_UNLISTED, 1);
}

static void
an_open_flow_outlives_its_lease_but_not_the_withdrawal(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	answer(b, S + 1, TTL_S);
	leaves(b, 2 * S, PACKET_SYN);
	leaves(b, 100 * S, PACKET_ACK);
	assert_found(b, FINDING_WITHDRAWN, 0);
	change(b, true, 101 * S, 60 * S);
	change(b, false, 110 * S, 0);
	leaves(b, 110 * S + JUDGE_CUT_NS, PACKET_ACK);
	assert_found(b, FINDING_WITHDRAWN, 0);
	leaves(b, 110 * S + JUDGE_CUT_NS + 1, PACKET_ACK);
	assert_found(b, FINDING_WITHDRAWN, 1);
}

/* Put back in the transaction that takes it out, for another minute. */
static void
renew(struct bed *b, uint64_t at_ns)
{
	struct change_seen c = {.left_ns = SETS_NEVER};
	size_t key_len;

	c.set = (uint8_t)sets_find("leases4", &key_len);
	memcpy(c.low, b->syn.src.bytes, 4);
	memcpy(c.low + 4, b->syn.dst.bytes, 4);
	c.low[8] = IPPROTO_TCP;
	c.low[12] = PORT >> 8;
	c.low[13] = PORT & 0xff;
	assert_int_equal(sets_change(&b->judge.sets, &c), 0);
	change(b, true, at_ns, 60 * S);
}

static void
a_lease_is_renewed_for_a_flow(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	answer(b, S + 1, TTL_S);
	leaves(b, 2 * S, PACKET_SYN);
	renew(b, 50 * S);
	b->syn.sport++;
	leaves(b, 100 * S, PACKET_SYN);
	renew(b, 109 * S);
	b->syn.sport++;
	leaves(b, 150 * S, PACKET_SYN);
	assert_found(b, FINDING_IDLE, 0);
	assert_int_equal(b->judge.sets.renewed, 2);
	assert_int_equal(b->judge.sets.opened, 1);
}

static void
a_lease_is_renewed_for_an_answer(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	answer(b, S + 1, TTL_S);
	renew(b, 50 * S);
	answer(b, 50 * S + 1, TTL_S);
	leaves(b, 100 * S, PACKET_SYN);
	assert_found(b, FINDING_IDLE, 0);
}

static void
a_renewal_for_nothing_is_none(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	answer(b, S + 1, TTL_S);
	renew(b, 50 * S);
	leaves(b, 61 * S + JUDGE_IDLE_NS, PACKET_SYN);
	assert_found(b, FINDING_IDLE, 0);
	renew(b, 70 * S); /* by now it is used */
	b->syn.sport++;
	leaves(b, 120 * S, PACKET_SYN);
	assert_found(b, FINDING_IDLE, 0);
}

static void
one_that_was_never_used_is_found(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	answer(b, S + 1, TTL_S);
	renew(b, 50 * S);
	leaves(b, 61 * S + JUDGE_IDLE_NS + 1, PACKET_SYN);
	assert_found(b, FINDING_IDLE, 1);
}

static void
a_renewal_leaves_no_gap(void **state)
{
	struct bed *b = *state;

	change(b, true, S, 60 * S);
	answer(b, S + 1, TTL_S);
	change(b, true, 30 * S, 60 * S);
	answer(b, 30 * S + 1, TTL_S);
	leaves(b, 89 * S, PACKET_SYN);
	assert_found(b, FINDING_UNLISTED, 0);
	leaves(b, 91 * S, PACKET_SYN);
	assert_found(b, FINDING_UNLISTED, 1);
}

static void
the_end_of_a_set_is_the_end_of_its_leases(void **state)
{
	struct bed *b = *state;
	struct change_seen all = {.all = true};
	size_t key_len;

	change(b, true, S, 60 * S);
	answer(b, S + 1, TTL_S);
	all.set = (uint8_t)sets_find("leases4", &key_len);
	assert_int_equal(sets_change(&b->judge.sets, &all), 0);
	assert_int_equal(sets_apply(&b->judge.sets, 5 * S), 0);
	leaves(b, 5 * S + 1, PACKET_SYN);
	assert_found(b, FINDING_UNLISTED, 1);
}

static void
the_node_has_its_own_packets(void **state)
{
	struct bed *b = *state;

	b->syn.src = address("192.0.2.1");
	b->syn.dport = 53;
	b->syn.proto = IPPROTO_UDP;
	leaves(b, S, 0);
	assert_found(b, FINDING_STRANGE, 0);
	b->syn.dport = 80;
	leaves(b, S, 0);
	b->syn.src = address("10.244.9.9");
	leaves(b, S, 0);
	assert_found(b, FINDING_STRANGE, 2);
	assert_int_equal(b->judge.own, 3);
}

static void
what_is_no_answer_is_found(void **state)
{
	struct bed *b = *state;
	uint8_t data[] = {0, 1, 2};
	struct record r = {.kind = RECORD_ANSWER,
	    .place = 1,
	    .proto = IPPROTO_UDP,
	    .data = data,
	    .len = sizeof(data)};

	assert_int_equal(judge_take(&b->judge, &r), 0);
	r.proto = IPPROTO_TCP; /* a length beyond the segment */
	assert_int_equal(judge_take(&b->judge, &r), 0);
	assert_found(b, FINDING_UNREAD, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(right_order_is_found_right, enter, leave),
	    cmocka_unit_test_setup_teardown(
		an_answer_before_the_commit_is_found, enter, leave),
	    cmocka_unit_test_setup_teardown(
		an_answer_after_the_end_is_found, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_ttl_beyond_the_lease_is_found, enter, leave),
	    cmocka_unit_test_setup_teardown(
		what_nobody_was_answered_is_found, enter, leave),
	    cmocka_unit_test_setup_teardown(what_has_no_lease_is_found, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_lease_s_end_counts_when_the_packet_came, enter, leave),
	    cmocka_unit_test_setup_teardown(
		an_open_flow_outlives_its_lease_but_not_the_withdrawal, enter, leave),
	    cmocka_unit_test_setup_teardown(a_renewal_leaves_no_gap, enter, leave),
	    cmocka_unit_test_setup_teardown(a_lease_is_renewed_for_a_flow, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_lease_is_renewed_for_an_answer, enter, leave),
	    cmocka_unit_test_setup_teardown(a_renewal_for_nothing_is_none, enter, leave),
	    cmocka_unit_test_setup_teardown(
		one_that_was_never_used_is_found, enter, leave),
	    cmocka_unit_test_setup_teardown(
		the_end_of_a_set_is_the_end_of_its_leases, enter, leave),
	    cmocka_unit_test_setup_teardown(the_node_has_its_own_packets, enter, leave),
	    cmocka_unit_test_setup_teardown(what_is_no_answer_is_found, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
