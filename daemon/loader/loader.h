/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader: from files to a configuration and a registry.
 *
 * Reads files, and so may take its time: never on the event loop
 * (daemon/loader/reload.h runs it beside). It logs nothing and touches no state but
 * its arguments.
 */
#ifndef DAEMON_LOADER_LOADER_H
#define DAEMON_LOADER_LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/macros.h"
#include "daemon/config/config.h"
#include "policy/finding.h"
#include "policy/registry/registry.h"

#define LOADER_RESOLV_CONF "/etc/resolv.conf"
#define LOADER_FILE_MAX                                                                  \
	(32 * 1024 * 1024)      /* bytes of one file; a larger one is an error */
#define LOADER_FILES_MAX 200000 /* in all folders; more is an error */

struct loader_options {
	const char *path; /* of the configuration; NULL: the default */
	struct hash_key hash_key;
	const struct registry *before; /* the load before this one's, which lives until
					  this one has ended: what did not change is not
					  parsed again, and under registryErrors: skip a
					  broken manifest falls back to it; may be NULL */
	bool shelve;    /* the load after this one will have this one's as before */
	bool strict;    /* refuse errors whatever registryErrors says */
	size_t threads; /* that read files ahead (read_ahead.h); none is as good */
};

/* One for each processor that there is besides that of the caller. */
size_t loader_threads(void);

struct loader_result {
	struct config *config;
	struct registry *registry;
};

/*
 * Read the configuration and all manifests in its registry
 * folders, in the order of their names: regular files *.yaml, *.yml, *.json, symlinks as
 * a mounted ConfigMap makes them; names that begin with a dot are passed over. A folder
 * that does not exist is a warning for the default one, else an error. 0; -EINVAL after
 * errors went to the findings; -ENOMEM, -ENOSPC. On success the caller owns both results;
 * there may be errors among the findings then, of manifests that were left out: the
 * registry's counts tell.
 */
MUST_CHECK int loader_load(const struct loader_options *options,
    struct findings *findings, struct loader_result *ret_result);

#endif
