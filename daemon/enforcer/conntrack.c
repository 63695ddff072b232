/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

/* A dump comes in parts of at most 32 KiB (NLMSG_GOODSIZE and max_recvmsg_len in the
 * kernel's af_netlink.c). */
#define READ_SIZE ((size_t)64 * 1024)
#define REQUEST_SIZE 512 /* a tuple with zones takes about 100 bytes */
/* Words to older questions in front of the one that is waited for. */
#define REPLIES_MAX 16

static int
open_socket(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	int r;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	r = -errno;
	(void)close(fd); /* the error that counts is r */
	return r;
}

int
conntrack_open(struct conntrack *c)
{
	int r = 0;

	*c = (struct conntrack){.fd = -1, .other = -1};
	c->fd = open_socket();
	c->other = open_socket();
	c->bytes = malloc(READ_SIZE);
	if (c->fd < 0)
		r = c->fd;
	else if (c->other < 0)
		r = c->other;
	else if (c->bytes == NULL)
		r = -ENOMEM;
	if (r < 0)
		conntrack_close(c);
	return r;
}

void
conntrack_close(struct conntrack *c)
{
	if (c->fd >= 0)
		(void)close(c->fd); /* nothing was written that could fail late */
	if (c->other >= 0)
		(void)close(c->other); /* the same */
	free(c->bytes);
	*c = (struct conntrack){.fd = -1, .other = -1};
}

static struct nlmsghdr *
begin(struct conntrack *c, char *bytes, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++c->seq;
	header->nfgen_family = c->family;
	header->version = NFNETLINK_V0;
	return nlh;
}

static int
send_message(int fd, const struct nlmsghdr *nlh)
{
	ssize_t sent;

	do
		sent = send(fd, nlh, nlh->nlmsg_len, 0);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static ssize_t
receive(int fd, char *bytes, size_t size)
{
	ssize_t len;

	do
		len = recv(fd, bytes, size, MSG_TRUNC);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	return (size_t)len <= size ? len : -EIO;
}

int
conntrack_ask(struct conntrack *c, uint8_t family)
{
	_Alignas(struct nlmsghdr) char bytes[REQUEST_SIZE];

	c->family = family;
	return send_message(c->fd, begin(c, bytes, IPCTNL_MSG_CT_GET, NLM_F_DUMP));
}

struct attributes {
	const struct nlattr *of[CTA_MAX + 1];
};

/* All nested attributes that are read here have numbers up to CTA_MAX. */
static int
note_attribute(const struct nlattr *attribute, void *ctx)
{
	struct attributes *a = ctx;

	if (mnl_attr_get_type(attribute) <= CTA_MAX)
		a->of[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

static struct attributes
inside(const struct nlattr *nest)
{
	struct attributes a = {{NULL}};

	if (nest != NULL)
		/* never fails: note_attribute does not */
		(void)mnl_attr_parse_nested(nest, note_attribute, &a);
	return a;
}

static bool
read_addr(const struct nlattr *attribute, uint8_t family, struct addr *ret_addr)
{
	const size_t size = family == AF_INET ? 4 : 16;

	if (attribute == NULL || mnl_attr_get_payload_len(attribute) != size)
		return false;
	*ret_addr = addr_make(family, mnl_attr_get_payload(attribute));
	return true;
}

static uint32_t
read_status(const struct nlattr *attribute)
{
	if (attribute == NULL || mnl_attr_get_payload_len(attribute) != sizeof(uint32_t))
		return 0;
	return ntohl(mnl_attr_get_u32(attribute));
}

static uint8_t
read_tcp_state(const struct nlattr *info)
{
	const struct attributes tcp = inside(inside(info).of[CTA_PROTOINFO_TCP]);
	const struct nlattr *state = tcp.of[CTA_PROTOINFO_TCP_STATE];

	if (state == NULL || mnl_attr_get_payload_len(state) != 1)
		return 0;
	return mnl_attr_get_u8(state);
}

/* False: nothing that could be a pod's. */
static bool
read_flow(const struct nlmsghdr *nlh, uint8_t family, struct conntrack_flow *ret_flow)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(nlh);
	struct conntrack_flow flow = {0};
	struct attributes all = {{NULL}}, tuple, ends, proto;
	const struct nlattr *port;
	bool four;

	if (header->nfgen_family != AF_INET && header->nfgen_family != AF_INET6)
		return false;
	if (family != 0 && header->nfgen_family != family)
		return false;
	family = header->nfgen_family;
	four = family == AF_INET;
	/* never fails: note_attribute does not */
	(void)mnl_attr_parse(nlh, sizeof(struct nfgenmsg), note_attribute, &all);
	flow.tuple = all.of[CTA_TUPLE_ORIG];
	flow.reply = all.of[CTA_TUPLE_REPLY];
	flow.zone = all.of[CTA_ZONE];
	flow.id = all.of[CTA_ID];
	tuple = inside(flow.tuple);
	ends = inside(tuple.of[CTA_TUPLE_IP]);
	proto = inside(tuple.of[CTA_TUPLE_PROTO]);
	if (!read_addr(
		ends.of[four ? CTA_IP_V4_SRC : CTA_IP_V6_SRC], family, &flow.source) ||
	    !read_addr(ends.of[four ? CTA_IP_V4_DST : CTA_IP_V6_DST], family,
		&flow.destination) ||
	    proto.of[CTA_PROTO_NUM] == NULL ||
	    mnl_attr_get_payload_len(proto.of[CTA_PROTO_NUM]) != 1)
		return false;
	flow.proto = mnl_attr_get_u8(proto.of[CTA_PROTO_NUM]);
	port = proto.of[CTA_PROTO_DST_PORT];
	if (port != NULL && mnl_attr_get_payload_len(port) == sizeof(uint16_t))
		flow.port = ntohs(mnl_attr_get_u16(port));
	flow.status = read_status(all.of[CTA_STATUS]);
	if (flow.proto == IPPROTO_TCP)
		flow.tcp_state = read_tcp_state(all.of[CTA_PROTOINFO]);
	*ret_flow = flow;
	return true;
}

struct endpoint
conntrack_answers(const struct conntrack_flow *flow)
{
	const bool four = flow->source.family == AF_INET;
	const struct attributes tuple = inside(flow->reply);
	const struct attributes ends = inside(tuple.of[CTA_TUPLE_IP]);
	const struct attributes proto = inside(tuple.of[CTA_TUPLE_PROTO]);
	const struct nlattr *port = proto.of[CTA_PROTO_SRC_PORT];
	struct endpoint e = {0};

	if (!read_addr(ends.of[four ? CTA_IP_V4_SRC : CTA_IP_V6_SRC], flow->source.family,
		&e.addr))
		return e;
	if (port != NULL && mnl_attr_get_payload_len(port) == sizeof(uint16_t))
		e.port = ntohs(mnl_attr_get_u16(port));
	return e;
}

/* What an NLMSG_ERROR says; 0 is an acknowledgement. */
static int
read_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	return mnl_nlmsg_get_payload_len(nlh) < sizeof(*e) ? -EIO : e->error;
}

int
conntrack_parse(
    const void *bytes, size_t len, uint8_t family, conntrack_flow_fn flow, void *ctx)
{
	struct conntrack_flow one;
	int left = (int)len;

	/* libmnl compares lengths as signed numbers */
	for (const struct nlmsghdr *nlh = bytes;
	     mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (uint32_t)left;
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 1;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return read_error(nlh);
		if (nlh->nlmsg_len >= MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg) &&
		    read_flow(nlh, family, &one))
			flow(ctx, &one);
	}
	return 0;
}

