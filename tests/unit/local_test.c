/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "resolver/local.h"
#include "resolver/wire.h"

static struct name
parse(const char *text)
{
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	return name;
}

static struct addr
address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return a;
}

static void
only_the_family_that_was_asked_for(void **state)
{
	struct addr list[] = {address("198.51.100.1"), address("2001:db8::1"),
	    address("198.51.100.2"), address("198.51.100.1")};
	struct name name = parse("static.example");
	struct answer *a;

	(void)state;
	assert_int_equal(local_answer(&name, TYPE_A, list, 4, 30, 1000, &a), 0);
	assert_int_equal(a->address_count, 2);
	assert_true(addr_equal(&a->addresses[0].addr, &list[0]));
	assert_true(addr_equal(&a->addresses[1].addr, &list[2]));
	assert_int_equal(answer_ttl(a, 1000), 30);
	assert_int_equal(wire_check(a->image, a->len), 0);
	answer_unref(a);
	assert_int_equal(local_answer(&name, TYPE_AAAA, list, 4, 30, 1000, &a), 0);
	assert_int_equal(a->address_count, 1);
	assert_true(addr_equal(&a->addresses[0].addr, &list[1]));
	answer_unref(a);
}

static void
none_of_the_family_is_no_record(void **state)
{
	struct addr list[] = {address("198.51.100.1")};
	struct name name = parse("static.example");
	struct answer *a;

	(void)state;
	assert_int_equal(local_answer(&name, TYPE_AAAA, list, 1, 30, 1000, &a), 0);
	assert_true(a->negative);
	assert_int_equal(a->rcode, RCODE_NOERROR);
	answer_unref(a);
}

static void
no_more_than_an_answer_holds_under_the_longest_name(void **state)
{
	struct addr list[ANSWER_ADDRESSES_MAX + 10];
	char text[NAME_TEXT_MAX];
	struct answer *a;
	struct name name;

	(void)state;
	memset(text, 'a', 253);
	for (size_t i = 63; i < 253; i += 64)
		text[i] = '.';
	text[253] = '\0';
	name = parse(text);
	assert_int_equal(name.len, NAME_WIRE_MAX);
	for (size_t i = 0; i < ANSWER_ADDRESSES_MAX + 10; i++) {
		list[i] = address("2001:db8::1");
		list[i].bytes[15] = (uint8_t)i;
	}
	assert_int_equal(
	    local_answer(&name, TYPE_AAAA, list, ANSWER_ADDRESSES_MAX + 10, 30, 0, &a),
	    0);
	assert_int_equal(a->address_count, ANSWER_ADDRESSES_MAX);
	answer_unref(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_family_that_was_asked_for),
	    cmocka_unit_test(none_of_the_family_is_no_record),
	    cmocka_unit_test(no_more_than_an_answer_holds_under_the_longest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
