/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One nfnetlink socket: batches that the kernel takes whole or not at all, with every
 * acknowledgement read, and questions with their answers.
 *
 * A struct netlink belongs to its caller, from netlink_open to netlink_close. Use one for
 * everything: a table made with NFT_TABLE_F_OWNER may be changed through the socket that
 * made it, and through no other.
 *
 * The batch grows as needed, up to NETLINK_BATCH_MAX; what does not fit makes
 * netlink_add return NULL and netlink_commit fail with -ENOBUFS, nothing sent.
 */
#ifndef DAEMON_ENFORCER_NETLINK_H
#define DAEMON_ENFORCER_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define NETLINK_TABLE "egressd" /* of family inet: every message here is about it */
#define NETLINK_BATCH_MAX ((size_t)256 * 1024 * 1024)
/* Room behind the header of a message that is being made: a nested attribute ends at
 * 65535 bytes (its length is 16 bits wide), and the others beside it are small. */
#define NETLINK_ROOM ((size_t)72 * 1024)

struct netlink {
	int fd;
	uint32_t port;  /* our address; the owner of a table is named by it */
	uint32_t seq;   /* of the newest message */
	uint32_t first; /* of the batch */
	char *bytes;    /* the batch */
	size_t len, size;
	size_t last;     /* offset of its newest message */
	size_t send_max; /* what the socket takes at once */
	int error;       /* of making the batch */
	char *reply;
};

/* The first message of a batch that the kernel refused. */
struct netlink_failure {
	int error;     /* negative; 0: none */
	uint16_t type; /* NFT_MSG_..., or NFNL_MSG_BATCH_BEGIN for the commit itself */
};

MUST_CHECK int netlink_open(struct netlink *nl);
void netlink_close(struct netlink *nl);

/* Start a batch; what was in the buffer is forgotten. */
void netlink_begin(struct netlink *nl);
/*
 * The header of the batch's next message, type NFT_MSG_..., in family inet, with
 * NETLINK_ROOM to put attributes behind it (libmnl, libnftnl); netlink_added takes it in.
 * NULL when the batch failed.
 */
struct nlmsghdr *netlink_add(struct netlink *nl, uint16_t type, uint16_t flags);
void netlink_added(struct netlink *nl, const struct nlmsghdr *nlh);
/* The batch cannot be made: netlink_commit will fail with this error. */
void netlink_fail(struct netlink *nl, int error);
/*
 * Send the batch and read all that the kernel says to it. nfnetlink works inside of
 * sendmsg(2): on return the batch is in force, or nothing of it. 0; the kernel's error,
 * nothing changed; -EIO when the acknowledgement is lost, so nobody knows. failure may be
 * NULL.
 */
MUST_CHECK int netlink_commit(struct netlink *nl, struct netlink_failure *failure);

/* One message of an answer; negative ends the reading and is the result. */
typedef int (*netlink_answer_fn)(void *ctx, const struct nlmsghdr *nlh);
/* Like netlink_add, outside of any batch; flags: 0 or NLM_F_DUMP. */
struct nlmsghdr *netlink_question(struct netlink *nl, uint16_t type, uint16_t flags);
/*
 * Ask, and call answer for each message that comes back. -EINTR: the kernel's rules
 * changed during a dump; all was delivered, but perhaps not as of one moment.
 */
MUST_CHECK int netlink_ask(
    struct netlink *nl, const struct nlmsghdr *nlh, netlink_answer_fn answer, void *ctx);

#endif
