/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds one after another that leave out what is broken, each falling back on the one
 * before.
 */
#ifndef TESTS_UNIT_ADMISSION_BED_H
#define TESTS_UNIT_ADMISSION_BED_H

#include <errno.h>

#include "tests/unit/alloc.h"
#include "tests/unit/built.h"

#define TEXT_MAX 4096

struct file {
	const char *name;
	const char *text; /* NULL: it is there and cannot be read */
};

struct bed {
	struct built now;
	struct registry *before;
};

static struct bed bed;

static inline int
set_up(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	built_open(&bed.now);
	bed.now.settings.skip = true;
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	alloc_reset();
	built_close(&bed.now);
	registry_unref(bed.before);
	return 0;
}

static inline int
try_build(const struct file *files, size_t count)
{
	struct built *b = &bed.now;
	int r;

	b->builder = registry_builder_new(&b->settings, &b->findings);
	if (b->builder == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (files[i].text != NULL)
			b->result = registry_builder_add(b->builder, files[i].name,
			    files[i].text, strlen(files[i].text));
		else
			b->result = registry_builder_lose(
			    b->builder, files[i].name, "the manifest may not be read");
		if (b->result < 0)
			return b->result;
	}
	r = built_finish(b);
	return r;
}

/* What was built last, if anything, is what the next build falls back on. */
static inline void
build(const struct file *files, size_t count)
{
	struct registry_settings settings = bed.now.settings;

	if (bed.now.registry != NULL) {
		registry_unref(bed.before);
		bed.before = bed.now.registry;
		bed.now.registry = NULL;
	}
	built_close(&bed.now);
	built_open(&bed.now);
	bed.now.settings = settings;
	bed.now.settings.before = bed.before;
	(void)try_build(files, count); /* result tells */
}

#define BUILD(...)                                                                       \
	do {                                                                             \
		const struct file these[] = {__VA_ARGS__};                               \
                                                                                         \
		build(these, ARRAY_LEN(these));                                          \
	} while (0)

/* The last build went well, with that many objects left out and kept as they were. */
static inline void
assert_counts(size_t left_out, size_t last_good)
{
	struct registry_counts c;

	if (bed.now.result != 0)
		built_print(&bed.now);
	assert_int_equal(bed.now.result, 0);
	c = registry_counts(bed.now.registry);
	if (c.left_out != left_out || c.last_good != last_good)
		built_print(&bed.now);
	assert_int_equal(c.left_out, left_out);
	assert_int_equal(c.last_good, last_good);
	assert_int_equal(bed.now.findings.errors > 0, left_out + last_good > 0);
}

static inline void
assert_refused(const char *words)
{
	if (!built_says(&bed.now, FINDING_ERROR, words))
		built_print(&bed.now);
	assert_int_equal(bed.now.result, -EINVAL);
	assert_null(bed.now.registry);
	assert_true(built_says(&bed.now, FINDING_ERROR, words));
}

static inline bool
knows(const char *host)
{
	return built_judge(&bed.now, NULL, host).kind == VERDICT_HOST;
}

/* Documents to be put one behind the other. */
#define ENTRY(name, rest)                                                                \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"                  \
	"metadata: {name: " name ", namespace: shop}\n"                                  \
	"spec: {ports: [{number: 443, name: tls, protocol: TLS}], " rest "}\n"

#define GOOD(name, host) ENTRY(name, "hosts: [" host "], resolution: DNS")
#define BAD(name, host) ENTRY(name, "hosts: [" host "], resolution: SOMEHOW")
#define MESH(mode)                                                                       \
	"---\napiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"              \
	"metadata: {name: mesh, namespace: istio-system}\n"                              \
	"spec: {meshConfig: {outboundTrafficPolicy: {mode: " mode "}}}\n"
#define CONFIG_MAP(mode)                                                                 \
	"---\napiVersion: v1\nkind: ConfigMap\n"                                         \
	"metadata: {name: istio, namespace: istio-system}\n"                             \
	"data: {mesh: 'outboundTrafficPolicy: {mode: " mode "}'}\n"

#endif
