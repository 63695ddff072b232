/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry built from texts, with its findings: what the tests of policy/ start from.
 *
 * built_open, built_add any number of times, built_finish, built_close.
 */
#ifndef TESTS_UNIT_BUILT_H
#define TESTS_UNIT_BUILT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/registry/registry.h"
#include "tests/unit/unit.h"

struct built {
	struct registry_settings settings;
	struct findings findings;
	struct registry_builder *builder;
	struct registry *registry; /* NULL when refused */
	int result;                /* of the last call */
};

/* Settings are REGISTRY_ONLY with a fixed key; change them before the first built_add. */
static inline void
built_open(struct built *b)
{
	memset(b, 0, sizeof(*b));
	b->settings.has_outbound = true;
	b->settings.outbound = OUTBOUND_REGISTRY_ONLY;
	b->settings.hash_key = (struct hash_key){{1, 2}};
	findings_init(&b->findings, FINDINGS_MAX);
}

static inline void
built_add_bytes(struct built *b, const char *file, const char *text, size_t len)
{
	/* exactly as large as the text, so that a sanitizer sees a read behind it */
	char *copy = malloc(len);

	if (b->builder == NULL)
		b->builder = registry_builder_new(&b->settings, &b->findings);
	assert_non_null(b->builder);
	assert_true(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, text, len);
	b->result = registry_builder_add(b->builder, file, copy, len);
	free(copy);
}

static inline void
built_add(struct built *b, const char *file, const char *text)
{
	built_add_bytes(b, file, text, strlen(text));
}

static inline int
built_finish(struct built *b)
{
	if (b->builder == NULL)
		b->builder = registry_builder_new(&b->settings, &b->findings);
	assert_non_null(b->builder);
	b->result = registry_builder_finish(b->builder, &b->registry);
	b->builder = NULL;
	return b->result;
}

static inline void
built_close(struct built *b)
{
	registry_builder_free(b->builder);
	registry_unref(b->registry);
	findings_done(&b->findings);
	memset(b, 0, sizeof(*b));
}

/* Of one text, with REGISTRY_ONLY. */
static inline int
built_from(struct built *b, const char *text)
{
	built_open(b);
	built_add(b, "a.yaml", text);
	return built_finish(b);
}

static inline void
built_print(const struct built *b)
{
	for (size_t i = 0; i < b->findings.len; i++) {
		char *line = finding_format(&b->findings.list[i]);

		print_message("  %s\n", line);
		free(line);
	}
}

/* Is there a finding of this severity with words in its text? */
static inline bool
built_says(const struct built *b, enum finding_severity severity, const char *words)
{
	for (size_t i = 0; i < b->findings.len; i++)
		if (b->findings.list[i].severity == severity &&
		    strstr(b->findings.list[i].text, words) != NULL)
			return true;
	return false;
}

/* The verdict on name for the pod with this address, NULL for one that is not known. */
static inline struct verdict
built_judge(const struct built *b, const char *pod, const char *text)
{
	const struct workload *w = NULL;
	struct verdict v;
	struct name name;
	struct addr addr;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	if (pod != NULL) {
		assert_int_equal(addr_parse(pod, strlen(pod), &addr), 0);
		w = registry_workload(b->registry, &addr);
		assert_non_null(w);
	}
	registry_judge(b->registry, w, &name, &v);
	return v;
}

static inline bool
built_permits(
    const struct built *b, const struct registry_host *host, const char *address)
{
	struct addr addr;

	assert_int_equal(addr_parse(address, strlen(address), &addr), 0);
	return registry_permits(b->registry, host, &addr);
}

#endif
