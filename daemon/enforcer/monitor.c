/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/monitor.h"

#include <netinet/in.h> /* before linux/netfilter.h, which makes way for it */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "daemon/enforcer/netlink.h"

#define RECEIVE_BUFFER (8 * 1024 * 1024)
/* The kernel joins the notifications of one transaction up to NLMSG_GOODSIZE, which is
 * less than 8 KiB, unless a single one is larger. */
#define READ_SIZE (64 * 1024)

/*
 * A notification names the socket that asked for the change; all in one packet are of one
 * transaction, so the first header speaks for all. A filter loads words in network order.
 */
static int
filter_own(int fd, uint32_t port)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {.len = ARRAY_LEN(code), .filter = code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0)
		return -errno;
	return 0;
}

static int
subscribe(int fd)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	const int group = NFNLGRP_NFTABLES;

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) !=
		0)
		return -errno;
	return 0;
}

int
monitor_open(uint32_t port, int *ret_fd)
{
	const int size = RECEIVE_BUFFER;
	int fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	int r;

	if (fd < 0)
		return -errno;
	/* best effort: what does not fit is noticed */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	r = filter_own(fd, port);
	if (r == 0)
		r = subscribe(fd);
	if (r < 0) {
		(void)close(fd); /* the error that counts is r */
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* Every kind of notification has the table's name as its first attribute, and number 1
 * (NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_SET_TABLE, NFTA_RULE_TABLE, ...), but for
 * NEWGEN, which only ends a transaction. */
static int
look_at_name(const struct nlattr *attribute, void *ctx)
{
	bool *ours = ctx;

	if (mnl_attr_get_type(attribute) != NFTA_TABLE_NAME ||
	    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) != 0)
		return MNL_CB_OK;
	*ours = strcmp(mnl_attr_get_str(attribute), NETLINK_TABLE) == 0;
	return MNL_CB_STOP;
}

static bool
is_ours(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(nlh);
	bool ours = false;

	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWGEN ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*header) ||
	    header->nfgen_family != NFPROTO_INET)
		return false;
	(void)mnl_attr_parse(nlh, sizeof(*header), look_at_name, &ours); /* ours tells */
	return ours;
}

bool
monitor_read(int fd)
{
	_Alignas(struct nlmsghdr) char bytes[READ_SIZE];
	bool changed = false;
	ssize_t len;
	int left;

	for (;;) {
		len = recv(fd, bytes, sizeof(bytes), MSG_TRUNC);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == ENOBUFS) {
			changed = true;
			continue;
		}
		if (len <= 0)
			return changed;
		if ((size_t)len > sizeof(bytes)) {
			changed = true;
			continue;
		}
		left = (int)len;
		for (const struct nlmsghdr *nlh = (const void *)bytes;
		     mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			changed |= is_ours(nlh);
	}
}
