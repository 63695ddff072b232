/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log/json_line.h"

/* 16 fields of quotes, each two bytes in JSON: far above what a line may have. */
static void
a_json_line_never_exceeds_its_limit_and_stays_json(void **state)
{
	char text[LOG_VALUE_MAX + 1];
	struct log_field f[LOG_FIELDS_MAX];
	struct record *r;
	struct buf b;

	(void)state;
	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		f[i] = (struct log_field){"NAME", i + 1 < ARRAY_LEN(f) ? text : "short"};
	r = record_new(
	    LOG_FAULT, LOG_PRIORITY_ERROR, 1234567890123456, text, f, ARRAY_LEN(f));
	assert_non_null(r);
	buf_init(&b, JSON_LINE_MAX);
	json_line_format(&b, r);
	assert_false(b.failed);
	assert_true(b.len <= JSON_LINE_MAX);
	assert_memory_equal(b.bytes, "{\"time\":\"2009-02-13T23:31:30.123456Z\",", 38);
	assert_non_null(strstr(b.bytes, ",\"EGRESSD_NAME\":\"short\",\"cut\":true}\n"));
	buf_done(&b);
	record_free(r);
}

static void
a_bad_descriptor_is_an_error_not_a_wait(void **state)
{
	struct record *r = record_new(LOG_FAULT, LOG_PRIORITY_DEBUG, 0, "x", NULL, 0);
	int fd;

	(void)state;
	assert_non_null(r);
	fd = dup(STDERR_FILENO);
	assert_int_equal(close(fd), 0);
	assert_int_equal(json_line_write(fd, r), -EBADF);
	record_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_json_line_never_exceeds_its_limit_and_stays_json),
	    cmocka_unit_test(a_bad_descriptor_is_an_error_not_a_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
