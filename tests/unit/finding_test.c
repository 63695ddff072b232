/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "policy/finding.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

static void
quote_escapes(void **state)
{
	static const struct {
		const char *text, *quoted;
	} cases[] = {
	    {"", "\"\""},
	    {"a.com", "\"a.com\""},
	    {"a\"b\\c", "\"a\\\"b\\\\c\""},
	    {"\n\x1b[31m\x7f", "\"\\x0a\\x1b[31m\\x7f\""},
	    {"\xc3\xa4\xff", "\"\\xc3\\xa4\\xff\""},
	};
	char buf[FINDING_QUOTE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
		    finding_quote(cases[i].text, strlen(cases[i].text), buf),
		    cases[i].quoted);
	assert_string_equal(finding_quote("a\0b", 3, buf), "\"a\\x00b\"");
}

/* Whatever its length and bytes, it fits and ends in a quote or in "...". */
static void
quote_fits(void **state)
{
	char text[300];
	char buf[FINDING_QUOTE_MAX];
	size_t len;

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		memset(text, byte, sizeof(text));
		for (size_t n = 0; n < sizeof(text); n++) {
			len = strlen(finding_quote(text, n, buf));
			assert_true(len < FINDING_QUOTE_MAX);
			assert_true(
			    buf[len - 1] == '"' || strcmp(buf + len - 4, "\"...") == 0);
		}
	}
}

static void
lines(void **state)
{
	static const char *const want[] = {
	    "f.yaml:3:4: error: bad 7", "f.yaml: warning: odd", "f.yaml:1:1: note: hm"};
	struct findings f;

	(void)state;
	findings_init(&f, 10);
	findings_add(&f, FINDING_ERROR, "f.yaml", 3, 4, "bad %d", 7);
	findings_add(&f, FINDING_WARNING, "f.yaml", 0, 0, "odd");
	findings_add(&f, FINDING_NOTE, "f.yaml", 1, 1, "hm");
	assert_int_equal(f.len, 3);
	assert_int_equal(f.errors, 1);
	assert_int_equal(f.warnings, 1);
	for (size_t i = 0; i < f.len; i++) {
		char *line = finding_format(&f.list[i]);

		assert_string_equal(line, want[i]);
		free(line);
	}
	findings_done(&f);
	assert_int_equal(f.len, 0);
	findings_done(&f);
}

static void
counted_behind_the_limit(void **state)
{
	struct findings f;

	(void)state;
	findings_init(&f, 20);
	for (int i = 0; i < 50; i++)
		findings_add(&f, FINDING_ERROR, "f", 1, 1, "n");
	assert_int_equal(f.len, 20);
	assert_int_equal(f.errors, 50);
	assert_int_equal(f.dropped, 30);
	findings_done(&f);
}

static void
counted_without_memory(void **state)
{
	struct findings f;

	(void)state;
	findings_init(&f, 20);
	alloc_fail_at(0);
	findings_add(&f, FINDING_ERROR, "f", 1, 1, "n");
	alloc_reset();
	assert_int_equal(f.errors, 1);
	assert_int_equal(f.len + f.dropped, 1);
	findings_done(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(quote_escapes),
	    cmocka_unit_test(quote_fits),
	    cmocka_unit_test(lines),
	    cmocka_unit_test(counted_behind_the_limit),
	    cmocka_unit_test(counted_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
