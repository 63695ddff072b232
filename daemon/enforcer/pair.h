/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pair of sockets between the loop and the enforcer.
 *
 * A packet is one or more messages, one behind the other, each as long as its count says
 * (enforcer_size): what is sent together arrives together, and wakes the other end once.
 */
#ifndef DAEMON_ENFORCER_PAIR_H
#define DAEMON_ENFORCER_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/macros.h"
#include "daemon/enforcer/enforcer.h"

#define PAIR_PACKET_MAX 32768 /* bytes */
#define PAIR_MESSAGES_MAX 32  /* in one packet */
#define PAIR_SEND_MAX 64      /* messages in one call */

_Static_assert(sizeof(struct enforcer_message) <= PAIR_PACKET_MAX, "each fits");

/* SOCK_SEQPACKET, blocking, close-on-exec; a few thousand messages may wait in each
 * direction, or as many as net.core.wmem_max lets. 0; -ENOBUFS when that is not even a
 * packet; or the error of the system call. The descriptors are the caller's. */
MUST_CHECK int pair_new(int ret_fds[2]);

/*
 * Send count messages (1 to PAIR_SEND_MAX), each with its enforcer_size, in as few
 * packets as hold them, by one system call; flags as of sendmsg(2). How many have gone,
 * which may be less than count, or a negative errno.
 */
MUST_CHECK int pair_send(int fd, const struct iovec *messages, size_t count, int flags);

/* A packet that was received, of which some messages may have been taken. */
struct pair_inbox {
	size_t len, pos;
	uint8_t packet[PAIR_PACKET_MAX + 1]; /* a longer one shows */
};

/* Are there messages of the packet that have not been taken? Then fd need not be readable
 * for them. */
static inline bool
pair_left(const struct pair_inbox *in)
{
	return in->pos < in->len;
}

/*
 * The next message, copied: of the packet, or else of the next one that is received, with
 * flags as of recvmsg(2). 1; 0: none waits, or a signal came; -EPIPE: the other end is
 * closed, or the pair is broken; -EPROTO: what came is no message, and the rest of its
 * packet is dropped.
 */
MUST_CHECK int pair_take(
    struct pair_inbox *in, int fd, int flags, struct enforcer_message *ret_message);

#endif
