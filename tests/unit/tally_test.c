/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "daemon/enforcer/tally.h"

static int
enter(void **state)
{
	static struct tally t;

	tally_init(&t);
	assert_true(tally_turn(&t, 1000));
	*state = &t;
	return 0;
}

static enum tally_word
add(struct tally *t, uint16_t source, uint16_t port, bool *loud)
{
	struct enforcer_refused flow;

	memset(&flow, 0, sizeof(flow));
	flow.source = addr_make(
	    AF_INET, (uint8_t[]){10, 244, (uint8_t)(source >> 8), (uint8_t)source});
	flow.destination = addr_make(AF_INET, (uint8_t[]){192, 0, 2, 1});
	flow.proto = IPPROTO_TCP;
	flow.port = port;
	return tally_add(t, &flow, loud);
}

static void
a_flow_is_told_once_a_second(void **state)
{
	struct tally *t = *state;
	bool loud;

	assert_int_equal(add(t, 1, 80, &loud), TALLY_TELL);
	assert_int_equal(add(t, 1, 80, &loud), TALLY_KNOWN);
	assert_int_equal(add(t, 1, 81, &loud), TALLY_TELL);
	assert_int_equal(add(t, 2, 80, &loud), TALLY_TELL);
	assert_false(tally_turn(t, 1000 + TALLY_PERIOD_MS - 1));
	assert_int_equal(add(t, 1, 80, &loud), TALLY_KNOWN);
	assert_true(tally_turn(t, 1000 + TALLY_PERIOD_MS));
	assert_int_equal(add(t, 1, 80, &loud), TALLY_TELL);
	assert_false(loud);
}

static void
a_source_has_a_share(void **state)
{
	struct tally *t = *state;
	bool loud;

	for (uint16_t i = 0; i < TALLY_SOURCE_FLOWS; i++)
		assert_int_equal(add(t, 1, i, &loud), TALLY_TELL);
	assert_int_equal(add(t, 1, 9999, &loud), TALLY_BEYOND);
	assert_int_equal(add(t, 1, 0, &loud), TALLY_KNOWN);
	assert_int_equal(add(t, 2, 9999, &loud), TALLY_TELL);
}

static void
all_together_have_a_limit(void **state)
{
	struct tally *t = *state;
	bool loud;

	for (uint16_t i = 0; i < TALLY_FLOWS; i++)
		assert_int_equal(add(t, i / TALLY_SOURCE_FLOWS, i, &loud), TALLY_TELL);
	assert_int_equal(add(t, 200, 1, &loud), TALLY_BEYOND);
	assert_false(tally_is_full(t));
}

static void
who_sends_too_much_is_loud(void **state)
{
	struct tally *t = *state;
	bool loud;

	for (int i = 1; i < TALLY_SOURCE_PACKETS; i++) {
		(void)add(t, 1, 80, &loud); /* what it says is of another test */
		assert_false(loud);
	}
	assert_int_equal(add(t, 1, 80, &loud), TALLY_KNOWN);
	assert_true(loud);
	(void)add(t, 2, 80, &loud); /* as above */
	assert_false(loud);
	assert_true(tally_turn(t, 9000));
	(void)add(t, 1, 80, &loud); /* as above */
	assert_false(loud);
}

static void
sources_beyond_the_limit_are_loud(void **state)
{
	struct tally *t = *state;
	bool loud;

	for (uint16_t i = 0; i < TALLY_SOURCES; i++) {
		(void)add(t, i, 80, &loud); /* as above */
		assert_false(loud);
	}
	assert_int_equal(add(t, TALLY_SOURCES, 80, &loud), TALLY_BEYOND);
	assert_true(loud);
	assert_int_equal(add(t, 3, 80, &loud), TALLY_KNOWN);
}

static void
a_second_is_full_at_last(void **state)
{
	struct tally *t = *state;
	bool loud;

	for (int i = 0; i < TALLY_PACKETS; i++) {
		assert_false(tally_is_full(t));
		(void)add(t, (uint16_t)(i % 100), 80, &loud); /* as above */
	}
	assert_true(tally_is_full(t));
	assert_true(tally_turn(t, 5000));
	assert_false(tally_is_full(t));
}

#define TALLY_TEST(f) cmocka_unit_test_setup(f, enter)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TALLY_TEST(a_flow_is_told_once_a_second),
	    TALLY_TEST(a_source_has_a_share),
	    TALLY_TEST(all_together_have_a_limit),
	    TALLY_TEST(who_sends_too_much_is_loud),
	    TALLY_TEST(sources_beyond_the_limit_are_loud),
	    TALLY_TEST(a_second_is_full_at_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
