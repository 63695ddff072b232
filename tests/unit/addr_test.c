/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"

static struct addr
addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return a;
}

static struct prefix
prefix_of(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, strlen(text), &p), 0);
	return p;
}

static struct endpoint
endpoint_of(const char *text, uint16_t default_port)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, strlen(text), default_port, &e), 0);
	return e;
}

static void
both_families_parse_and_format_back(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "192.0.2.1", "255.255.255.255",
	    "::", "::1", "2001:db8::53", "::ffff:192.0.2.1",
	    "1111:2222:3333:4444:5555:6666:7777:8888"};
	char buf[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct addr a = addr_of(texts[i]);

		assert_string_equal(addr_format(&a, buf), texts[i]);
		assert_int_equal(a.family, strchr(texts[i], ':') ? AF_INET6 : AF_INET);
		assert_int_equal(addr_len(&a), strchr(texts[i], ':') ? 16 : 4);
	}
}

static void
ipv6_formats_in_the_canonical_form(void **state)
{
	struct addr a = addr_of("2001:0DB8:0:0:0:0:0:0053");
	char buf[ADDR_TEXT_MAX];

	(void)state;
	assert_string_equal(addr_format(&a, buf), "2001:db8::53");
}

static void
other_text_is_no_address_and_leaves_the_result_alone(void **state)
{
	static const char *const texts[] = {"", " ", "1", "1.2.3", "1.2.3.4.5",
	    "1.2.3.256", "01.2.3.4", "1.2.3.04", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4",
	    "1.2.3.-4", "1..3.4", "1.2.3.", ":", ":::", "1::2::3", "fe80::1%eth0",
	    "[::1]", "::1/128", "12345::", "g::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
	    "::ffff:01.2.3.4", "::ffff:1.2.3", "::1.2.3.4:5", "google.com",
	    "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111"};
	struct addr a = {.family = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(addr_parse(texts[i], strlen(texts[i]), &a), -EINVAL);
	assert_int_equal(addr_parse("1.2.3.4\0", 8, &a), -EINVAL);
	assert_int_equal(addr_parse("1.2.\0003.4", 8, &a), -EINVAL);
	assert_int_equal(a.family, 77);
}

static void
length_ends_the_text_not_a_nul(void **state)
{
	const char text[] = {'1', '0', '.', '0', '.', '0', '.', '1', '2', '3'};
	struct addr a;
	struct prefix p;
	struct endpoint e;

	(void)state;
	assert_int_equal(addr_parse(text, 8, &a), 0);
	assert_int_equal(a.bytes[3], 1);
	assert_int_equal(addr_parse(text, sizeof(text), &a), 0);
	assert_int_equal(a.bytes[3], 123);
	assert_int_equal(prefix_parse("10.0.0.0/123", 10, &p), 0);
	assert_int_equal(p.len, 1);
	assert_int_equal(endpoint_parse("10.0.0.1:5353", 11, 7, &e), 0);
	assert_int_equal(e.port, 53);
}

static void
the_longest_text_form_is_taken(void **state)
{
	static const char text[] = "0000:0000:0000:0000:0000:ffff:255.255.255.255";
	struct addr a;

	(void)state;
	assert_int_equal(sizeof(text), INET6_ADDRSTRLEN);
	assert_int_equal(addr_parse(text, sizeof(text) - 1, &a), 0);
}

static void
equal_means_family_and_bytes(void **state)
{
	struct addr a = addr_of("192.0.2.1");
	struct addr same = addr_make(AF_INET, (const uint8_t[]){192, 0, 2, 1});
	struct addr other = addr_of("192.0.2.2");
	struct addr mapped = addr_of("::ffff:192.0.2.1");
	struct addr zero4 = addr_of("0.0.0.0");
	struct addr zero6 = addr_of("::");

	(void)state;
	assert_true(addr_equal(&a, &same));
	assert_false(addr_equal(&a, &other));
	assert_false(addr_equal(&a, &mapped));
	assert_false(addr_equal(&zero4, &zero6));
}

static void
an_ipv4_address_has_zeros_behind_its_bytes(void **state)
{
	static const uint8_t zeros[12];
	struct addr a = addr_make(AF_INET, (const uint8_t[]){255, 255, 255, 255});

	(void)state;
	assert_memory_equal(a.bytes + 4, zeros, sizeof(zeros));
}

static void
no_address_formats_as_none(void **state)
{
	struct addr none = {0};
	struct addr strange = {.family = 200, .bytes = {1, 2, 3, 4}};
	struct prefix p = {.len = 0};
	char buf[ADDR_TEXT_MAX];

	(void)state;
	assert_string_equal(addr_format(&none, buf), "none");
	assert_string_equal(addr_format(&strange, buf), "none");
	assert_string_equal(prefix_format(&p, buf), "none/0");
}

static void
prefix_clears_host_bits_at_every_length(void **state)
{
	static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	    255, 255, 255, 255, 255, 255};
	char text[ADDR_TEXT_MAX];
	uint8_t families[] = {AF_INET, AF_INET6};

	(void)state;
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		struct addr all = addr_make(families[f], ones);
		unsigned total = (unsigned)addr_len(&all) * 8;

		for (unsigned len = 0; len <= total; len++) {
			struct prefix whole = {.addr = all, .len = (uint8_t)len};
			struct prefix p;

			prefix_format(&whole, text);
			p = prefix_of(text);
			assert_int_equal(p.len, len);
			for (unsigned bit = 0; bit < 128; bit++)
				assert_int_equal(
				    p.addr.bytes[bit / 8] >> (7 - bit % 8) & 1,
				    bit < len ? 1 : 0);
		}
	}
}

