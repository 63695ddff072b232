/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/enforcer/flow.h"
#include "tests/unit/sample.h"

#define PORTS 0xd4, 0x31, 0x01, 0xbb /* 54321 to 443 */
#define V4_FROM_TO 10, 244, 0, 5, 198, 51, 100, 80
#define V4(ihl, offset_high, offset_low, proto)                                          \
	0x40 | (ihl), 0, 0, 60, 1, 2, offset_high, offset_low, 64, proto, 0, 0, V4_FROM_TO
#define V6(next)                                                                         \
	0x60, 0, 0, 0, 0, 20, next, 64, 0xfd, 0, 2, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  \
	    0, 5, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define EXTENSION(next, len) next, len, 0, 0, 0, 0, 0, 0

/* From memory of exactly that size, so that a sanitizer sees a byte too many. */
static int
parse(const uint8_t *bytes, size_t len, struct enforcer_refused *flow)
{
	uint8_t *copy = malloc(len != 0 ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	r = flow_parse(copy, len, flow);
	free(copy);
	return r;
}

static void
expect(const uint8_t *bytes, size_t len, uint8_t proto, uint16_t port)
{
	const bool v4 = bytes[0] >> 4 == 4;
	const struct addr source = sample_addr(v4 ? "10.244.0.5" : "fd00:244::5");
	const struct addr destination = sample_addr(v4 ? "198.51.100.80" : "2001:db8::1");
	struct enforcer_refused flow;

	assert_int_equal(parse(bytes, len, &flow), 0);
	assert_true(addr_equal(&flow.source, &source));
	assert_true(addr_equal(&flow.destination, &destination));
	assert_int_equal(flow.proto, proto);
	assert_int_equal(flow.port, port);
}

#define EXPECT(proto, port, ...)                                                         \
	expect((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}),   \
	    proto, port)

static void
ports_are_of_protocols_that_have_some(void **state)
{
	(void)state;
	EXPECT(IPPROTO_TCP, 443, V4(5, 0, 0, IPPROTO_TCP), PORTS);
	EXPECT(IPPROTO_UDP, 443, V4(5, 0x40, 0, IPPROTO_UDP), PORTS);
	EXPECT(IPPROTO_SCTP, 443, V6(IPPROTO_SCTP), PORTS);
	EXPECT(IPPROTO_TCP, 443, V6(IPPROTO_TCP), PORTS);
	EXPECT(IPPROTO_ICMP, 0, V4(5, 0, 0, IPPROTO_ICMP), 8, 0, 1, 2);
	EXPECT(IPPROTO_GRE, 0, V6(IPPROTO_GRE), PORTS);
	EXPECT(253, 0, V4(5, 0, 0, 253), PORTS);
}

static void
options_are_skipped(void **state)
{
	(void)state;
	EXPECT(IPPROTO_TCP, 443, V4(6, 0, 0, IPPROTO_TCP), 148, 4, 0, 0, PORTS);
	/* options that go beyond what was kept */
	EXPECT(IPPROTO_TCP, 0, V4(15, 0, 0, IPPROTO_TCP), PORTS);
}

static void
later_fragments_have_no_ports(void **state)
{
	(void)state;
	EXPECT(IPPROTO_UDP, 443, V4(5, 0x20, 0, IPPROTO_UDP), PORTS);
	EXPECT(IPPROTO_UDP, 0, V4(5, 0x20, 1, IPPROTO_UDP), PORTS);
	EXPECT(IPPROTO_UDP, 443, V6(IPPROTO_FRAGMENT), IPPROTO_UDP, 0, 0, 1, 1, 2, 3, 4,
	    PORTS);
	EXPECT(IPPROTO_FRAGMENT, 0, V6(IPPROTO_FRAGMENT), IPPROTO_UDP, 0, 0, 8, 1, 2, 3,
	    4, PORTS);
}

