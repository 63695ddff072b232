/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader: from files to a configuration and a registry.
 *
 * Reads files, and so may take its time: never on the event loop (daemon/reload.h runs it
 * beside). It logs nothing and touches no state but its arguments.
 */
#ifndef DAEMON_LOADER_H
#define DAEMON_LOADER_H

#include <stddef.h>

#include "base/hash.h"
#include "base/macros.h"
#include "daemon/config.h"
#include "policy/finding.h"
#include "policy/registry.h"

#define LOADER_RESOLV_CONF "/etc/resolv.conf"
#define LOADER_FILE_MAX                                                                  \
	(32 * 1024 * 1024)      /* bytes of one file; a larger one is an error */
#define LOADER_FILES_MAX 200000 /* in all folders; more is an error */

struct loader_result {
	struct config *config;
	struct registry *registry;
};

/*
 * Read the configuration at path (NULL: the default) and all manifests in its registry
 * folders, in the order of their names: regular files *.yaml, *.yml, *.json, symlinks as
 * a mounted ConfigMap makes them; names that begin with a dot are passed over. A folder
 * that does not exist is a warning for the default one, else an error. 0; -EINVAL after
 * errors went to the findings; -ENOMEM, -ENOSPC. On success the caller owns both results.
 */
MUST_CHECK int loader_load(const char *path, const struct hash_key *hash_key,
    struct findings *findings, struct loader_result *ret_result);

#endif
