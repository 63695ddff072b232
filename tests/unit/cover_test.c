/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/enforcer/cover.h"
#include "tests/unit/sample.h"

static void
expect_range(const struct cover_range *r, const char *first, const char *last)
{
	const struct addr a = sample_addr(first), b = sample_addr(last);

	assert_true(addr_equal(&r->first, &a));
	assert_true(addr_equal(&r->last, &b));
}

static void
a_prefix_is_its_first_and_last_address(void **state)
{
	static const struct {
		const char *prefix, *first, *last;
	} cases[] = {
	    {"10.1.2.3/32", "10.1.2.3", "10.1.2.3"},
	    {"10.1.2.0/23", "10.1.2.0", "10.1.3.255"},
	    {"0.0.0.0/0", "0.0.0.0", "255.255.255.255"},
	    {"128.0.0.0/1", "128.0.0.0", "255.255.255.255"},
	    {"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	    {"2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"},
	};
	struct prefix p;
	struct cover_range r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		p = sample_prefix(cases[i].prefix);
		r = cover_range(&p);
		expect_range(&r, cases[i].first, cases[i].last);
	}
}

static void
there_is_no_address_behind_the_last(void **state)
{
	struct addr a = sample_addr("255.255.255.255"), next;
	const struct addr expected = sample_addr("10.1.0.0");

	(void)state;
	assert_false(cover_next(&a, &next));
	a = sample_addr("10.0.255.255");
	assert_true(cover_next(&a, &next));
	assert_true(addr_equal(&next, &expected));
}

static void
ranges_are_sorted_and_joined_by_family(void **state)
{
	const struct prefix list[] = {
	    sample_prefix("10.3.0.0/16"),
	    sample_prefix("255.255.255.0/24"),
	    sample_prefix("fd00::/8"),
	    sample_prefix("10.0.0.0/16"),
	    sample_prefix("10.0.5.0/24"), /* inside */
	    sample_prefix("10.1.0.0/16"), /* touches */
	    sample_prefix("255.255.255.255/32"),
	};
	struct cover_range *ranges;
	size_t count;

	(void)state;
	assert_int_equal(
	    cover_ranges(list, ARRAY_LEN(list), AF_INET, &ranges, &count), 0);
	assert_int_equal(count, 3);
	expect_range(&ranges[0], "10.0.0.0", "10.1.255.255");
	expect_range(&ranges[1], "10.3.0.0", "10.3.255.255");
	expect_range(&ranges[2], "255.255.255.0", "255.255.255.255");
	free(ranges);
	assert_int_equal(cover_ranges(list, 2, AF_INET6, &ranges, &count), 0);
	assert_int_equal(count, 0);
	assert_null(ranges);
}

static void
a_box_inside_of_another_goes(void **state)
{
	const struct enforcer_fixed list[] = {
	    sample_fixed("10.244.0.5/32", "10.1.0.0/24"),
	    sample_fixed("0.0.0.0/0", "10.1.0.0/16"),
	    sample_fixed("10.244.0.5/32", "10.1.0.0/16"),
	    sample_fixed("0.0.0.0/0", "10.1.0.0/16"),
	};
	struct cover_box *boxes;
	size_t count;

	(void)state;
	assert_int_equal(cover_boxes(list, ARRAY_LEN(list), AF_INET, &boxes, &count), 0);
	assert_int_equal(count, 1);
	expect_range(&boxes[0].pods, "0.0.0.0", "255.255.255.255");
	expect_range(&boxes[0].destinations, "10.1.0.0", "10.1.255.255");
	free(boxes);
}

