/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/svcb.h"
#include "tests/unit/cases.h"

/* Bytes written as a string, without the 0 at its end. */
#define B(text) (text), sizeof(text) - 1
#define ROOT "\0\1\0" /* priority 1, target "." */
#define ALIAS "\0\0\1a\0"
#define ALPN "\0\1\0\3\2h2"
#define PORT "\0\3\0\2\1\273"
#define V4(n) "\0\4\0" n
#define V6(n) "\0\6\0" n
#define ECH "\0\5\0\3abc"
#define PUB4 "\306\63\144\1"
#define PRIV4 "\12\0\0\1"
#define PUB6 "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"
#define PRIV6 "\375\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define OTHER "\1\0\0\2xy"
#define L63 "\77aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *title;
	const char *rdata;
	size_t len;
	bool good;
} parsed[] = {
    {"nothing but a target", B(ROOT), true},
    {"a longer target", B("\0\1\3abc\2de\0"), true},
    {"all that is known", B(ROOT ALPN PORT V4("\4") PUB4 ECH V6("\20") PUB6), true},
    {"an unknown key", B(ROOT OTHER), true},
    {"an unknown key that is empty", B(ROOT "\2\0\0\0"), true},
    {"AliasMode", B(ALIAS), true},
    {"AliasMode with parameters", B(ALIAS PORT), true},
    {"AliasMode with bad parameters", B(ALIAS "\0\3\0\1x"), false},
    {"no bytes", B(""), false},
    {"half a priority", B("\0"), false},
    {"no target", B("\0\1"), false},
    {"a target without its end", B("\0\1\3abc"), false},
    {"a label that is cut", B("\0\1\3ab"), false},
    {"a pointer", B("\0\1\300\14"), false},
    {"a label of 64",
	B("\0\1\100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaa\0"),
	false},
    {"a target of 255",
	B("\0\1" L63 L63 L63 "\75aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaa\0"),
	true},
    {"a target of 257", B("\0\1" L63 L63 L63 L63 "\0"), false},
    {"half a key", B(ROOT "\0"), false},
    {"a key without length", B(ROOT "\0\3"), false},
    {"half a length", B(ROOT "\0\3\0"), false},
    {"a length that lies", B(ROOT "\0\3\0\2\1"), false},
    {"a length far beyond", B(ROOT "\2\0\377\377x"), false},
    {"a key twice", B(ROOT PORT PORT), false},
    {"keys that fall", B(ROOT PORT ALPN), false},
    {"an unknown key twice", B(ROOT OTHER OTHER), false},
    {"the invalid key", B(ROOT "\377\377\0\1x"), false},
    {"the last valid key", B(ROOT "\377\376\0\1x"), true},
    {"alpn without identifier", B(ROOT "\0\1\0\0"), false},
    {"an empty identifier", B(ROOT "\0\1\0\1\0"), false},
    {"an empty identifier at the end", B(ROOT "\0\1\0\4\2h2\0"), false},
    {"two identifiers", B(ROOT "\0\1\0\6\2h2\2h3"), true},
    {"an identifier beyond its value", B(ROOT "\0\1\0\3\3h2" PORT), false},
    {"no-default-alpn", B(ROOT ALPN "\0\2\0\0"), true},
    {"no-default-alpn alone", B(ROOT "\0\2\0\0"), false},
    {"no-default-alpn with a value", B(ROOT ALPN "\0\2\0\1x"), false},
    {"a port of one byte", B(ROOT "\0\3\0\1x"), false},
    {"a port of three", B(ROOT "\0\3\0\3xxx"), false},
    {"no port", B(ROOT "\0\3\0\0"), false},
    {"ipv4hint without address", B(ROOT V4("\0")), false},
    {"ipv4hint with half an address", B(ROOT V4("\6") PUB4 "ab"), false},
    {"two ipv4hints", B(ROOT V4("\10") PUB4 PRIV4), true},
    {"ipv6hint without address", B(ROOT V6("\0")), false},
    {"ipv6hint of four bytes", B(ROOT V6("\4") PUB4), false},
    {"two ipv6hints", B(ROOT V6("\40") PUB6 PRIV6), true},
    {"mandatory", B(ROOT "\0\0\0\4\0\1\0\3" ALPN PORT), true},
    {"mandatory with keys between", B(ROOT "\0\0\0\4\0\1\1\0" ALPN PORT OTHER), true},
    {"mandatory without key", B(ROOT "\0\0\0\0"), false},
    {"mandatory of half a key", B(ROOT "\0\0\0\3\0\1\0" ALPN), false},
    {"mandatory that names itself", B(ROOT "\0\0\0\4\0\0\0\1" ALPN), false},
    {"mandatory that falls", B(ROOT "\0\0\0\4\0\3\0\1" ALPN PORT), false},
    {"mandatory with a key twice", B(ROOT "\0\0\0\4\0\1\0\1" ALPN), false},
    {"mandatory, the key absent", B(ROOT "\0\0\0\2\0\3" ALPN), false},
    {"mandatory, the key absent between", B(ROOT "\0\0\0\4\0\1\0\2" ALPN PORT), false},
    {"mandatory and nothing else", B(ROOT "\0\0\0\2\0\3"), false},
    {"mandatory, the last key absent", B(ROOT "\0\0\0\4\0\1\0\3" ALPN), false},
};

