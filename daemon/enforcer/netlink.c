/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/netlink.h"

#include <netinet/in.h> /* before linux/netfilter.h, which makes way for it */

#include <assert.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>

/* A dump comes in parts of at most 32 KiB (NLMSG_GOODSIZE and max_recvmsg_len in the
 * kernel's af_netlink.c); a single message of it is smaller. */
#define REPLY_SIZE ((size_t)64 * 1024)
/* A buffer above this goes back after its commit. */
#define KEEP_SIZE ((size_t)1024 * 1024)
#define RECEIVE_BUFFER (4 * 1024 * 1024)
/* Interrupted calls are repeated this often; more means that something is wrong. */
#define INTERRUPTS_MAX 100

/* Bind to an address that the kernel chooses, and learn it. */
static int
bind_any(int fd, uint32_t *ret_port)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	socklen_t len = sizeof(address);

	if (bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return -errno;
	*ret_port = address.nl_pid;
	return 0;
}

/* Raise a buffer beyond the system's limit where we may, up to it otherwise. */
static void
set_buffer(int fd, int force_option, int option, int size)
{
	if (setsockopt(fd, SOL_SOCKET, force_option, &size, sizeof(size)) != 0)
		(void)setsockopt(
		    fd, SOL_SOCKET, option, &size, sizeof(size)); /* best effort */
}

/* Learn how much the socket takes at once. The kernel keeps 32 bytes for itself
 * (netlink_sendmsg). */
static void
learn_send_max(struct netlink *nl)
{
	int size = 0;
	socklen_t len = sizeof(size);

	if (getsockopt(nl->fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == 0 && size > 32)
		nl->send_max = (size_t)size - 32;
}

int
netlink_open(struct netlink *nl)
{
	const int on = 1;
	int r;

	*nl = (struct netlink){.fd = -1};
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (nl->fd < 0)
		return -errno;
	r = bind_any(nl->fd, &nl->port);
	/* An error quotes the header of the message it is about, not the whole of it. */
	if (r == 0 &&
	    setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) != 0)
		r = -errno;
	if (r == 0 && (nl->reply = malloc(REPLY_SIZE)) == NULL)
		r = -ENOMEM;
	if (r < 0) {
		netlink_close(nl);
		return r;
	}
	set_buffer(nl->fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
	learn_send_max(nl);
	return 0;
}

void
netlink_close(struct netlink *nl)
{
	if (nl->fd >= 0)
		(void)close(nl->fd); /* nothing was written that could fail late */
	free(nl->reply);
	free(nl->bytes);
	*nl = (struct netlink){.fd = -1};
}

void
netlink_fail(struct netlink *nl, int error)
{
	assert(error < 0);
	if (nl->error == 0)
		nl->error = error;
}

/* Room for one more message of any size. */
static bool
reserve(struct netlink *nl)
{
	const size_t need = nl->len + MNL_NLMSG_HDRLEN + NETLINK_ROOM;
	size_t size = nl->size != 0 ? nl->size : NETLINK_ROOM;
	char *bytes;

	if (nl->error == 0 && need > NETLINK_BATCH_MAX)
		nl->error = -ENOBUFS;
	if (nl->error != 0)
		return false;
	while (size < need)
		size *= 2;
	if (size == nl->size)
		return true;
	bytes = realloc(nl->bytes, size);
	if (bytes == NULL) {
		nl->error = -ENOMEM;
		return false;
	}
	/* libmnl leaves the padding of attributes as it finds it */
	memset(bytes + nl->size, 0, size - nl->size);
	nl->bytes = bytes;
	nl->size = size;
	return true;
}

/* What lies behind len is always zero. */
static void
clear(struct netlink *nl)
{
	if (nl->len != 0)
		memset(nl->bytes, 0, nl->len);
	nl->len = 0;
	nl->error = 0;
	if (nl->size > KEEP_SIZE) {
		free(nl->bytes);
		nl->bytes = NULL;
		nl->size = 0;
	}
}

void
netlink_begin(struct netlink *nl)
{
	clear(nl);
	if (!reserve(nl))
		return;
	nl->first = ++nl->seq;
	netlink_added(nl, nftnl_batch_begin(nl->bytes, nl->first));
}

struct nlmsghdr *
netlink_add(struct netlink *nl, uint16_t type, uint16_t flags)
{
	if (!reserve(nl))
		return NULL;
	return nftnl_nlmsg_build_hdr(
	    nl->bytes + nl->len, type, NFPROTO_INET, flags, ++nl->seq);
}

void
netlink_added(struct netlink *nl, const struct nlmsghdr *nlh)
{
	const size_t len = MNL_ALIGN(nlh->nlmsg_len);

	assert((const char *)nlh == nl->bytes + nl->len);
	assert(len <= nl->size - nl->len);
	nl->last = nl->len;
	nl->len += len;
}

/* Send everything there is, in one call. */
static int
send_all(struct netlink *nl)
{
	ssize_t sent = -1;

	if (nl->len > nl->send_max) {
		set_buffer(nl->fd, SO_SNDBUFFORCE, SO_SNDBUF, (int)nl->len);
		learn_send_max(nl);
	}
	for (int i = 0; sent < 0 && i < INTERRUPTS_MAX; i++) {
		sent = send(nl->fd, nl->bytes, nl->len, 0);
		if (sent < 0 && errno != EINTR)
			break;
	}
	if (sent < 0)
		return errno == ENOBUFS ? -EIO : -errno;
	return (size_t)sent == nl->len ? 0 : -EIO;
}

/* What is in the receive queue now: bytes, or negative. A cut message is no message. */
static ssize_t
receive(struct netlink *nl)
{
	ssize_t len = -1;

	for (int i = 0; len < 0 && i < INTERRUPTS_MAX; i++) {
		len = recv(nl->fd, nl->reply, REPLY_SIZE, MSG_DONTWAIT | MSG_TRUNC);
		if (len < 0 && errno != EINTR)
			break;
	}
	if (len < 0)
		return -errno;
	return (size_t)len <= REPLY_SIZE ? len : -EIO;
}

/* What came of a batch so far. */
struct outcome {
	bool acknowledged; /* the last message, which alone asks for it */
	bool lost;         /* a part of the kernel's words */
	struct netlink_failure failure;
};

/* Messages of older batches, whose reading failed, may still be in the queue. */
static bool
in_batch(const struct netlink *nl, uint32_t seq, uint32_t last)
{
	return seq - nl->first <= last - nl->first;
}

static void
note_reply(struct netlink *nl, ssize_t len, uint32_t last, struct outcome *o)
{
	int left = (int)len;
	const struct nlmsgerr *e;

	for (const struct nlmsghdr *nlh = (const void *)nl->reply;
	     mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_pid != nl->port ||
		    mnl_nlmsg_get_payload_len(nlh) < sizeof(*e) ||
		    !in_batch(nl, nlh->nlmsg_seq, last))
			continue;
		e = mnl_nlmsg_get_payload(nlh);
		if (e->error == 0 && nlh->nlmsg_seq == last)
			o->acknowledged = true;
		if (e->error < 0 && o->failure.error == 0)
			o->failure = (struct netlink_failure){
			    .error = e->error,
			    .type = e->msg.nlmsg_type == NFNL_MSG_BATCH_BEGIN
					? NFNL_MSG_BATCH_BEGIN
					: NFNL_MSG_TYPE(e->msg.nlmsg_type),
			};
	}
}

