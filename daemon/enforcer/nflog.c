/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/nflog.h"

#include <netinet/in.h> /* before linux/netfilter.h, which makes way for it */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

/* Some hundred packets: more than is told in a second. */
#define RECEIVE_BUFFER (256 * 1024)
/* One packet with all its attributes takes less than 400 bytes. */
#define MESSAGE_SIZE 1024
#define MESSAGE_TYPE(kind) (NFNL_SUBSYS_ULOG << 8 | (kind))

static int
set_options(int fd)
{
	const int on = 1, size = RECEIVE_BUFFER;
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -errno;
	/* Without it a full buffer takes nothing more until it has been emptied. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)) != 0)
		return -errno;
	/* best effort: the system's own is of that order too */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return 0;
}

/* Bind the group, and have every packet at once, cut and numbered. One message, which the
 * kernel works through in this order: nfulnl_recv_config. */
static int
send_config(int fd, uint16_t group)
{
	_Alignas(struct nlmsghdr) char bytes[MESSAGE_SIZE] = {0};
	const struct nfulnl_msg_config_cmd bind_group = {.command = NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {
	    .copy_range = htonl(NFLOG_SNAPLEN), .copy_mode = NFULNL_COPY_PACKET};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));

	nlh->nlmsg_type = MESSAGE_TYPE(NFULNL_MSG_CONFIG);
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	header->nfgen_family = AF_UNSPEC;
	header->version = NFNETLINK_V0;
	header->res_id = htons(group);
	mnl_attr_put(nlh, NFULA_CFG_CMD, sizeof(bind_group), &bind_group);
	mnl_attr_put(nlh, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(nlh, NFULA_CFG_NLBUFSIZ, htonl(MESSAGE_SIZE));
	mnl_attr_put_u32(nlh, NFULA_CFG_QTHRESH, htonl(1));
	mnl_attr_put_u16(nlh, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	return send(fd, bytes, nlh->nlmsg_len, 0) < 0 ? -errno : 0;
}

/* The kernel has answered before send() came back; packets may stand in front of it. */
static int
read_answer(int fd)
{
	_Alignas(struct nlmsghdr) char bytes[MESSAGE_SIZE];
	const struct nlmsghdr *nlh = (const void *)bytes;
	const struct nlmsgerr *e;
	ssize_t len;

	while ((len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		if (!mnl_nlmsg_ok(nlh, (int)len) || nlh->nlmsg_type != NLMSG_ERROR ||
		    mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
			continue;
		e = mnl_nlmsg_get_payload(nlh);
		/* it says EPERM also of a group that somebody else has */
		return e->error == -EPERM ? -EBUSY : e->error;
	}
	return len < 0 && errno != EAGAIN ? -errno : -EIO;
}

int
nflog_open(struct nflog *n, uint16_t group)
{
	int fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	int r;

	if (fd < 0)
		return -errno;
	r = set_options(fd);
	if (r == 0)
		r = send_config(fd, group);
	if (r == 0)
		r = read_answer(fd);
	if (r < 0) {
		(void)close(fd); /* the error that counts is r */
		return r;
	}
	*n = (struct nflog){.fd = fd};
	return 0;
}

void
nflog_close(struct nflog *n)
{
	(void)close(n->fd); /* which unbinds the group too */
	n->fd = -1;
}

struct packet {
	const struct nlattr *payload;
	const struct nlattr *number;
};

static int
look_at(const struct nlattr *attribute, void *ctx)
{
	struct packet *p = ctx;

	if (mnl_attr_get_type(attribute) == NFULA_PAYLOAD)
		p->payload = attribute;
	else if (mnl_attr_get_type(attribute) == NFULA_SEQ &&
		 mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
		p->number = attribute;
	return MNL_CB_OK;
}

/* How many are missing before this one. */
static uint32_t
take_packet(
    struct nflog *n, const struct nlmsghdr *nlh, nflog_packet_fn packet, void *ctx)
{
	struct packet p = {0};
	uint32_t missing = 0;

	if (nlh->nlmsg_type != MESSAGE_TYPE(NFULNL_MSG_PACKET) ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nfgenmsg))
		return 0;
	(void)mnl_attr_parse(nlh, sizeof(struct nfgenmsg), look_at, &p); /* p tells */
	if (p.number != NULL) {
		missing = ntohl(mnl_attr_get_u32(p.number)) - n->next;
		n->next += missing + 1;
	}
	if (p.payload != NULL)
		packet(ctx, mnl_attr_get_payload(p.payload),
		    mnl_attr_get_payload_len(p.payload));
	return missing;
}

uint32_t
nflog_read(struct nflog *n, nflog_packet_fn packet, void *ctx)
{
	_Alignas(struct nlmsghdr) char bytes[NFLOG_ROUND][MESSAGE_SIZE];
	struct mmsghdr msgs[NFLOG_ROUND];
	struct iovec iovs[NFLOG_ROUND];
	uint32_t missing = 0;
	int count;

	for (size_t i = 0; i < NFLOG_ROUND; i++) {
		iovs[i] = (struct iovec){.iov_base = bytes[i], .iov_len = MESSAGE_SIZE};
		msgs[i] =
		    (struct mmsghdr){.msg_hdr = {.msg_iov = &iovs[i], .msg_iovlen = 1}};
	}
	/* a failure is not to be read from now, and no more */
	count = recvmmsg(n->fd, msgs, NFLOG_ROUND, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		const struct nlmsghdr *nlh = (const void *)bytes[i];

		/* one that was cut is not ok, and missing before the next */
		if (mnl_nlmsg_ok(nlh, (int)msgs[i].msg_len))
			missing += take_packet(n, nlh, packet, ctx);
	}
	return missing;
}
