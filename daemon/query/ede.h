/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client is told besides the rcode: the Extended DNS Errors (RFC 8914) that we
 * give, with their texts, in one place. The texts name the remedy and no name, path or
 * rule.
 */
#ifndef DAEMON_QUERY_EDE_H
#define DAEMON_QUERY_EDE_H

#include <stdbool.h>
#include <stdint.h>

#include "resolver/reply.h"

extern const struct reply_ede ede_none;
extern const struct reply_ede ede_blocked;    /* the registry does not list the name */
extern const struct reply_ede ede_forbidden;  /* the answer led inside */
extern const struct reply_ede ede_family;     /* the pod has no such address */
extern const struct reply_ede ede_prohibited; /* the source is no pod */
extern const struct reply_ede ede_not_ready;  /* the table does not stand yet */
extern const struct reply_ede ede_busy;       /* too much is under way */
extern const struct reply_ede ede_commit;     /* the kernel did not take the lease */
extern const struct reply_ede ede_limit;      /* no room for the addresses */
extern const struct reply_ede ede_wildcard;   /* too many names under wildcards */
extern const struct reply_ede ede_silent;     /* the servers did not answer usefully */
extern const struct reply_ede ede_network;    /* the servers cannot be reached */

/* What goes with an answer of which these addresses were kept; old: it is over, and
 * serves because the servers fail (RFC 8767). */
const struct reply_ede *ede_of_answer(const struct answer *a, uint64_t keep, bool old);

#endif