/*
 * The kernel has queued all it has to say before send() came back, in the order of the
 * messages and with a failure of the commit itself in front; so the word on the last
 * message, or an empty queue, is the end. ENOBUFS tells that words were lost, and comes
 * before those that were kept.
 */
static int
read_outcome(struct netlink *nl, uint32_t last, struct netlink_failure *failure)
{
	struct outcome o = {0};
	ssize_t len;

	while (!o.acknowledged) {
		len = receive(nl);
		if (len > 0)
			note_reply(nl, len, last, &o);
		else if (len == -ENOBUFS && !o.lost)
			o.lost = true;
		else
			break;
	}
	if (failure != NULL)
		*failure = o.failure;
	if (o.failure.error != 0)
		return o.failure.error;
	return o.acknowledged && !o.lost ? 0 : -EIO;
}

int
netlink_commit(struct netlink *nl, struct netlink_failure *failure)
{
	const uint32_t last = nl->seq;
	int r;

	if (failure != NULL)
		*failure = (struct netlink_failure){0};
	if (nl->error == 0 && last != nl->first && reserve(nl)) {
		((struct nlmsghdr *)(void *)(nl->bytes + nl->last))->nlmsg_flags |=
		    NLM_F_ACK;
		netlink_added(nl, nftnl_batch_end(nl->bytes + nl->len, ++nl->seq));
	}
	r = nl->error;
	if (r == 0 && last != nl->first) {
		r = send_all(nl);
		if (r == 0)
			r = read_outcome(nl, last, failure);
	}
	clear(nl);
	return r;
}

struct nlmsghdr *
netlink_question(struct netlink *nl, uint16_t type, uint16_t flags)
{
	clear(nl);
	/* A dump ends by NLMSG_DONE, everything else by the acknowledgement. */
	return netlink_add(nl, type, flags != 0 ? flags : NLM_F_ACK);
}

/* Positive: the answer's end. */
static int
take_answer(
    struct netlink *nl, ssize_t len, bool *mixed, netlink_answer_fn answer, void *ctx)
{
	const struct nlmsgerr *e;
	int left = (int)len;
	int r = 0;

	for (const struct nlmsghdr *nlh = (const void *)nl->reply;
	     r == 0 && mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != nl->seq || nlh->nlmsg_pid != nl->port)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*mixed = true;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 1;
		if (nlh->nlmsg_type != NLMSG_ERROR) {
			r = answer(ctx, nlh);
			continue;
		}
		e = mnl_nlmsg_get_payload(nlh);
		if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
			return -EIO;
		return e->error != 0 ? e->error : 1;
	}
	return r;
}

/* One that broke off goes on in the kernel, and lets no other one begin, until all of it
 * has been taken. */
static void
drain(struct netlink *nl)
{
	ssize_t len = 1;

	for (int lost = 0; len > 0 || (len == -ENOBUFS && lost < INTERRUPTS_MAX);
	     lost += len < 0)
		len = receive(nl);
}

int
netlink_ask(
    struct netlink *nl, const struct nlmsghdr *nlh, netlink_answer_fn answer, void *ctx)
{
	bool mixed = false;
	ssize_t len;
	int r;

	if (nlh == NULL)
		return nl->error;
	netlink_added(nl, nlh);
	r = send_all(nl);
	while (r == 0) {
		/* A dump's next part is made when the one before it is taken. */
		len = receive(nl);
		if (len > 0)
			r = take_answer(nl, len, &mixed, answer, ctx);
		else
			r = -EIO;
	}
	clear(nl);
	if (r < 0) {
		drain(nl);
		return r;
	}
	return mixed ? -EINTR : 0;
}
