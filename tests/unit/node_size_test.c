/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts as large as they may be, or larger.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "policy/yaml/node.h"
#include "tests/unit/node_bed.h"
#include "tests/unit/unit.h"

/* Each would take seconds if it were read to its end, or pair by pair. */
static void
bombs(void **state)
{
	static const char *const units[] = {"[", "{", "- ", "? ", "{a: ", "&a ", "\n- ",
	    "[[]", "{[", "a: [\n---\n", "*a ", "!", "'", "\"", "|", "---\n"};
	struct buf text;
	struct seen s;
	clock_t start = clock();

	(void)state;
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		buf_clear(&text);
		while (text.len < 200 * 1000)
			buf_text(&text, units[i]);
		(void)read_text(&s, text.bytes); /* only its end counts */
		done(&s);
	}
	buf_done(&text);
	/* processor time; one bomb read to its end takes half of it */
	assert_true((clock() - start) / CLOCKS_PER_SEC < 60);
}

static void
many_keys(void **state)
{
	struct buf text;
	struct seen s;

	(void)state;
	buf_init(&text, 1 << 24);
	for (int i = 0; i < 200000; i++)
		buf_printf(&text, "k%d: 1\n", i);
	assert_int_equal(read_text(&s, text.bytes), 0);
	assert_int_equal(s.last->len, 200000);
	done(&s);
	buf_text(&text, "k77: 1\n");
	assert_int_equal(read_text(&s, text.bytes), -EINVAL);
	assert_int_equal(s.findings.list[0].line, 200001);
	done(&s);
	buf_done(&text);
}

static void
size_limits(void **state)
{
	size_t len = (size_t)NODE_BYTES_MAX + 1;
	char *text = malloc(len);
	struct seen s;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', len);
	assert_int_equal(read_bytes(&s, text, len), -EINVAL);
	assert_int_equal(s.findings.list[0].line, 0);
	done(&s);
	for (size_t i = 0; i + 1 < len; i += 2)
		memcpy(text + i, "1,", 2);
	memcpy(text, "[1", 2);
	assert_int_equal(read_bytes(&s, text, NODE_BYTES_MAX), -EINVAL);
	assert_non_null(strstr(s.findings.list[0].text, "too many"));
	done(&s);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bombs),
	    cmocka_unit_test(many_keys),
	    cmocka_unit_test(size_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
