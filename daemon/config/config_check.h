/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no option can tell alone: options that contradict each other.
 */
#ifndef DAEMON_CONFIG_CONFIG_CHECK_H
#define DAEMON_CONFIG_CONFIG_CHECK_H

#include "daemon/config/config.h"
#include "policy/yaml/node.h"

/* Where the value of an option stands; NULL for a default. name as in the table. */
typedef const struct node *(*config_place_fn)(void *ctx, const char *name);

/* Add a finding for each contradiction, at the place of one of the values. config holds a
 * good value for each option. */
void config_check(const struct config *config, const char *file,
    struct findings *findings, config_place_fn place, void *ctx);

#endif
