/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ServiceEntry that would have allowed what was refused: from a refusal to YAML.
 *
 * It opens no more than what was refused: one host or address, one port, for the pod's
 * own namespace. Where an entry nearly allowed it, the suggestion is one that merges with
 * that entry. What no entry should open, or can, gets a comment instead. Pure; nothing is
 * kept.
 */
#ifndef POLICY_EXPLAIN_SUGGEST_H
#define POLICY_EXPLAIN_SUGGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/name.h"
#include "policy/registry/registry.h"

#define SUGGEST_LOOKUP_PORT 443 /* a lookup does not tell the port */

struct suggest_refusal {
	const struct workload *workload; /* NULL: not known */
	const struct name *name;         /* NULL: none is known; never of a lookup */
	struct addr address;             /* family 0: it was a lookup */
	uint16_t port;                   /* of the address; 0: none */
	uint8_t proto;
	const struct name *cluster; /* names in it get nothing: search lists make them */
};

/*
 * The manifest, from its "apiVersion" on, is appended to manifest, or nothing when there
 * is none to suggest; a remark of one line, or nothing, to remark. The registry is the
 * one of now: what it allows by now gets neither. Cost: as registry_judge.
 */
void suggest(const struct registry *r, const struct suggest_refusal *refusal,
    struct buf *manifest, struct buf *remark);

#endif
