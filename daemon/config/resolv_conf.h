/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nameservers of a resolv.conf(5), which are our upstreams unless the configuration
 * names some. Nothing else in that file concerns us.
 */
#ifndef DAEMON_CONFIG_RESOLV_CONF_H
#define DAEMON_CONFIG_RESOLV_CONF_H

#include <stddef.h>

#include "base/addr.h"
#include "base/macros.h"
#include "policy/finding.h"

#define RESOLV_CONF_MAX (64 * 1024) /* bytes; a larger one is not read */

/*
 * Put at most max nameservers into list, leaving out those that are among the skip_count
 * of skip (ourselves), stand twice, or cannot be used; the latter get a warning. Their
 * number; negative errno as file_read's.
 */
MUST_CHECK int resolv_conf_read(const char *path, const struct endpoint *skip,
    size_t skip_count, struct findings *findings, struct endpoint *list, size_t max);

#endif
