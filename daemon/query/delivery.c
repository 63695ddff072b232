/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/delivery.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Of the grace. The kernel counts from its first repetition, which comes two shortest
 * retransmission timeouts (400 ms) after the data at the latest. */
#define KERNEL_PERCENT 50
#define PERIOD_PERCENT 40

static uint32_t
part_ms(uint32_t grace_s, uint32_t percent)
{
	return grace_s * 10 * percent;
}

uint32_t
delivery_period_ms(uint32_t grace_s)
{
	return part_ms(grace_s, PERIOD_PERCENT);
}

int
delivery_limit(int fd, uint32_t grace_s)
{
	const unsigned int limit_ms = part_ms(grace_s, KERNEL_PERCENT);

	return setsockopt(
		   fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms)) < 0
		   ? -errno
		   : 0;
}

/* The bytes in the kernel that question asks for. */
static size_t
queued(int fd, unsigned long question)
{
	int count = 0; /* valgrind does not know that SIOCOUTQNSD sets it */

	/* cannot fail on a connection, not even one that has broken */
	return ioctl(fd, question, &count) < 0 || count < 0 ? 0 : (size_t)count;
}

bool
delivery_is_overdue(struct delivery *d, int fd, size_t held)
{
	const uint64_t left = held + queued(fd, SIOCOUTQ);
	const bool overdue = left > d->written - d->mark;

	d->mark = d->written;
	return overdue;
}

bool
delivery_is_due(int fd, size_t held)
{
	return held + queued(fd, SIOCOUTQ) > 0;
}

bool
delivery_is_held(int fd, size_t held)
{
	return held + queued(fd, SIOCOUTQNSD) > 0;
}

void
delivery_abandon(int fd)
{
	const struct linger now = {.l_onoff = 1};

	/* cannot fail on a socket */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}
