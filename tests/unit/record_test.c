/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/record.h"

#define CATALOG "systemd/egressd.catalog"
#define EVENTS (LOG_FAULT + 1)

/* An escape of four bytes is never cut in two, and what just fits is not cut. */
static void
cutting_respects_escapes(void **state)
{
	char text[LOG_VALUE_MAX + 1];
	struct log_field f = {"NAME", text};
	struct record *r;

	(void)state;
	memset(text, 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	r = record_new(LOG_FAULT, LOG_PRIORITY_ERROR, 0, "", &f, 1);
	assert_non_null(r);
	assert_true(strlen(r->fields[0].value) <= LOG_VALUE_MAX);
	assert_string_equal(
	    r->fields[0].value + strlen(r->fields[0].value) - 7, "\\001...");
	record_free(r);
	memset(text, 'x', sizeof(text) - 1);
	r = record_new(LOG_FAULT, LOG_PRIORITY_ERROR, 0, text, NULL, 0);
	assert_non_null(r);
	assert_string_equal(r->message, text);
	record_free(r);
}

static char *
read_catalog(void)
{
	FILE *f = fopen(CATALOG, "re");
	char *text = calloc(1, 65536);

	assert_non_null(f); /* run from the top of the tree */
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void
every_event_has_a_name_an_id_and_a_catalog_entry(void **state)
{
	char *catalog = read_catalog();
	char entry[64];

	(void)state;
	for (int i = 0; i < EVENTS; i++) {
		const char *id = record_event_id((enum log_event)i);

		assert_true(strlen(record_event_name((enum log_event)i)) > 0);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		assert_int_equal(strlen(id), 32);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(id, record_event_id((enum log_event)k));
		(void)snprintf(entry, sizeof(entry), "-- %s\n", id);
		assert_non_null(strstr(catalog, entry));
	}
	free(catalog);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cutting_respects_escapes),
	    cmocka_unit_test(every_event_has_a_name_an_id_and_a_catalog_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
