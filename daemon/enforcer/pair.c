/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/pair.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_LEN offsetof(struct enforcer_message, body)
/* What may wait in each direction: a table transaction of some thousand messages. */
#define BUFFER_SIZE (8 * 1024 * 1024)
/* What unix_dgram_sendmsg() of the kernel takes off it. */
#define BUFFER_OVERHEAD 32

/* As much as there may be; what does not hold a packet would break the pair later. */
static int
set_buffer(int fd)
{
	const int size = BUFFER_SIZE;
	int granted = 0;
	socklen_t len = sizeof(granted);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof(size)); /* cut to net.core.wmem_max */
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &granted, &len) != 0)
		return -errno;
	return granted < PAIR_PACKET_MAX + BUFFER_OVERHEAD ? -ENOBUFS : 0;
}

int
pair_new(int ret_fds[2])
{
	int r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) != 0)
		return -errno;
	for (size_t i = 0; i < 2 && r == 0; i++)
		r = set_buffer(ret_fds[i]);
	if (r < 0)
		for (size_t i = 0; i < 2; i++)
			(void)close(ret_fds[i]); /* nothing was written to it */
	return r;
}

/* How many of the messages go into one packet. */
static size_t
fitting(const struct iovec *messages, size_t count)
{
	size_t n = 0, len = 0;

	while (n < count && n < PAIR_MESSAGES_MAX &&
	       len + messages[n].iov_len <= PAIR_PACKET_MAX)
		len += messages[n++].iov_len;
	return n;
}

int
pair_send(int fd, const struct iovec *messages, size_t count, int flags)
{
	struct iovec iovs[PAIR_SEND_MAX];
	struct mmsghdr packets[PAIR_SEND_MAX] = {0};
	unsigned n = 0;
	int sent, gone = 0;

	assert(count >= 1 && count <= PAIR_SEND_MAX);
	memcpy(iovs, messages, count * sizeof(*messages));
	for (size_t at = 0; at < count; n++) {
		packets[n].msg_hdr.msg_iov = &iovs[at];
		packets[n].msg_hdr.msg_iovlen = fitting(&iovs[at], count - at);
		assert(packets[n].msg_hdr.msg_iovlen >= 1);
		at += packets[n].msg_hdr.msg_iovlen;
	}
	do {
		sent = sendmmsg(fd, packets, n, flags | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	for (int i = 0; i < sent; i++)
		gone += (int)packets[i].msg_hdr.msg_iovlen;
	return sent < 0 ? -errno : gone;
}

static int
receive(struct pair_inbox *in, int fd, int flags)
{
	ssize_t len = recv(fd, in->packet, sizeof(in->packet), flags);

	/* an end that left something unread is told once, before what it sent is read */
	if (len < 0 && errno == ECONNRESET)
		len = recv(fd, in->packet, sizeof(in->packet), flags);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (len <= 0) /* a packet socket tells its end by a packet of no bytes */
		return -EPIPE;
	in->pos = 0;
	in->len = (size_t)len;
	return 1;
}

int
pair_take(struct pair_inbox *in, int fd, int flags, struct enforcer_message *ret_message)
{
	int r = pair_left(in) ? 1 : receive(in, fd, flags);
	const uint8_t *at = in->packet + in->pos;
	size_t left = in->len - in->pos, size = 0;

	if (r <= 0)
		return r;
	if (left >= HEAD_LEN && in->len <= PAIR_PACKET_MAX) {
		memcpy(ret_message, at, HEAD_LEN);
		size = enforcer_size(ret_message);
	}
	if (size == 0 || size > left) {
		in->pos = in->len = 0;
		return -EPROTO;
	}
	memcpy(&ret_message->body, at + HEAD_LEN, size - HEAD_LEN);
	in->pos += size;
	return 1;
}
