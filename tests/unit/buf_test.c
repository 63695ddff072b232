/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "tests/unit/alloc.h"

static void
assert_holds(const struct buf *b, const char *text)
{
	assert_false(b->failed);
	assert_int_equal(b->len, strlen(text));
	assert_string_equal(b->bytes, text);
}

static void
what_is_appended_stands_in_order_before_a_nul(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_null(b.bytes);
	buf_text(&b, "one");
	buf_append(&b, " two", 4);
	buf_printf(&b, " %d%s", 3, "!");
	assert_holds(&b, "one two 3!");
	buf_append(&b, "", 0);
	buf_text(&b, "");
	buf_printf(&b, "%s", "");
	assert_holds(&b, "one two 3!");
	buf_done(&b);
}

static void
bytes_may_hold_nuls(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_append(&b, "a\0b", 3);
	buf_text(&b, "c");
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.bytes, "a\0bc", 5);
	buf_done(&b);
}

static void
nothing_appended_is_an_empty_string(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_append(&b, "", 0);
	assert_holds(&b, "");
	buf_done(&b);
}

static void
the_ceiling_can_be_reached_and_not_passed(void **state)
{
	static const size_t limits[] = {1, 10, 63, 64, 65, 127, 128, 4096};
	char text[4097];
	struct buf b;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		buf_init(&b, limits[i]);
		buf_append(&b, text, limits[i]);
		assert_false(b.failed);
		assert_int_equal(b.len, limits[i]);
		buf_append(&b, text, 1);
		assert_true(b.failed);
		assert_int_equal(b.len, limits[i]);
		assert_int_equal(b.bytes[b.len], '\0');
		buf_done(&b);
	}
}

static void
what_does_not_fit_is_left_out_whole(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_text(&b, "123456");
	buf_text(&b, "789");
	assert_true(b.failed);
	assert_string_equal(b.bytes, "123456");
	buf_done(&b);
	buf_init(&b, 8);
	buf_text(&b, "123456");
	buf_printf(&b, "%d", 789);
	assert_true(b.failed);
	assert_string_equal(b.bytes, "123456");
	buf_done(&b);
}

static void
json_that_does_not_fit_is_left_out_whole(void **state)
{
	struct buf b;

	(void)state;
	for (size_t limit = 2; limit < 2 + 11; limit++) {
		buf_init(&b, limit);
		buf_text(&b, "x=");
		buf_json(&b, "ab\"c\n", 5); /* 13 bytes */
		assert_true(b.failed);
		assert_int_equal(b.len, 2);
		assert_string_equal(b.bytes, "x=");
		buf_done(&b);
	}
	buf_init(&b, 0);
	buf_json(&b, "", 0);
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void
failure_stays_until_clear(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_text(&b, "12345");
	buf_text(&b, "1");
	buf_printf(&b, "1");
	buf_json(&b, "", 0);
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	buf_text(&b, "1234");
	assert_holds(&b, "1234");
	buf_done(&b);
}

static void
a_cleared_buffer_is_an_empty_string(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_clear(&b);
	assert_null(b.bytes);
	buf_text(&b, "old");
	buf_clear(&b);
	assert_holds(&b, "");
	buf_done(&b);
}

static void
no_room_at_all_takes_nothing_but_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_text(&b, "");
	assert_holds(&b, "");
	buf_text(&b, "x");
	assert_true(b.failed);
	buf_done(&b);
}

static void
lengths_that_overflow_are_refused(void **state)
{
	static const size_t limits[] = {100, SIZE_MAX};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		buf_init(&b, limits[i]);
		buf_text(&b, "12");
		buf_append(&b, "x", SIZE_MAX - 1);
		assert_true(b.failed);
		buf_clear(&b);
		buf_append(&b, "x", SIZE_MAX);
		assert_true(b.failed);
		buf_done(&b);
	}
}

static void
out_of_memory_fails_and_keeps_what_was_there(void **state)
{
	char text[100];
	struct buf b;

	(void)state;
	memset(text, 'x', sizeof(text));
	buf_init(&b, 1000);
	alloc_fail_at(0);
	buf_text(&b, "lost");
	assert_true(b.failed);
	assert_null(b.bytes);
	buf_clear(&b);
	buf_text(&b, "kept");
	alloc_fail_at(0);
	buf_append(&b, text, sizeof(text));
	assert_true(b.failed);
	assert_string_equal(b.bytes, "kept");
	alloc_reset();
	buf_clear(&b);
	buf_append(&b, text, sizeof(text));
	assert_int_equal(b.len, sizeof(text));
	buf_done(&b);
}

static void
growing_takes_few_allocations(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1024 * 1024);
	alloc_reset();
	for (size_t i = 0; i < 100000; i++)
		buf_append(&b, "x", 1);
	assert_int_equal(b.len, 100000);
	assert_true(alloc_count() <= 12); /* doubling from 64 */
	buf_done(&b);
}

