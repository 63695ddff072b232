/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer: the small process that holds CAP_NET_ADMIN, owns table `inet egressd` and
 * commits to it; and the messages by which the loop asks it to.
 *
 * Messages go in packets over a pair of sockets (daemon/enforcer/pair.h), in host order.
 * The enforcer checks each as if a stranger had sent it: a message that is malformed ends
 * the enforcer (the table stays and denies), one that asks for too much gets -EPERM.
 *
 * Loop to enforcer, each id answered by exactly one ENFORCER_RESULT, in order:
 *	LEASES	outside of a table transaction: make or renew these leases; what waits
 *		together is committed together, and one that fails fails no other
 *	TABLE	then any number of INTERFACES, PODS, INTERNAL, LISTEN, FIXED, WAYS,
 *		OPEN, LEASES, REVOKE, CUT with the same id, then END: one kernel
 *		transaction that makes the table, or brings it, to what these say; leases
 *		that are not mentioned stay (but lead to themselves), and one that is both
 *		revoked and made is made. A REVOKE or CUT of zeros says nothing. The
 *		result answers END
 *	LEAD	outside of a table transaction: the first record names a service that the
 *		table has, in an otherwise empty record; the others are all the ways that
 *		it leads from now on
 *	DUMP	the leases that the kernel holds come as LEASES messages with this id,
 * some perhaps twice, some perhaps not (daemon/lease/found.h), then the result and
 * without a result:
 *	LIVE	outside of a table transaction: are there living flows of these leases?
 *		any number of messages with some, then one with none; no other such
 *		question until it has been answered
 * Enforcer to loop, unasked:
 *	LOST	the table has gone, or leases with it, or somebody else has changed it;
 *		once, until a TABLE has been done. In front of the result of a TABLE: it
 *		was made anew, without the leases of the old one
 *	FLOWS	what CUT named has been looked for: packets: flows that were cut; lost:
 *		that could not be; negative: not all flows were looked at
 *	LIVE	to a LIVE: those of which there are, each once, as they are found; at the
 *		end one message with none: packets: flows looked at; lost: microseconds
 *		of processor time that it took; negative: not all flows were looked at
 * REFUSED flows of which the kernel refused packets, those that
 * daemon/enforcer/tally.h
 *		lets through; negative: none will come, until a TABLE is done again
 *
 * A commit happened in the kernel when its result is 0, and did not when it is negative,
 * but for -EIO: unknown.
 *	-ETIMEDOUT	it waited behind its deadline and was not tried
 *	-ENOENT		the table or its sets are gone: send TABLE again
 *	-ENFILE		the set is full
 *	-EPERM		refused: an address, a port, a lifetime or a table that is out of
 *			bounds or not ours
 *	-EIO		the kernel's acknowledgement was lost: send TABLE again and DUMP
 *	-EPROTONOSUPPORT	the table is of a newer layout: not touched
 *	-EOPNOTSUPP	the kernel lacks what the table needs
 */
#ifndef DAEMON_ENFORCER_ENFORCER_H
#define DAEMON_ENFORCER_ENFORCER_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "daemon/enforcer/enforcer_record.h"

#define ENFORCER_LEASES_MAX 128 /* in one message, so for one answer */
/* With its NUL; 2 more bytes frame it. The kernel counts an element's user data and one
 * byte of its own in 8 bits: of 255 bytes it says EINVAL, and 256 it loses without a word
 * (ulen in nft_add_set_elem, net/netfilter/nf_tables_api.c). */
#define ENFORCER_NAME_MAX 252
#define ENFORCER_LIST_MAX 128 /* records of the other kinds in one message */
#define ENFORCER_TIMEOUT_MAX_MS (24 * 3600 * 1000)

enum enforcer_kind {
	ENFORCER_LEASES = 1,
	ENFORCER_REVOKE, /* leases, of which timeout_ms and renew mean nothing */
	ENFORCER_TABLE,
	ENFORCER_INTERFACES,
	ENFORCER_PODS,
	ENFORCER_INTERNAL,
	ENFORCER_LISTEN,
	ENFORCER_FIXED,
	ENFORCER_OPEN, /* addresses of pods of which nothing is refused */
	ENFORCER_CUT,  /* flows: looked for once the transaction has been made */
	ENFORCER_END,
	ENFORCER_DUMP,
	ENFORCER_RESULT,
	ENFORCER_LOST,
	ENFORCER_REFUSED,
	ENFORCER_FLOWS,
	ENFORCER_WAYS, /* of services that FIXED names */
	ENFORCER_LIVE,
	ENFORCER_LEAD,
};

struct enforcer_message {
	uint32_t id;
	uint16_t kind;
	uint16_t count;      /* of the records in the body */
	int64_t deadline_ms; /* CLOCK_MONOTONIC; LEASES: not tried after it; 0: none */
	int32_t result;      /* RESULT, REFUSED, FLOWS, LIVE */
	uint32_t packets,
	    lost; /* REFUSED: since the last one; of these not told; FLOWS, LIVE */
	/* LEASES: presentation form, the elements' comment. */
	char name[ENFORCER_NAME_MAX];
	union {
		struct enforcer_lease leases[ENFORCER_LEASES_MAX];
		struct enforcer_table table;
		struct {
			char pattern[IFNAMSIZ]; /* a name, or a prefix and "*" */
		} interfaces[ENFORCER_LIST_MAX];
		struct prefix ranges[ENFORCER_LIST_MAX]; /* PODS, INTERNAL */
		struct endpoint listen[ENFORCER_LIST_MAX];
		struct enforcer_fixed fixed[ENFORCER_LIST_MAX];
		struct enforcer_way ways[ENFORCER_LIST_MAX]; /* WAYS, LEAD */
		struct addr open[ENFORCER_LIST_MAX];
		struct enforcer_cut cuts[ENFORCER_LIST_MAX];
		struct enforcer_refused refused[ENFORCER_LIST_MAX];
		struct enforcer_live live[ENFORCER_LIST_MAX];
	} body;
};

/* The bytes of m on the wire, by kind and count; 0 when kind or count is out of range. */
size_t enforcer_size(const struct enforcer_message *m);

/*
 * Fork the enforcer. The child closes every descriptor but fd 2 and its end of the pair,
 * keeps CAP_NET_ADMIN alone, and ends when the pair is closed. ret_fd is the loop's end:
 * non-blocking, close-on-exec, the caller's. Call it before the first thread and before
 * the loop drops its capabilities. 0 or negative errno.
 */
MUST_CHECK int enforcer_start(int *ret_fd, int *ret_pid);

#endif
