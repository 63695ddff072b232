/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table transaction while its messages come in: TABLE, lists, leases, END.
 *
 * One struct transaction lives as long as the enforcer and is used again and again.
 * transaction_begin to transaction_end; in between everything is copied. The first
 * value that is out of bounds (daemon/enforcer/bounds.h), or a list above its limit,
 * makes the whole transaction -EPERM, told at its end.
 */
#ifndef DAEMON_ENFORCER_TRANSACTION_H
#define DAEMON_ENFORCER_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "daemon/enforcer/element.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/lease_list.h"
#include "daemon/enforcer/ruleset.h"
#include "policy/registry/registry.h"
#include "policy/registry/way.h"

#define TRANSACTION_INTERFACES_MAX 1024
#define TRANSACTION_RANGES_MAX 4096 /* pods; internal; listen */
#define TRANSACTION_FIXED_MAX REGISTRY_FIXED_MAX
#define TRANSACTION_WAYS_MAX WAYS_MAX
#define TRANSACTION_OPEN_MAX (1024 * 1024)
#define TRANSACTION_CUTS_MAX LEASE_LIST_MAX

struct transaction {
	bool open;
	uint32_t id;
	int error; /* told at the end */
	struct enforcer_table table;
	/* arrays of records */
	struct buf interfaces, pods, internal, listen, fixed, ways, open_pods, cuts;
	struct lease_list grants, revokes;
};

void transaction_init(struct transaction *t);
void transaction_done(struct transaction *t);

/* m: TABLE. */
void transaction_begin(struct transaction *t, const struct enforcer_message *m);
/* m: any kind that stands between TABLE and END. */
void transaction_add(struct transaction *t, const struct enforcer_message *m);
/* All that came, looked at as a whole: 0, -EPERM, -ENOMEM. It stays as it is until
 * transaction_clear. */
MUST_CHECK int transaction_end(struct transaction *t);
void transaction_clear(struct transaction *t);

/* After transaction_end: cut the flows of all its pods too. */
void transaction_cut_pods(struct transaction *t);

/* Views of what is in t, valid until it is cleared. */
struct ruleset transaction_ruleset(const struct transaction *t);
const struct enforcer_cut *transaction_cuts(
    const struct transaction *t, size_t *ret_count);
/* The leases to make or to revoke, merged (element_merge), the caller's to free; NULL
 * when there are none. -ENOMEM. */
MUST_CHECK int transaction_grants(
    const struct transaction *t, struct element **ret_list, size_t *ret_count);
MUST_CHECK int transaction_revokes(
    const struct transaction *t, struct element **ret_list, size_t *ret_count);

#endif
