/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/inbox.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

/* Also not when it is end of file, which a packet socket tells by a length of 0. */
static bool
is_whole(const struct enforcer_message *m, size_t len)
{
	return len >= offsetof(struct enforcer_message, body) && len == enforcer_size(m);
}

int
inbox_read(struct inbox *in, int fd, inbox_take_fn take, void *ctx)
{
	struct mmsghdr msgs[INBOX_BATCH];
	struct iovec iovs[INBOX_BATCH];
	int n;

	for (size_t i = 0; i < INBOX_BATCH; i++) {
		iovs[i] = (struct iovec){
		    .iov_base = &in->list[i], .iov_len = sizeof(in->list[i])};
		msgs[i] =
		    (struct mmsghdr){.msg_hdr = {.msg_iov = &iovs[i], .msg_iovlen = 1}};
	}
	n = recvmmsg(fd, msgs, INBOX_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -EPIPE;
	for (int i = 0; i < n; i++) {
		if (!is_whole(&in->list[i], msgs[i].msg_len))
			return -EPIPE;
		if (!take(ctx, &in->list[i]))
			break;
	}
	return 0;
}
