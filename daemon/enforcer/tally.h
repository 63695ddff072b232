/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refused packets, cut down to what is worth telling: each flow once a second, and so
 * many flows a second, of one source and in all. What is beyond is only counted.
 *
 * A source that sends TALLY_SOURCE_PACKETS in a second is loud: the caller ought to stop
 * listening to it until the second is over, so that others are heard. The source port is
 * no part of a flow here: a program that tries again uses another one.
 *
 * A value without ownership and without a clock; about 25 KiB.
 */
#ifndef DAEMON_ENFORCER_TALLY_H
#define DAEMON_ENFORCER_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "daemon/enforcer/enforcer.h"

#define TALLY_FLOWS 200       /* told a second */
#define TALLY_SOURCE_FLOWS 20 /* of them, of one source: ten loud pods hide a quiet one */
#define TALLY_SOURCES 256     /* a second; a node runs some 110 pods, of two families */
#define TALLY_SOURCE_PACKETS 64 /* looked at in a second */
#define TALLY_PACKETS 2048      /* looked at in a second, of all */
#define TALLY_PERIOD_MS 1000

struct tally {
	int64_t
	    until_ms; /* the end of the second; the next begins with its first packet */
	size_t packets;
	size_t flow_count;
	size_t source_count;
	struct tally_source {
		struct addr addr;
		uint16_t flows, packets;
	} sources[TALLY_SOURCES];
	struct enforcer_refused flows[TALLY_FLOWS];
};

enum tally_word {
	TALLY_TELL,   /* a flow that was not told in this second */
	TALLY_KNOWN,  /* told already */
	TALLY_BEYOND, /* of a limit */
};

/* All zero is a good beginning too. */
void tally_init(struct tally *t);
/* Begin a new second when the old one is over: true, and nothing and nobody is known. */
bool tally_turn(struct tally *t, int64_t now_ms);
/* Count one packet, after tally_turn. ret_loud: its source has had enough for this
 * second. */
enum tally_word tally_add(
    struct tally *t, const struct enforcer_refused *flow, bool *ret_loud);
/* May nothing more be looked at in this second? */
bool tally_is_full(const struct tally *t);

#endif
