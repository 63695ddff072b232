/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration that a test writes, and what became of it: either bed.config or errors
 * in bed.findings.
 */
#ifndef TESTS_UNIT_CONFIG_BED_H
#define TESTS_UNIT_CONFIG_BED_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "tests/unit/scratch.h"

struct bed {
	struct findings findings;
	struct config *config;
	int result;
};

static struct bed bed;

static struct bed bed;

static inline void
forget(void)
{
	findings_done(&bed.findings);
	findings_init(&bed.findings, FINDINGS_MAX);
	config_free(bed.config);
	bed.config = NULL;
}

static inline int
set_up(void **state)
{
	(void)state;
	scratch_open();
	memset(&bed, 0, sizeof(bed));
	findings_init(&bed.findings, FINDINGS_MAX);
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	forget();
	scratch_close();
	return 0;
}

static inline void
load_path(const char *path)
{
	forget();
	bed.result =
	    config_read(path, scratch_file("resolv.conf", "nameserver 192.0.2.53\n"),
		&bed.findings, &bed.config);
	assert_true(bed.result == 0 || bed.config == NULL);
	assert_int_equal(bed.result<0, bed.findings.errors> 0);
}

static inline void
load(const char *text)
{
	load_path(scratch_file("c.yaml", text));
}

static inline void
dump(void)
{
	for (size_t i = 0; i < bed.findings.len; i++) {
		char *text = finding_format(&bed.findings.list[i]);

		print_message("%s\n", text != NULL ? text : "?");
		free(text);
	}
}

static inline void
accept_text(const char *text)
{
	load(text);
	if (bed.result != 0)
		dump();
	assert_int_equal(bed.result, 0);
}

/* Is there a finding at line:column that says part? */
static inline bool
found(enum finding_severity severity, unsigned line, unsigned column, const char *part)
{
	for (size_t i = 0; i < bed.findings.len; i++) {
		const struct finding *f = &bed.findings.list[i];

		if (f->severity == severity && f->line == line && f->column == column &&
		    strstr(f->text, part) != NULL)
			return true;
	}
	print_message("no finding at %u:%u says: %s; there are:\n", line, column, part);
	dump();
	return false;
}

/* One error and no more. */
static inline void
refuse_text(const char *text, unsigned line, unsigned column, const char *part)
{
	load(text);
	assert_true(found(FINDING_ERROR, line, column, part));
	assert_int_equal(bed.result, -EINVAL);
	if (bed.findings.errors != 1)
		dump();
	assert_int_equal(bed.findings.errors, 1);
}

static inline bool
has_endpoint(const struct endpoint *e, const char *text)
{
	char buf[ADDR_TEXT_MAX];

	return strcmp(endpoint_format(e, buf), text) == 0;
}

static inline bool
has_prefix(const struct prefix *p, const char *text)
{
	char buf[ADDR_TEXT_MAX];

	return strcmp(prefix_format(p, buf), text) == 0;
}

#endif
