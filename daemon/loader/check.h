/* SPDX-License-Identifier: Apache-2.0 */
/*
 * egressd -t: what is wrong with a configuration and with manifests, told to people and
 * to programs, and nothing changed.
 */
#ifndef DAEMON_LOADER_CHECK_H
#define DAEMON_LOADER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/macros.h"
#include "policy/finding.h"

/* All findings are told: this is what keeps a file that is wrong in every line from
 * taking all memory. */
#define CHECK_FINDINGS_MAX 100000

struct check_options {
	const char *config_path; /* NULL: the default one, or none at all with paths */
	char *const *paths;      /* these manifests instead of the configuration's */
	size_t path_count;
	bool json;
	bool notes; /* those too */
};

/* Findings to out. 0: accepted, perhaps with warnings; -EINVAL: refused; -EIO: out does
 * not take it; other negative errno: could not be checked. */
MUST_CHECK int check_run(const struct check_options *o, FILE *out);

/* To out, one line each or one array with an object a line; on standard error how many
 * more there were. Look at out's error flag afterwards. */
void check_print(const struct findings *findings, bool notes, FILE *out);
void check_print_json(const struct findings *findings, bool notes, FILE *out);

#endif
