/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a connection was refused: the loop's side of the records about refused connections.
 * What the enforcer has heard from the kernel is joined with what the loop knows of pods,
 * names and leases, and goes to the journal (daemon/log/report.h).
 *
 * The cost of a record is a few look-ups; how many there are a second is bounded by
 * daemon/enforcer/tally.h.
 */
#ifndef DAEMON_LOG_REFUSAL_H
#define DAEMON_LOG_REFUSAL_H

#include <stdint.h>

#include "base/name.h"
#include "daemon/enforcer/enforcer.h"
#include "daemon/lease/recent.h"
#include "daemon/log/report.h"
#include "policy/registry/registry.h"

/* Packets that the kernel has refused, and those of them whose flows were not looked
 * at. */
struct refusal_counts {
	uint64_t packets, unread;
};

struct refusal {
	struct report *report; /* all borrowed */
	const struct recent *recent;
	struct refusal_counts counts;
};

/* What is known at this moment; borrowed. */
struct refusal_view {
	const struct registry *registry;
	int64_t now_ms;
};

/* Take one ENFORCER_REFUSED message. */
void refusal_take(
    struct refusal *r, const struct refusal_view *view, const struct enforcer_message *m);
/* Why, into c: its reason, the name behind the address and the host that nearly opened
 * it. */
void refusal_explain(const struct refusal *r, const struct refusal_view *view,
    const struct enforcer_refused *flow, struct report_connection *c);

#endif
