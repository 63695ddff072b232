/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "policy/registry/range.h"
#include "tests/unit/cases.h"
#include "tests/unit/unit.h"

static const struct {
	const char *address;
	enum range_kind kind;
} cases[] = {
    /* first, last, and the neighbours of each range */
    {"0.0.0.0", RANGE_NEVER},
    {"0.255.255.255", RANGE_NEVER},
    {"1.0.0.0", RANGE_PUBLIC},
    {"9.255.255.255", RANGE_PUBLIC},
    {"10.0.0.0", RANGE_PRIVATE},
    {"10.255.255.255", RANGE_PRIVATE},
    {"11.0.0.0", RANGE_PUBLIC},
    {"100.63.255.255", RANGE_PUBLIC},
    {"100.64.0.0", RANGE_PRIVATE},
    {"100.127.255.255", RANGE_PRIVATE},
    {"100.128.0.0", RANGE_PUBLIC},
    {"126.255.255.255", RANGE_PUBLIC},
    {"127.0.0.0", RANGE_NEVER},
    {"127.255.255.255", RANGE_NEVER},
    {"128.0.0.0", RANGE_PUBLIC},
    {"169.253.255.255", RANGE_PUBLIC},
    {"169.254.0.0", RANGE_NEVER},
    {"169.254.169.254", RANGE_NEVER},
    {"169.254.255.255", RANGE_NEVER},
    {"169.255.0.0", RANGE_PUBLIC},
    {"172.15.255.255", RANGE_PUBLIC},
    {"172.16.0.0", RANGE_PRIVATE},
    {"172.31.255.255", RANGE_PRIVATE},
    {"172.32.0.0", RANGE_PUBLIC},
    {"191.255.255.255", RANGE_PUBLIC},
    {"192.0.0.0", RANGE_NEVER},
    {"192.0.0.255", RANGE_NEVER},
    {"192.0.1.0", RANGE_PUBLIC},
    {"192.167.255.255", RANGE_PUBLIC},
    {"192.168.0.0", RANGE_PRIVATE},
    {"192.168.255.255", RANGE_PRIVATE},
    {"192.169.0.0", RANGE_PUBLIC},
    {"198.17.255.255", RANGE_PUBLIC},
    {"198.18.0.0", RANGE_NEVER},
    {"198.19.255.255", RANGE_NEVER},
    {"198.20.0.0", RANGE_PUBLIC},
    {"203.0.113.1", RANGE_PUBLIC},
    {"223.255.255.255", RANGE_PUBLIC},
    {"224.0.0.0", RANGE_NEVER},
    {"239.255.255.255", RANGE_NEVER},
    {"240.0.0.0", RANGE_NEVER},
    {"255.255.255.255", RANGE_NEVER},
    {"::", RANGE_NEVER},
    {"::1", RANGE_NEVER},
    {"::8.8.8.8", RANGE_NEVER},
    {"::1:0:0", RANGE_PUBLIC},
    {"::ffff:0:10.0.0.1", RANGE_PRIVATE},
    {"::ffff:0:8.8.8.8", RANGE_PUBLIC},
    {"100::", RANGE_NEVER},
    {"100::ffff:ffff:ffff:ffff", RANGE_NEVER},
    {"100:0:0:1::", RANGE_PUBLIC},
    {"5eff:ffff::", RANGE_PUBLIC},
    {"5f00::", RANGE_NEVER},
    {"5f01::", RANGE_PUBLIC},
    {"2001::", RANGE_NEVER},
    {"2001:0:ffff:ffff:ffff:ffff:ffff:ffff", RANGE_NEVER},
    {"2001:1::", RANGE_PUBLIC},
    {"2001:db8::1", RANGE_PUBLIC},
    {"2606:4700::1111", RANGE_PUBLIC},
    {"fbff:ffff::", RANGE_PUBLIC},
    {"fc00::", RANGE_PRIVATE},
    {"fdff:ffff::", RANGE_PRIVATE},
    {"fd00:ec2::253", RANGE_PRIVATE},
    {"fd00:ec2::254", RANGE_NEVER},
    {"fd00:ec2::255", RANGE_PRIVATE},
    {"fe00::", RANGE_PUBLIC},
    {"fe7f:ffff::", RANGE_PUBLIC},
    {"fe80::", RANGE_NEVER},
    {"febf:ffff::", RANGE_NEVER},
    {"fec0::", RANGE_PRIVATE},
    {"feff:ffff::", RANGE_PRIVATE},
    {"ff00::", RANGE_NEVER},
    {"ff02::1", RANGE_NEVER},
    /* wrapped */
    {"::ffff:127.0.0.1", RANGE_NEVER},
    {"::ffff:10.0.0.1", RANGE_NEVER},
    {"::ffff:169.254.169.254", RANGE_NEVER},
    {"::ffff:8.8.8.8", RANGE_NEVER},
    {"64:ff9b::127.0.0.1", RANGE_NEVER},
    {"64:ff9b::192.168.1.1", RANGE_PRIVATE},
    {"64:ff9b::8.8.8.8", RANGE_PUBLIC},
    {"64:ff9b:1::8.8.8.8", RANGE_NEVER},
    {"2002:7f00:1::", RANGE_NEVER},
    {"2002:a9fe:a9fe::1", RANGE_NEVER},
    {"2002:c0a8:101::", RANGE_PRIVATE},
    {"2002:808:808::", RANGE_PUBLIC},
};

static struct addr
address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return a;
}

static void
kinds(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = address(cases[i].address);

		failed +=
		    case_failed("range", cases[i].address, range_of(&a) == cases[i].kind);
	}
	assert_int_equal(failed, 0);
}

static void
unwrapped(void **state)
{
	static const char *const pairs[][2] = {
	    {"::ffff:1.2.3.4", "1.2.3.4"},
	    {"64:ff9b::1.2.3.4", "1.2.3.4"},
	    {"2002:102:304:5::6", "1.2.3.4"},
	    {"2001:db8::1", "2001:db8::1"},
	    {"1.2.3.4", "1.2.3.4"},
	    {"64:ff9b:1::1.2.3.4", "64:ff9b:1::1.2.3.4"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct addr a = address(pairs[i][0]);
		struct addr inner = range_unwrap(&a);
		struct addr want = address(pairs[i][1]);

		assert_true(addr_equal(&inner, &want));
	}
}

static void
metadata_is_covered(void **state)
{
	static const struct {
		const char *text;
		bool covers;
	} prefixes[] = {{"169.254.169.254", true}, {"169.254.0.0/16", true},
	    {"0.0.0.0/0", true}, {"169.254.170.0/24", false}, {"::/0", true},
	    {"fd00:ec2::/32", true}, {"fd00:ec3::/32", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		struct prefix p;

		assert_int_equal(
		    prefix_parse(prefixes[i].text, strlen(prefixes[i].text), &p), 0);
		assert_int_equal(range_covers_metadata(&p), prefixes[i].covers);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds),
	    cmocka_unit_test(unwrapped),
	    cmocka_unit_test(metadata_is_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