static void
done_leaves_nothing_behind_and_may_come_twice(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_text(&b, "x");
	buf_done(&b);
	assert_null(b.bytes);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void
consume_takes_from_the_front(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_consume(&b, 0);
	buf_text(&b, "12345678");
	buf_consume(&b, 0);
	assert_holds(&b, "12345678");
	buf_consume(&b, 3);
	assert_holds(&b, "45678");
	buf_text(&b, "9ab");
	assert_holds(&b, "456789ab");
	buf_consume(&b, 8);
	assert_holds(&b, "");
	buf_done(&b);
}

static void
assert_json(const char *text, size_t len, const char *json)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_json(&b, text, len);
	assert_holds(&b, json);
	buf_done(&b);
}

#define ASSERT_JSON(text, json) assert_json(text, sizeof(text) - 1, json)

static void
json_escapes_what_it_must(void **state)
{
	(void)state;
	ASSERT_JSON("", "\"\"");
	ASSERT_JSON("google.com", "\"google.com\"");
	ASSERT_JSON("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	ASSERT_JSON("\0\1\n\x1f\x7f ", "\"\\u0000\\u0001\\u000a\\u001f\\u007f \"");
}

static void
json_keeps_valid_utf8(void **state)
{
	(void)state;
	/* first and last of each length, and beside the surrogates: RFC 3629 section 3 */
	ASSERT_JSON("\xc2\x80 \xdf\xbf", "\"\xc2\x80 \xdf\xbf\"");
	ASSERT_JSON("\xe0\xa0\x80 \xef\xbf\xbf", "\"\xe0\xa0\x80 \xef\xbf\xbf\"");
	ASSERT_JSON("\xed\x9f\xbf \xee\x80\x80", "\"\xed\x9f\xbf \xee\x80\x80\"");
	ASSERT_JSON(
	    "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", "\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\"");
}

static void
json_replaces_each_byte_that_is_no_utf8(void **state)
{
	(void)state;
	ASSERT_JSON("a\x80z", "\"a\\ufffdz\"");                   /* continuation alone */
	ASSERT_JSON("\xff\xfe", "\"\\ufffd\\ufffd\"");            /* never in UTF-8 */
	ASSERT_JSON("\xc0\x80", "\"\\ufffd\\ufffd\"");            /* overlong NUL */
	ASSERT_JSON("\xc1\xbf", "\"\\ufffd\\ufffd\"");            /* overlong DEL */
	ASSERT_JSON("\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\""); /* overlong */
	ASSERT_JSON("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""); /* surrogate */
	ASSERT_JSON("\xed\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\"");
	ASSERT_JSON("\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	ASSERT_JSON("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	ASSERT_JSON("\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	ASSERT_JSON("\xc3z", "\"\\ufffdz\""); /* the z is not eaten */
	ASSERT_JSON("\xe2\x82z", "\"\\ufffd\\ufffdz\"");
	ASSERT_JSON("\xc3\"", "\"\\ufffd\\\"\"");
}

static void
json_does_not_read_behind_its_text(void **state)
{
	static const char text[] = {'a', '\xf0', '\x9f', '\x98', '\x80'};

	(void)state;
	assert_json(text, 5, "\"a\xf0\x9f\x98\x80\"");
	assert_json(text, 4, "\"a\\ufffd\\ufffd\\ufffd\"");
	assert_json(text, 3, "\"a\\ufffd\\ufffd\"");
	assert_json(text, 2, "\"a\\ufffd\"");
	assert_json(text, 1, "\"a\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_appended_stands_in_order_before_a_nul),
	    cmocka_unit_test(bytes_may_hold_nuls),
	    cmocka_unit_test(nothing_appended_is_an_empty_string),
	    cmocka_unit_test(the_ceiling_can_be_reached_and_not_passed),
	    cmocka_unit_test(what_does_not_fit_is_left_out_whole),
	    cmocka_unit_test(json_that_does_not_fit_is_left_out_whole),
	    cmocka_unit_test(failure_stays_until_clear),
	    cmocka_unit_test(a_cleared_buffer_is_an_empty_string),
	    cmocka_unit_test(no_room_at_all_takes_nothing_but_nothing),
	    cmocka_unit_test(lengths_that_overflow_are_refused),
	    cmocka_unit_test(out_of_memory_fails_and_keeps_what_was_there),
	    cmocka_unit_test(growing_takes_few_allocations),
	    cmocka_unit_test(done_leaves_nothing_behind_and_may_come_twice),
	    cmocka_unit_test(consume_takes_from_the_front),
	    cmocka_unit_test(json_escapes_what_it_must),
	    cmocka_unit_test(json_keeps_valid_utf8),
	    cmocka_unit_test(json_replaces_each_byte_that_is_no_utf8),
	    cmocka_unit_test(json_does_not_read_behind_its_text),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