static void
crossing_boxes_are_cut(void **state)
{
	const struct enforcer_fixed list[] = {
	    sample_fixed("10.244.0.5/32", "10.0.0.0/8"),
	    sample_fixed("0.0.0.0/0", "10.1.0.0/16"),
	};
	struct cover_box *boxes;
	size_t count;

	(void)state;
	assert_int_equal(cover_boxes(list, ARRAY_LEN(list), AF_INET, &boxes, &count), 0);
	assert_int_equal(count, 3);
	expect_range(&boxes[0].destinations, "10.1.0.0", "10.1.255.255");
	expect_range(&boxes[1].destinations, "10.0.0.0", "10.0.255.255");
	expect_range(&boxes[2].destinations, "10.2.0.0", "10.255.255.255");
	free(boxes);
}

static void
ports_and_protocols_do_not_mix(void **state)
{
	struct enforcer_fixed list[3];
	struct cover_box *boxes;
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		list[i] = sample_fixed("0.0.0.0/0", "10.1.0.0/16");
	list[1].port = 80;
	list[2].proto = IPPROTO_UDP;
	assert_int_equal(cover_boxes(list, ARRAY_LEN(list), AF_INET, &boxes, &count), 0);
	assert_int_equal(count, 3);
	free(boxes);
	assert_int_equal(cover_boxes(list, ARRAY_LEN(list), AF_INET6, &boxes, &count), 0);
	assert_int_equal(count, 0);
	assert_null(boxes);
}

static bool
in_box(const struct cover_box *b, const struct addr *pod, const struct addr *destination)
{
	return memcmp(b->pods.first.bytes, pod->bytes, 16) <= 0 &&
	       memcmp(b->pods.last.bytes, pod->bytes, 16) >= 0 &&
	       memcmp(b->destinations.first.bytes, destination->bytes, 16) <= 0 &&
	       memcmp(b->destinations.last.bytes, destination->bytes, 16) >= 0;
}

/* Any 4-bit prefix, as the last bits of 10.0.0.0/28. */
static struct prefix
small_prefix(unsigned bits, unsigned len)
{
	char text[ADDR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "10.0.0.%u/%u", bits & 15, 28 + len);
	return sample_prefix(text);
}

/* All pairs of 16 pods and 16 destinations, against the records themselves. */
static void
check_all_pairs(const struct enforcer_fixed *list, size_t len)
{
	struct cover_box *boxes;
	size_t count, hits, wanted;
	struct addr pod, destination;

	assert_int_equal(cover_boxes(list, len, AF_INET, &boxes, &count), 0);
	for (unsigned i = 0; i < 256; i++) {
		pod = small_prefix(i >> 4, 4).addr;
		destination = small_prefix(i, 4).addr;
		hits = wanted = 0;
		for (size_t j = 0; j < count; j++)
			hits += in_box(&boxes[j], &pod, &destination);
		for (size_t j = 0; j < len && wanted == 0; j++)
			wanted = prefix_contains(&list[j].pods, &pod) &&
				 prefix_contains(&list[j].destination, &destination);
		assert_int_equal(hits, wanted); /* never two boxes for one pair */
	}
	free(boxes);
}

static void
random_boxes_cover_exactly_once(void **state)
{
	uint32_t seed = 12345;
	struct enforcer_fixed list[12];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		const size_t len = 1 + (size_t)round % ARRAY_LEN(list);

		for (size_t i = 0; i < len; i++) {
			list[i] = sample_fixed("0.0.0.0/0", "0.0.0.0/0");
			seed = seed * 1664525 + 1013904223;
			list[i].pods = small_prefix(seed >> 8, (seed >> 16) % 5);
			list[i].destination = small_prefix(seed >> 12, (seed >> 20) % 5);
		}
		check_all_pairs(list, len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_prefix_is_its_first_and_last_address),
	    cmocka_unit_test(there_is_no_address_behind_the_last),
	    cmocka_unit_test(ranges_are_sorted_and_joined_by_family),
	    cmocka_unit_test(a_box_inside_of_another_goes),
	    cmocka_unit_test(crossing_boxes_are_cut),
	    cmocka_unit_test(ports_and_protocols_do_not_mix),
	    cmocka_unit_test(random_boxes_cover_exactly_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
