/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the enforcer is told of a commit.
 */
#ifndef DAEMON_LEASE_COMMIT_MESSAGE_H
#define DAEMON_LEASE_COMMIT_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/enforcer/enforcer.h"
#include "daemon/lease/commit.h"
#include "daemon/lease/lease.h"

/* The LEASES of request, without id and deadline; each lease is asked for (lease_ask).
 * Does one of them lead to another port or address? */
bool commit_message(struct enforcer_message *m, const struct commit_request *request,
    struct leases *leases, int64_t now_ms);

#endif
