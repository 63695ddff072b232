/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a workload may reach a target, or why not: asked of the running daemon, with the
 * leases that it holds, or of files that no daemon needs to know.
 */
#ifndef DAEMON_CONTROL_EXPLAIN_H
#define DAEMON_CONTROL_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/macros.h"

struct daemon;

/* On the control socket: "explain WORKLOAD TARGET [json]"; as control_answer_fn. */
MUST_CHECK int explain_answer(
    struct daemon *d, size_t word_count, char **words, struct buf *out);

struct explain_files {
	const char *config_path; /* NULL: with paths none, else the default */
	char *const *paths;      /* these manifests instead of the configuration's */
	size_t path_count;
	const char *workload;
	const char *target;
	bool json;
};
/* The answer is appended to out. 0; -EINVAL after what is wrong with configuration or
 * manifests went to standard error; other negative errno. */
MUST_CHECK int explain_files(const struct explain_files *files, struct buf *out);

#endif
