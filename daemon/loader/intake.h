/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builder of a registry as a configuration wants it: with its zones, its own ranges
 * and its mode.
 *
 * The owner of the struct, which must not be moved while it is open, calls intake_done.
 */
#ifndef DAEMON_LOADER_INTAKE_H
#define DAEMON_LOADER_INTAKE_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/macros.h"
#include "daemon/config/config.h"
#include "policy/finding.h"
#include "policy/registry/registry.h"

struct intake {
	struct prefix *own;
	struct name *zones;
	struct registry_settings settings; /* points at the two above */
	struct registry_builder *builder;
	struct findings *findings;
};

struct intake_options {
	struct hash_key hash_key;
	bool skip; /* as policy/registry/registry.h has them */
	bool shelve;
	const struct registry *before;
};

/* findings is borrowed until intake_done, config for the call. -ENOMEM, or what
 * getifaddrs(3) says. */
MUST_CHECK int intake_open(struct intake *in, const struct config *config,
    const struct intake_options *options, struct findings *findings);
/* Of a zeroed one too. */
void intake_done(struct intake *in);

/* False for a name with bytes that would break a line of the log, or of the terminal that
 * findings are written to. intake_lose_name says so, at place. -ENOMEM, -ENOSPC. */
bool intake_name_is_good(const char *name);
MUST_CHECK int intake_lose_name(struct intake *in, const char *place, const char *name);
/* A manifest that cannot be read, with file_read's result. -ENOMEM, -ENOSPC. */
MUST_CHECK int intake_lose(struct intake *in, const char *file, int result);
/* All documents of a text. -ENOMEM, -ENOSPC. */
MUST_CHECK int intake_add(
    struct intake *in, const char *file, const char *text, size_t len);
/* The same of a text that was read already. */
MUST_CHECK int intake_add_documents(
    struct intake *in, const char *file, const struct documents *documents);
/* Once, after all was added. -EINVAL when the findings hold an error that was not
 * skipped, -ENOMEM, -ENOSPC. */
MUST_CHECK int intake_finish(struct intake *in, struct registry **ret_registry);

#endif
