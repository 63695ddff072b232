/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel's services lead, in step with what their names resolve to.
 *
 * A change of the table says it of all services; what changes between is told service by
 * service, in a LEAD message each (daemon/enforcer/enforcer.h), of which one is under way
 * at a time. What was told is remembered by backends_stamp, per service of the registry
 * of the last lead_describe.
 */
#ifndef DAEMON_LEASE_LEAD_H
#define DAEMON_LEASE_LEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/enforcer/enforcer.h"
#include "daemon/lease/backend.h"
#include "daemon/lease/change.h"
#include "policy/registry/registry.h"

struct lead {
	const struct backends *backends; /* borrowed; NULL: names lead nowhere */
	const struct registry *registry; /* of the last lead_describe */
	uint64_t *told;                  /* of each service; NULL: none is known */
	size_t count;
	size_t next;      /* service to look at, from 1 on */
	uint64_t changes; /* at which all were looked at */
};

void lead_init(struct lead *l, const struct backends *backends);
void lead_done(struct lead *l);

/* All services of the registry, into a change that was begun. */
void lead_describe(
    struct lead *l, struct change *change, const struct registry *registry);
/* The next service of which the kernel knows something else, into m, all but its id.
 * false: there is none, or the registry is another than lead_describe last had. */
bool lead_next(
    struct lead *l, const struct registry *registry, struct enforcer_message *m);
/* What was told last has not been done: everything is to be told again. */
void lead_forget(struct lead *l);

#endif