static void
extensions_are_walked(void **state)
{
	(void)state;
	EXPECT(IPPROTO_TCP, 443, V6(IPPROTO_HOPOPTS), EXTENSION(IPPROTO_DSTOPTS, 0),
	    EXTENSION(IPPROTO_ROUTING, 1), EXTENSION(0, 0), EXTENSION(IPPROTO_MH, 0),
	    EXTENSION(IPPROTO_TCP, 0), PORTS);
	/* its length is in words of 4 bytes: 12 here */
	EXPECT(IPPROTO_UDP, 443, V6(IPPROTO_AH), EXTENSION(IPPROTO_UDP, 1), 0, 0, 0, 0,
	    PORTS);
	EXPECT(IPPROTO_ESP, 0, V6(IPPROTO_HOPOPTS), EXTENSION(IPPROTO_ESP, 0), PORTS);
	EXPECT(IPPROTO_NONE, 0, V6(IPPROTO_NONE), PORTS);
	/* one that is unknown: its number, and no guess at what follows */
	EXPECT(200, 0, V6(200), EXTENSION(IPPROTO_TCP, 0), PORTS);
}

static void
extensions_end_somewhere(void **state)
{
	uint8_t bytes[40 + 16 * 8 + 4] = {V6(IPPROTO_DSTOPTS)};

	(void)state;
	/* longer than what was kept */
	EXPECT(
	    IPPROTO_DSTOPTS, 0, V6(IPPROTO_DSTOPTS), EXTENSION(IPPROTO_TCP, 255), PORTS);
	EXPECT(IPPROTO_DSTOPTS, 0, V6(IPPROTO_DSTOPTS), IPPROTO_TCP, 0, 0, 0);
	/* a chain that is longer than anybody needs */
	for (size_t i = 40; i + 8 < sizeof(bytes); i += 8)
		bytes[i] = IPPROTO_DSTOPTS;
	expect(bytes, sizeof(bytes), IPPROTO_DSTOPTS, 0);
}

static void
what_is_cut_off_is_not_read(void **state)
{
	const uint8_t v4[] = {V4(5, 0, 0, IPPROTO_TCP), PORTS};
	const uint8_t v6[] = {V6(IPPROTO_HOPOPTS), EXTENSION(IPPROTO_TCP, 0), PORTS};
	struct enforcer_refused flow, before;

	(void)state;
	memset(&before, 0x55, sizeof(before));
	for (size_t len = 0; len < sizeof(v4); len++) {
		flow = before;
		assert_int_equal(parse(v4, len, &flow), len < 20 ? -EBADMSG : 0);
		if (len < 20)
			assert_memory_equal(&flow, &before, sizeof(flow));
		else
			assert_int_equal(flow.port, 0);
	}
	for (size_t len = 0; len < sizeof(v6); len++) {
		assert_int_equal(parse(v6, len, &flow), len < 40 ? -EBADMSG : 0);
		if (len >= 40)
			assert_int_equal(flow.port, 0);
	}
}

static void
what_is_no_ip_is_nothing(void **state)
{
	uint8_t bytes[60] = {V4(5, 0, 0, IPPROTO_TCP)};
	struct enforcer_refused flow;

	(void)state;
	bytes[0] = 0x44; /* a header shorter than a header */
	assert_int_equal(parse(bytes, sizeof(bytes), &flow), -EBADMSG);
	for (unsigned version = 0; version < 16; version++) {
		bytes[0] = (uint8_t)(version << 4 | 5);
		assert_int_equal(parse(bytes, sizeof(bytes), &flow),
		    version == 4 || version == 6 ? 0 : -EBADMSG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ports_are_of_protocols_that_have_some),
	    cmocka_unit_test(options_are_skipped),
	    cmocka_unit_test(later_fragments_have_no_ports),
	    cmocka_unit_test(extensions_are_walked),
	    cmocka_unit_test(extensions_end_somewhere),
	    cmocka_unit_test(what_is_cut_off_is_not_read),
	    cmocka_unit_test(what_is_no_ip_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
