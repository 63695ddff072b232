/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What table `inet egressd` lets pass, at any moment so far, told by nf_tables' own
 * notifications (tests/witness/notice.h): the leases of leases4 and leases6, the ranges
 * of fixed4 and fixed6, the pods of open4 and open6. Of the rest of the table nothing
 * is known here.
 *
 * A reach is a pod with an address; it keeps the leases of all ports, and when the pod
 * was first answered that address. Nothing is forgotten: at SETS_REACHES_MAX there is
 * -ENOSPC.
 */
#ifndef TESTS_WITNESS_SETS_H
#define TESTS_WITNESS_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"

#define SETS_REACHES_MAX 4000000
#define SETS_RANGES_MAX 4096
#define SETS_CHANGES_MAX 4000000 /* in one transaction */
#define SETS_KEY_MAX 40
#define SETS_NEVER UINT64_MAX
/* How exactly an end is known: timeouts are counted in jiffies, and a packet may wait
 * between the capture and the rules. */
#define SETS_EDGE_NS 20000000ull

struct period {
	uint64_t from_ns;
	uint64_t end_ns;  /* by its timeout */
	uint64_t gone_ns; /* when it was taken out; SETS_NEVER: it was not */
};

struct lease_seen {
	struct lease_seen *next;
	struct period now, before; /* before.from_ns: SETS_NEVER when there is none */
	/* Until when there is a reason for it: an answer, or a flow in the time before it
	 * was renewed. */
	uint64_t due_ns;
	bool used; /* a flow was opened by it */
	uint16_t port;
	uint8_t proto;
};

struct reach {
	struct table_link link;
	struct addr pod, dst;
	struct lease_seen *leases;
	uint64_t answered_ns; /* first; SETS_NEVER */
};

struct range_seen {
	uint8_t family, set; /* set: of enum set_kind */
	uint8_t low[SETS_KEY_MAX], high[SETS_KEY_MAX];
};

/* One thing that a transaction has changed; low and high are an element's key. */
struct change_seen {
	uint8_t set;   /* of sets_find */
	bool add, all; /* all: the set is gone with what was in it */
	uint8_t low[SETS_KEY_MAX], high[SETS_KEY_MAX];
	uint64_t left_ns; /* of an added one; SETS_NEVER: no timeout */
};

struct sets {
	struct hash_key key;
	struct table reaches;
	struct range_seen *ranges;
	size_t range_count;
	struct change_seen *changes; /* of the transaction that is being told */
	size_t change_count, change_room;
	uint64_t transactions, opened, withdrawn;
	uint64_t renewed; /* while they stood, to a later end */
};

MUST_CHECK int sets_init(struct sets *s);
void sets_done(struct sets *s);
/* The set of that name, and the bytes of its keys; -ENOENT: one that is not looked at. */
MUST_CHECK int sets_find(const char *name, size_t *ret_key_len);
/* Waits for sets_apply: a transaction takes effect as one. -ENOMEM, -ENOSPC. */
MUST_CHECK int sets_change(struct sets *s, const struct change_seen *c);
MUST_CHECK int sets_apply(struct sets *s, uint64_t at_ns);

/* NULL when there is none, or, with make, when out of room. */
struct reach *sets_reach(
    struct sets *s, const struct addr *pod, const struct addr *dst, bool make);
struct lease_seen *reach_lease(const struct reach *r, uint8_t proto, uint16_t port);
/* Was it there at some moment from from_ns to to_ns? */
bool lease_seen_within(const struct lease_seen *l, uint64_t from_ns, uint64_t to_ns);
/* Surely there at that moment. */
bool lease_seen_at(const struct lease_seen *l, uint64_t at_ns);
/* Open as the sets are now, without a lookup. */
bool sets_fixed(const struct sets *s, const struct addr *pod, const struct addr *dst,
    uint8_t proto, uint16_t port);
/* On some protocol and port. */
bool sets_fixed_any(const struct sets *s, const struct addr *pod, const struct addr *dst);
bool sets_open(const struct sets *s, const struct addr *pod);

#endif
