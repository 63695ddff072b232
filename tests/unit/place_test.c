/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "policy/yaml/node.h"
#include "policy/yaml/place.h"
#include "tests/unit/unit.h"

#define CODE_POINTS 0x110000
#define ARENA_MAX ((size_t)1 << 20)

static int
take(void *ctx, const struct node *root)
{
	(void)ctx;
	(void)root;
	return 0;
}

/* Bytes written to out: as UTF-8 would have it, of surrogates too. */
static size_t
encode(unsigned c, char out[static 4])
{
	static const unsigned char lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(lead[len] | c);
	return len;
}

/* Each of the first plane, one in a hundred of the others. */
static void
readable_is_what_libyaml_reads(void **state)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct findings findings;

	(void)state;
	assert_non_null(arena);
	findings_init(&findings, 0);
	for (unsigned c = 0; c < CODE_POINTS; c += c < 0x10000 ? 1 : 101) {
		char text[16] = "# x";
		size_t len = strlen(text);
		int r;

		len += encode(c, text + len);
		memcpy(text + len, "\na: b\n", 6);
		len += 6;
		r = node_read("f", text, len, arena, &findings, take, NULL);
		if (place_readable(text, len) != (r == 0))
			fail_msg("U+%04X", c);
		arena_clear(arena);
	}
	findings_done(&findings);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(readable_is_what_libyaml_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