static void
each_is_read_or_refused(void **state)
{
	size_t failures = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parsed); i++) {
		/* alone on the heap, so that a read too far is seen */
		uint8_t *rdata = malloc(parsed[i].len + 1);
		struct svcb s;
		int r;

		assert_non_null(rdata);
		memcpy(rdata + 1, parsed[i].rdata, parsed[i].len);
		r = svcb_parse(rdata + 1, parsed[i].len, &s);
		failures += case_failed(
		    "59", parsed[i].title, r == (parsed[i].good ? 0 : -EBADMSG));
		free(rdata);
	}
	assert_int_equal(failures, 0);
}

static bool
is_public(const void *ctx, const struct addr *addr)
{
	(void)ctx;
	return addr->bytes[0] != 10 && addr->bytes[0] != 0xfd;
}

static const struct {
	const char *title;
	const char *in;
	size_t in_len;
	const char *out;
	size_t out_len;
} written[] = {
    {"no hints", B(ROOT ALPN PORT OTHER), B(ROOT ALPN PORT OTHER)},
    {"public hints", B(ROOT V4("\4") PUB4 V6("\20") PUB6 OTHER),
	B(ROOT V4("\4") PUB4 V6("\20") PUB6 OTHER)},
    {"forbidden hints", B(ROOT ALPN V4("\4") PRIV4 V6("\20") PRIV6 OTHER),
	B(ROOT ALPN OTHER)},
    {"mixed ones", B(ROOT V4("\14") PRIV4 PUB4 PRIV4 V6("\40") PUB6 PRIV6),
	B(ROOT V4("\4") PUB4 V6("\20") PUB6)},
    {"one family forbidden", B(ROOT V4("\4") PRIV4 V6("\20") PUB6),
	B(ROOT V6("\20") PUB6)},
    {"ech", B(ROOT ALPN ECH OTHER), B(ROOT ALPN OTHER)},
    {"ech alone", B(ROOT ECH), B(ROOT)},
    {"mandatory keeps what stays", B(ROOT "\0\0\0\4\0\1\0\4" ALPN V4("\4") PUB4),
	B(ROOT "\0\0\0\4\0\1\0\4" ALPN V4("\4") PUB4)},
    {"mandatory loses a hint",
	B(ROOT "\0\0\0\6\0\1\0\4\0\6" ALPN V4("\4") PRIV4 V6("\20") PUB6),
	B(ROOT "\0\0\0\4\0\1\0\6" ALPN V6("\20") PUB6)},
    {"mandatory loses ech", B(ROOT "\0\0\0\4\0\1\0\5" ALPN ECH),
	B(ROOT "\0\0\0\2\0\1" ALPN)},
    {"mandatory loses all", B(ROOT "\0\0\0\4\0\4\0\5" V4("\4") PRIV4 ECH OTHER),
	B(ROOT OTHER)},
    {"AliasMode", B(ALIAS V4("\4") PUB4), B(ALIAS)},
};

static void
each_is_written_without_what_goes(void **state)
{
	size_t failures = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(written); i++) {
		uint8_t *out = malloc(written[i].in_len);
		struct svcb s;
		size_t len;

		assert_non_null(out);
		assert_int_equal(
		    svcb_parse((const uint8_t *)written[i].in, written[i].in_len, &s), 0);
		len = svcb_write(&s, is_public, NULL, out);
		failures += case_failed("59", written[i].title,
		    len == written[i].out_len && memcmp(out, written[i].out, len) == 0);
		free(out);
	}
	assert_int_equal(failures, 0);
}

static void
hints_of_ipv4_come_first(void **state)
{
	static const char rdata[] = ROOT V4("\10") PUB4 PRIV4 V6("\20") PUB6;
	struct addr addr;
	struct svcb s;

	(void)state;
	assert_int_equal(svcb_parse((const uint8_t *)rdata, sizeof(rdata) - 1, &s), 0);
	assert_int_equal(svcb_hint_count(&s), 3);
	addr = svcb_hint(&s, 1);
	assert_int_equal(addr.family, AF_INET);
	assert_memory_equal(addr.bytes, PRIV4, 4);
	addr = svcb_hint(&s, 2);
	assert_int_equal(addr.family, AF_INET6);
	assert_memory_equal(addr.bytes, PUB6, 16);
}

static void
an_alias_has_no_hints(void **state)
{
	static const char rdata[] = ALIAS V4("\4") PUB4;
	struct svcb s;

	(void)state;
	assert_int_equal(svcb_parse((const uint8_t *)rdata, sizeof(rdata) - 1, &s), 0);
	assert_int_equal(svcb_hint_count(&s), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_is_read_or_refused),
	    cmocka_unit_test(each_is_written_without_what_goes),
	    cmocka_unit_test(hints_of_ipv4_come_first),
	    cmocka_unit_test(an_alias_has_no_hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