int
conntrack_read(struct conntrack *c, conntrack_flow_fn flow, void *ctx)
{
	ssize_t len = receive(c->fd, c->bytes, READ_SIZE);

	if (len < 0)
		return (int)len;
	return conntrack_parse(c->bytes, (size_t)len, c->family, flow, ctx);
}

/* Of TCP what is half closed may still be sent on; of the last acknowledgement and behind
 * it nothing is left but the memory. */
bool
conntrack_is_live(const struct conntrack_flow *flow)
{
	if ((flow->status & IPS_SEEN_REPLY) == 0 || (flow->status & IPS_DYING) != 0)
		return false;
	if (flow->proto != IPPROTO_TCP)
		return true;
	return flow->tcp_state == TCP_CONNTRACK_ESTABLISHED ||
	       flow->tcp_state == TCP_CONNTRACK_FIN_WAIT ||
	       flow->tcp_state == TCP_CONNTRACK_CLOSE_WAIT;
}

static void
copy_attribute(struct nlmsghdr *nlh, const struct nlattr *a, uint16_t type)
{
	if (a != NULL)
		mnl_attr_put(
		    nlh, type, mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
}

/* The kernel has answered before send() came back. */
static int
read_acknowledgement(struct conntrack *c)
{
	_Alignas(struct nlmsghdr) char bytes[REQUEST_SIZE];
	const struct nlmsghdr *nlh = (const void *)bytes;
	ssize_t len;

	for (int i = 0; i < REPLIES_MAX; i++) {
		len = receive(c->other, bytes, sizeof(bytes));
		if (len < 0)
			return (int)len;
		if (mnl_nlmsg_ok(nlh, (int)len) && nlh->nlmsg_type == NLMSG_ERROR &&
		    nlh->nlmsg_seq == c->seq)
			return read_error(nlh);
	}
	return -EIO;
}

int
conntrack_delete(struct conntrack *c, const struct conntrack_flow *flow)
{
	_Alignas(struct nlmsghdr) char bytes[REQUEST_SIZE];
	struct nlmsghdr *nlh;
	int r;

	/* without a tuple the kernel would delete all flows that there are */
	if (flow->tuple == NULL || mnl_attr_get_payload_len(flow->tuple) == 0 ||
	    mnl_attr_get_payload_len(flow->tuple) > REQUEST_SIZE / 2)
		return -EINVAL;
	nlh = begin(c, bytes, IPCTNL_MSG_CT_DELETE, NLM_F_ACK);
	copy_attribute(nlh, flow->tuple, NLA_F_NESTED | CTA_TUPLE_ORIG);
	copy_attribute(nlh, flow->zone, CTA_ZONE);
	copy_attribute(nlh, flow->id, CTA_ID);
	r = send_message(c->other, nlh);
	return r < 0 ? r : read_acknowledgement(c);
}
