/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the loader need of a configuration and of what was loaded.
 */
#ifndef TESTS_UNIT_LOADER_BED_H
#define TESTS_UNIT_LOADER_BED_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy/registry/registry.h"
#include "tests/unit/scratch.h"

#define LOADER_BED_TEXT_MAX 4096
#define LOADER_BED_PATH_MAX 128

/* A configuration that reads folder "r" of the scratch folder, and more lines of it. */
static inline void
loader_bed_configure(const char *more, char path[LOADER_BED_PATH_MAX])
{
	char text[LOADER_BED_TEXT_MAX];

	(void)snprintf(text, sizeof(text),
	    "meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\n"
	    "upstreams: [192.0.2.53]\nregistry: [%s]\n%s",
	    scratch_path("r"), more);
	(void)snprintf(path, LOADER_BED_PATH_MAX, "%s", scratch_file("c.yaml", text));
}

static inline bool
loader_bed_lists(const struct registry *registry, const char *host)
{
	struct verdict v;
	struct name n;

	assert_int_equal(name_parse(host, strlen(host), &n), 0);
	registry_judge(registry, NULL, &n, &v);
	return v.kind == VERDICT_HOST;
}

#endif
