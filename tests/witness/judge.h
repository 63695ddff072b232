/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges what was seen, record by record in the order of their times.
 *
 * An answer to a pod: each address in it is in a set for this pod, and has been since
 * before the answer was sent, and stays for as long as the answer's TTL says.
 *
 * A packet that leaves by the uplink is the node's own (DNS, a complaint, neighbour
 * discovery) or a pod's. A pod's belongs to a flow that was open, or opens one: then
 * its destination, protocol and port are in a set at some moment between the packet's
 * coming from the pod and its leaving, and the pod had been answered this address. A
 * flow whose lease was withdrawn ends within JUDGE_CUT_NS. What the sets fixed and open
 * list needs no answer.
 *
 * A lease that is renewed needs a reason: an answer to the pod after it, or a flow that
 * the pod had opened by it. One that has none opens nothing from JUDGE_IDLE_NS on after
 * the end that it had a reason for: a change of the table may write it again, and late.
 *
 * Times are exact but for SETS_EDGE_NS: at the end of a lease, which the kernel counts
 * in ticks, and at its beginning for who did not wait for the answer, since of a commit
 * only a moment is known at which it had already taken effect. The order of commit and
 * answer is exact.
 *
 * A finding is told as it is made, to JUDGE_TOLD_MAX of a kind, with what was known of
 * the leases, and counted.
 */
#ifndef TESTS_WITNESS_JUDGE_H
#define TESTS_WITNESS_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/table.h"
#include "tests/witness/notice.h"
#include "tests/witness/place.h"
#include "tests/witness/record.h"
#include "tests/witness/sets.h"

#define JUDGE_FLOWS_MAX 4000000
#define JUDGE_CUT_NS 1000000000ull
#define JUDGE_IDLE_NS 1000000000ull
#define JUDGE_TOLD_MAX 10

enum finding {
	FINDING_EARLY,      /* an address answered before it was in the set */
	FINDING_SHORT,      /* a TTL beyond the lease */
	FINDING_UNANSWERED, /* to an address that the pod was not answered */
	FINDING_UNLISTED,   /* without a lease */
	FINDING_WITHDRAWN,  /* a flow outlives the withdrawal */
	FINDING_IDLE,       /* by a lease that was renewed for nothing */
	FINDING_STRANGE,    /* from nobody that is known */
	FINDING_UNREAD,     /* an answer that cannot be read */
	FINDINGS,
};

typedef void (*judge_tell_fn)(const char *line);

struct judge {
	const struct places *places; /* borrowed */
	struct sets sets;
	struct notices notices;
	struct table flows;
	judge_tell_fn tell;
	uint64_t found[FINDINGS];
	uint64_t answers, addresses; /* with an address; of pods */
	uint64_t left, opened, own;  /* packets; those that open a flow; the node's */
};

MUST_CHECK int judge_init(
    struct judge *j, const struct places *places, judge_tell_fn tell);
void judge_done(struct judge *j);
/* -ENOMEM, -ENOSPC, -EPIPE, -EPROTO: nothing can be said any more. Findings are no
 * error. */
MUST_CHECK int judge_take(struct judge *j, const struct record *r);
const char *finding_name(enum finding f);

#endif