static void
a_bare_address_is_a_prefix_of_full_length(void **state)
{
	char buf[ADDR_TEXT_MAX];
	struct prefix p;

	(void)state;
	p = prefix_of("192.0.2.1");
	assert_string_equal(prefix_format(&p, buf), "192.0.2.1/32");
	p = prefix_of("2001:db8::1");
	assert_string_equal(prefix_format(&p, buf), "2001:db8::1/128");
}

static void
other_text_is_no_prefix(void **state)
{
	static const char *const texts[] = {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33",
	    "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/8/8",
	    "10.0.0.0/256", "10.0.0.0/4294967304", "10.0.0.0/a", "10.0.0/8", "::/129",
	    "::/999999", "[::]/8"};
	struct prefix p = {.len = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(prefix_parse(texts[i], strlen(texts[i]), &p), -EINVAL);
	assert_int_equal(p.len, 77);
}

/* The rule, bit by bit. */
static bool
contains_by_bits(const struct prefix *p, const struct addr *a)
{
	for (unsigned bit = 0; bit < p->len; bit++)
		if ((p->addr.bytes[bit / 8] ^ a->bytes[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return p->addr.family == a->family;
}

static void
contains_looks_at_the_prefix_bits_and_no_other(void **state)
{
	static const char *const texts[] = {"0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/8",
	    "172.16.0.0/12", "192.0.2.128/25", "192.0.2.1/32", "::/0", "fc00::/7",
	    "2001:db8::/33", "2001:db8::1/127", "2001:db8::1/128"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct prefix p = prefix_of(texts[i]);
		unsigned total = (unsigned)addr_len(&p.addr) * 8;

		assert_true(prefix_contains(&p, &p.addr));
		for (unsigned bit = 0; bit < total; bit++) {
			struct addr a = p.addr;

			a.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			assert_int_equal(prefix_contains(&p, &a), bit >= p.len);
			assert_int_equal(
			    prefix_contains(&p, &a), contains_by_bits(&p, &a));
		}
	}
}

static void
families_never_contain_each_other(void **state)
{
	struct prefix all4 = prefix_of("0.0.0.0/0");
	struct prefix all6 = prefix_of("::/0");
	struct addr four = addr_of("192.0.2.1");
	struct addr six = addr_of("::ffff:192.0.2.1");

	(void)state;
	assert_true(prefix_contains(&all4, &four));
	assert_false(prefix_contains(&all4, &six));
	assert_true(prefix_contains(&all6, &six));
	assert_false(prefix_contains(&all6, &four));
}

static void
any_of_a_list_may_contain_it(void **state)
{
	struct prefix list[] = {prefix_of("192.0.2.0/24"), prefix_of("::/0")};
	struct addr four = addr_of("192.0.2.1");
	struct addr six = addr_of("2001:db8::1");

	(void)state;
	assert_true(prefixes_contain(list, 2, &four));
	assert_true(prefixes_contain(list, 2, &six));
	assert_false(prefixes_contain(list, 1, &six));
	assert_false(prefixes_contain(list, 0, &four));
	assert_false(prefixes_contain(NULL, 0, &four));
}

static void
endpoints_parse_in_every_form(void **state)
{
	static const struct {
		const char *text, *formatted;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1:53"},
	    {"192.0.2.1:1", "192.0.2.1:1"},
	    {"192.0.2.1:65535", "192.0.2.1:65535"},
	    {"2001:db8::1", "[2001:db8::1]:53"},
	    {"::", "[::]:53"},
	    {"[2001:db8::1]", "[2001:db8::1]:53"},
	    {"[2001:db8::1]:5353", "[2001:db8::1]:5353"},
	    {"[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
		"[1111:2222:3333:4444:5555:6666:7777:8888]:65535"},
	};
	char buf[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoint e = endpoint_of(rows[i].text, 53);

		assert_string_equal(endpoint_format(&e, buf), rows[i].formatted);
	}
}

static void
other_text_is_no_endpoint(void **state)
{
	static const char *const texts[] = {"", ":", ":53", "192.0.2.1:", "192.0.2.1:0",
	    "192.0.2.1:65536", "192.0.2.1:053", "192.0.2.1:5a", "192.0.2.1: 53",
	    "192.0.2.1:-1", "192.0.2.1:123456", "[192.0.2.1]:53", "[192.0.2.1]", "[",
	    "[]", "[]:53", "[::1", "[::1]:", "[::1]53", "[::1]:0", "[::1]:65536",
	    "[::1]]:53", "[[::1]]:53", "::1]:53", "host:53", "localhost"};
	struct endpoint e = {.port = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(
		    endpoint_parse(texts[i], strlen(texts[i]), 53, &e), -EINVAL);
	assert_int_equal(e.port, 77);
}

static void
endpoints_are_equal_in_address_and_port(void **state)
{
	struct endpoint a = endpoint_of("192.0.2.1:53", 0);
	struct endpoint same = endpoint_of("192.0.2.1", 53);
	struct endpoint port = endpoint_of("192.0.2.1:54", 0);
	struct endpoint host = endpoint_of("192.0.2.2:53", 0);

	(void)state;
	assert_true(endpoint_equal(&a, &same));
	assert_false(endpoint_equal(&a, &port));
	assert_false(endpoint_equal(&a, &host));
}

static void
the_longest_texts_fit_their_buffer(void **state)
{
	struct endpoint e =
	    endpoint_of("[1111:2222:3333:4444:5555:6666:7777:8888]:65535", 0);
	struct addr mapped = addr_of("::ffff:255.255.255.255");
	struct prefix p = {.addr = e.addr, .len = 128};
	char buf[ADDR_TEXT_MAX];

	(void)state;
	assert_true(strlen(endpoint_format(&e, buf)) < ADDR_TEXT_MAX - 1);
	assert_true(strlen(prefix_format(&p, buf)) < ADDR_TEXT_MAX - 1);
	e.addr = mapped;
	assert_string_equal(endpoint_format(&e, buf), "[::ffff:255.255.255.255]:65535");
}

static void
socket_addresses_go_there_and_back(void **state)
{
	static const char *const texts[] = {
	    "192.0.2.1:53", "0.0.0.0:1", "[2001:db8::1]:65535", "[::]:53"};
	struct sockaddr_storage ss;
	struct endpoint back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct endpoint e = endpoint_of(texts[i], 0);
		bool four = e.addr.family == AF_INET;

		memset(&ss, 0xff, sizeof(ss));
		assert_int_equal(endpoint_to_sockaddr(&e, &ss),
		    four ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		assert_int_equal(ss.ss_family, e.addr.family);
		assert_int_equal(endpoint_from_sockaddr((void *)&ss, &back), 0);
		assert_true(endpoint_equal(&e, &back));
	}
}

static void
an_ipv6_socket_address_has_neither_flow_nor_scope(void **state)
{
	struct endpoint e = endpoint_of("[fe80::1]:53", 0);
	struct sockaddr_storage ss;
	const struct sockaddr_in6 *in6 = (const void *)&ss;

	(void)state;
	memset(&ss, 0xff, sizeof(ss));
	(void)endpoint_to_sockaddr(&e, &ss); /* length: see above */
	assert_int_equal(in6->sin6_flowinfo, 0);
	assert_int_equal(in6->sin6_scope_id, 0);
	assert_int_equal(in6->sin6_port, htons(53));
}

static void
a_mapped_socket_address_becomes_ipv4(void **state)
{
	struct endpoint mapped = endpoint_of("[::ffff:192.0.2.1]:53", 0);
	struct endpoint plain = endpoint_of("192.0.2.1:53", 0);
	struct endpoint e;
	struct sockaddr_storage ss;

	(void)state;
	(void)endpoint_to_sockaddr(&mapped, &ss); /* length: see above */
	assert_int_equal(ss.ss_family, AF_INET6);
	assert_int_equal(endpoint_from_sockaddr((void *)&ss, &e), 0);
	assert_true(endpoint_equal(&e, &plain));
}

static void
another_family_of_socket_is_refused(void **state)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNIX};
	struct endpoint e = {.port = 77};

	(void)state;
	assert_int_equal(endpoint_from_sockaddr((void *)&ss, &e), -EAFNOSUPPORT);
	ss.ss_family = AF_UNSPEC;
	assert_int_equal(endpoint_from_sockaddr((void *)&ss, &e), -EAFNOSUPPORT);
	assert_int_equal(e.port, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_families_parse_and_format_back),
	    cmocka_unit_test(ipv6_formats_in_the_canonical_form),
	    cmocka_unit_test(other_text_is_no_address_and_leaves_the_result_alone),
	    cmocka_unit_test(length_ends_the_text_not_a_nul),
	    cmocka_unit_test(the_longest_text_form_is_taken),
	    cmocka_unit_test(equal_means_family_and_bytes),
	    cmocka_unit_test(an_ipv4_address_has_zeros_behind_its_bytes),
	    cmocka_unit_test(no_address_formats_as_none),
	    cmocka_unit_test(prefix_clears_host_bits_at_every_length),
	    cmocka_unit_test(a_bare_address_is_a_prefix_of_full_length),
	    cmocka_unit_test(other_text_is_no_prefix),
	    cmocka_unit_test(contains_looks_at_the_prefix_bits_and_no_other),
	    cmocka_unit_test(families_never_contain_each_other),
	    cmocka_unit_test(any_of_a_list_may_contain_it),
	    cmocka_unit_test(endpoints_parse_in_every_form),
	    cmocka_unit_test(other_text_is_no_endpoint),
	    cmocka_unit_test(endpoints_are_equal_in_address_and_port),
	    cmocka_unit_test(the_longest_texts_fit_their_buffer),
	    cmocka_unit_test(socket_addresses_go_there_and_back),
	    cmocka_unit_test(an_ipv6_socket_address_has_neither_flow_nor_scope),
	    cmocka_unit_test(a_mapped_socket_address_becomes_ipv4),
	    cmocka_unit_test(another_family_of_socket_is_refused),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
