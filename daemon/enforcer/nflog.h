/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group of the kernel's nfnetlink_log: the first bytes of each packet that a rule logs.
 *
 * Needs CAP_NET_ADMIN. A struct nflog belongs to its caller, from nflog_open to
 * nflog_close. The kernel numbers what it sends, so that what finds no room in the
 * buffer, or is filtered out (daemon/enforcer/mute.h), is counted all the same.
 * Nothing is ever waited for.
 */
#ifndef DAEMON_ENFORCER_NFLOG_H
#define DAEMON_ENFORCER_NFLOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define NFLOG_SNAPLEN 128 /* an IPv6 header, some extensions, and ports */
#define NFLOG_ROUND 16    /* packets read at one time */

struct nflog {
	int fd;
	uint32_t next; /* number of the next packet */
};

/* The first bytes of one packet, from its IP header on. */
typedef void (*nflog_packet_fn)(void *ctx, const uint8_t *packet, size_t len);

/* -EBUSY: another program listens to that group; -EPROTONOSUPPORT, -EINVAL: the kernel
 * has no nfnetlink_log; or another negative errno. */
MUST_CHECK int nflog_open(struct nflog *n, uint16_t group);
void nflog_close(struct nflog *n);
/* What is there, at most NFLOG_ROUND packets, without waiting. How many packets were
 * logged before or between these and did not come. */
uint32_t nflog_read(struct nflog *n, nflog_packet_fn packet, void *ctx);

#endif
