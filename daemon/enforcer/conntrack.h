/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's table of flows (conntrack, over ctnetlink): all of a family in pieces, and
 * one flow less.
 *
 * Needs CAP_NET_ADMIN. A struct conntrack belongs to its caller, from conntrack_open to
 * conntrack_close. Nothing is waited for: the kernel has a piece of the answer ready when
 * the piece before it is taken, and deletes a flow inside of the call.
 */
#ifndef DAEMON_ENFORCER_CONNTRACK_H
#define DAEMON_ENFORCER_CONNTRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"

struct nlattr;

struct conntrack {
	int fd;         /* for the dump; -1: closed */
	int other;      /* for all else */
	uint32_t seq;   /* of the newest question */
	uint8_t family; /* 0: both */
	char *bytes;    /* the last piece */
};

/* As who began it named its ends, before any address translation. */
struct conntrack_flow {
	struct addr source;
	struct addr destination; /* of the source's family */
	uint16_t port;           /* of the destination; 0: it has none */
	uint8_t proto;
	uint8_t tcp_state; /* enum tcp_conntrack; 0: none, or not told */
	uint32_t status;   /* enum ip_conntrack_status; 0 when not told */
	/* What the kernel knows it by; valid as long as the piece that it came in. */
	const struct nlattr *tuple, *reply, *zone, *id; /* the last three may be NULL */
};

typedef void (*conntrack_flow_fn)(void *ctx, const struct conntrack_flow *flow);

MUST_CHECK int conntrack_open(struct conntrack *c);
void conntrack_close(struct conntrack *c);

/* Ask for all flows of a family; 0: of both. */
MUST_CHECK int conntrack_ask(struct conntrack *c, uint8_t family);
/* The next piece, 32 KiB at most. 0: there are more; 1: that was the last; -EAGAIN: not
 * there yet; or another negative errno, also for a kernel without ctnetlink. */
MUST_CHECK int conntrack_read(struct conntrack *c, conntrack_flow_fn flow, void *ctx);
/* The flows in one piece, in memory that is aligned as netlink has it; results as
 * conntrack_read's. family 0: of both. */
MUST_CHECK int conntrack_parse(
    const void *bytes, size_t len, uint8_t family, conntrack_flow_fn flow, void *ctx);
/* Who answers, whatever was translated; family 0: not told. */
struct endpoint conntrack_answers(const struct conntrack_flow *flow);
/* Is it in use, and not by one end alone? Datagrams: as long as the kernel knows it after
 * the last of them; TCP: as long as one end may still send. */
bool conntrack_is_live(const struct conntrack_flow *flow);
/* End a flow that was read from the present piece. -ENOENT: it has ended by itself;
 * -EBUSY: it has been handed on to hardware. */
MUST_CHECK int conntrack_delete(struct conntrack *c, const struct conntrack_flow *flow);

#endif
