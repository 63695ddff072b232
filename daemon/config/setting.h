/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setters: from a node to a checked value in struct config, one for each kind of option.
 * All add a finding for each thing that is wrong and return -EINVAL; -ENOMEM.
 */
#ifndef DAEMON_CONFIG_SETTING_H
#define DAEMON_CONFIG_SETTING_H

#include "base/macros.h"
#include "daemon/config/option.h"

typedef int (*setting_fn)(
    const struct option_target *t, const struct option *o, const struct node *value);

/* setting.c: one scalar, and the mesh's configuration. */
MUST_CHECK int setting_mesh(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_milliseconds(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_seconds(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_number(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_bytes(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_bool(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_rcode(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_https(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_revoke(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_unlisted(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_errors(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_path(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_port(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_domain(
    const struct option_target *t, const struct option *o, const struct node *value);

/* setting_list.c: lists. */
MUST_CHECK int setting_folders(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_listen(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_upstreams(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_prefixes(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_interfaces(
    const struct option_target *t, const struct option *o, const struct node *value);
MUST_CHECK int setting_zones(
    const struct option_target *t, const struct option *o, const struct node *value);

/*
 * Add "NAME: VALUE is not allowed: WHY" at value's place, and return -EINVAL. why NULL:
 * what option_range says.
 */
int setting_refuse(const struct option_target *t, const struct option *o,
    const struct node *value, const char *why);

#endif
