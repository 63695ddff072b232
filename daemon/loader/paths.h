/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests that somebody names, rather than those of the node's registry folders: to
 * judge them before they are put in force anywhere.
 *
 * Nothing is enforced by what is read here, so files may be anybody's; they must be
 * regular and not writable for everybody. Limits are the loader's.
 */
#ifndef DAEMON_LOADER_PATHS_H
#define DAEMON_LOADER_PATHS_H

#include <stddef.h>

#include "base/hash.h"
#include "base/macros.h"
#include "daemon/loader/loader.h"
#include "policy/finding.h"

#define PATHS_STDIN "-"
#define PATHS_STDIN_NAME "<stdin>" /* in findings */

/*
 * As loader_load, with the manifests at paths instead of the configuration's folders:
 * files, folders (of which the manifests are read as the loader does), and PATHS_STDIN.
 * config_path NULL: no configuration is read, its defaults hold, there are no upstreams,
 * and the mode is REGISTRY_ONLY unless a manifest says otherwise: what is asked about is
 * a registry that somebody wants to hold. A configuration that is refused does not keep
 * the manifests from being read. 0; -EINVAL after errors went to the findings; -ENOMEM,
 * -ENOSPC.
 */
MUST_CHECK int paths_load(const char *config_path, char *const *paths, size_t count,
    const struct hash_key *hash_key, struct findings *findings,
    struct loader_result *ret_result);

#endif
