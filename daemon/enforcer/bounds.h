/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the enforcer lets itself be asked: every value that a message brings is looked at
 * here as if a stranger had sent it.
 *
 * Pure functions; true means acceptable.
 */
#ifndef DAEMON_ENFORCER_BOUNDS_H
#define DAEMON_ENFORCER_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "daemon/enforcer/enforcer.h"

#define BOUNDS_QUERY_RATE_MAX 1000000 /* what the configuration allows */
/* Elements in a set: an element takes about 256 bytes of the kernel's memory. */
#define BOUNDS_SET_SIZE_MAX (16 * 1024 * 1024)

/* 0/1 switches are 0 or 1, size and lifetime within their limits. */
bool bounds_table(const struct enforcer_table *t);
/* Ends in NUL, printable ASCII: it is shown by nft as it is. May be empty. */
bool bounds_name(const char name[ENFORCER_NAME_MAX]);
/* A name, or a prefix and "*", of an interface; never every interface. */
bool bounds_pattern(const char pattern[IFNAMSIZ]);
/* Of a family, and no bit set behind its length. */
bool bounds_prefix(const struct prefix *p);
bool bounds_listen(const struct endpoint *e);
bool bounds_addr(const struct addr *a);
/* A service is for one pod, or for every pod. */
bool bounds_fixed(const struct enforcer_fixed *f);
/* Of a service, to a port, of a host that a pod may have to reach. */
bool bounds_way(const struct enforcer_way *w);
/* All records of a LEAD, of one of the services 1 to services. */
bool bounds_lead(const struct enforcer_way *list, size_t count, uint32_t services);
/* Could be an element of ours: one family, TCP or UDP, a port. */
bool bounds_key(const struct enforcer_lease *l);
/* One that is to go may be of any protocol and port: somebody else may have made it. */
bool bounds_revoke(const struct enforcer_lease *l);
/* Of these pods, or some of them, and whole as its record says. */
bool bounds_cut(
    const struct enforcer_cut *c, const struct prefix *pods, size_t pod_count);
/* Of one of these pods, and whole as its record says. */
bool bounds_live(
    const struct enforcer_live *l, const struct prefix *pods, size_t pod_count);
/* Is it one of these pods? */
bool bounds_pod(const struct addr *a, const struct prefix *pods, size_t pod_count);
/* May be made: a key whose pod is in pods, whose destination is a host that a pod may
 * have to reach, and whose life ends in time. */
bool bounds_lease(const struct enforcer_lease *l, const struct prefix *pods,
    size_t pod_count, uint32_t timeout_max_ms);

#endif
