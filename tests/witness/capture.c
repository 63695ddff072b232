/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/witness/capture.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/witness/packet.h"

#define NS_PER_S 1000000000ull
#define BATCH 64
#define SNAP 2048 /* a DNS reply by UDP and more */
#define MESSAGE_MAX 65536
#define BUFFER (256 * 1024 * 1024)
#define DNS_PORT 53

static int
open_socket(int family, int type, int proto)
{
	const int size = BUFFER;
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == 0)
		return fd;
	(void)close(fd); /* never used */
	return -EPERM;
}

static int
open_messages(struct capture *c)
{
	const struct sockaddr_nl local = {.nl_family = AF_NETLINK};
	const int group = NFNLGRP_NFTABLES;
	int err;

	c->messages = open_socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	if (c->messages < 0)
		return c->messages;
	err = stamp_attach(&c->stamp, c->messages);
	if (err != 0)
		return err;
	if (bind(c->messages, (const void *)&local, sizeof(local)) != 0 ||
	    setsockopt(c->messages, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		sizeof(group)) != 0)
		return -errno;
	return 0;
}

static int
open_packets(struct capture *c)
{
	const struct sockaddr_ll all = {
	    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	const int on = 1;

	c->packets = open_socket(AF_PACKET, SOCK_DGRAM, 0);
	if (c->packets < 0)
		return c->packets;
	if (setsockopt(c->packets, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0 ||
	    bind(c->packets, (const void *)&all, sizeof(all)) != 0)
		return -errno;
	return 0;
}

int
capture_open(struct capture *c, const struct places *places)
{
	int err;

	memset(c, 0, sizeof(*c));
	c->places = places;
	c->packets = c->messages = c->stamp.map_fd = c->stamp.program_fd = -1;
	c->buffers = calloc(BATCH, SNAP);
	if (c->buffers == NULL)
		return -ENOMEM;
	err = open_messages(c);
	if (err == 0)
		err = open_packets(c);
	return err;
}

void
capture_close(struct capture *c)
{
	if (c->messages >= 0)
		(void)close(c->messages); /* only read from */
	if (c->packets >= 0)
		(void)close(c->packets); /* the same */
	stamp_done(&c->stamp);
	free(c->buffers);
	c->buffers = NULL;
}

static int
read_message(struct capture *c, capture_fn take, void *ctx)
{
	struct record r = {.kind = RECORD_NFT};
	ssize_t len;
	int err;

	r.data = malloc(MESSAGE_MAX);
	if (r.data == NULL)
		return -ENOMEM;
	len = recv(c->messages, r.data, MESSAGE_MAX, MSG_TRUNC);
	err = len < 0 ? -errno : len > MESSAGE_MAX ? -ENOBUFS : 0;
	if (err == 0)
		err = stamp_next(&c->stamp, &r.at_ns);
	if (err == 0) {
		void *fitting = realloc(r.data, (size_t)len);

		r.data = fitting == NULL ? r.data : fitting;
		r.len = (uint32_t)len;
		err = take(ctx, &r);
	}
	if (err != 0)
		record_free(&r);
	return err;
}

static uint64_t
stamp_of(const struct msghdr *msg)
{
	struct timespec at = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&at, CMSG_DATA(c), sizeof(at));
	}
	return (uint64_t)at.tv_sec * NS_PER_S + (uint64_t)at.tv_nsec;
}

/* A flow begins with it, as far as one can tell from it alone. */
static bool
may_open(const struct packet *p)
{
	return p->proto != IPPROTO_TCP ||
	       (p->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;
}

/* What the packet means to us; 0: nothing. */
static uint8_t
kind_of(const struct packet *p, int place, bool outgoing)
{
	if (place == 0)
		return outgoing ? RECORD_LEAVES : 0;
	if (outgoing)
		return p->sport == DNS_PORT && p->payload_len > 0 ? RECORD_ANSWER : 0;
	return may_open(p) && p->dport != DNS_PORT ? RECORD_FROM_POD : 0;
}

static int
take_packet(struct capture *c, const struct msghdr *msg, const uint8_t *data, size_t len,
    capture_fn take, void *ctx)
{
	const struct sockaddr_ll *from = msg->msg_name;
	int place = places_by_index(c->places, (unsigned)from->sll_ifindex), err;
	bool outgoing = from->sll_pkttype == PACKET_OUTGOING;
	struct record r = {0};
	struct packet p = {0};

	if (place < 0)
		return 0;
	/* what cannot be read must not leave: it goes on as a packet of nobody's */
	if (packet_parse(data, len, &p) != 0 && (place > 0 || !outgoing))
		return 0;
	r.kind = kind_of(&p, place, outgoing);
	if (r.kind == 0 || (place == 0 && ntohs(from->sll_protocol) == ETH_P_ARP))
		return 0;
	r.at_ns = stamp_of(msg);
	r.place = (uint8_t)place;
	r.src = p.src;
	r.dst = p.dst;
	r.sport = p.sport;
	r.dport = p.dport;
	r.proto = p.proto;
	r.flags = p.flags;
	if (r.kind == RECORD_ANSWER) {
		r.data = malloc(p.payload_len);
		if (r.data == NULL)
			return -ENOMEM;
		memcpy(r.data, p.payload, p.payload_len);
		r.len = (uint32_t)p.payload_len;
	}
	err = take(ctx, &r);
	if (err != 0)
		record_free(&r);
	return err;
}

/* How many; a negative errno, -EAGAIN when there are none. */
static int
read_packets(struct capture *c, capture_fn take, void *ctx)
{
	struct mmsghdr list[BATCH] = {0};
	struct sockaddr_ll from[BATCH];
	struct iovec parts[BATCH];
	_Alignas(struct cmsghdr) uint8_t control[BATCH][64];
	int count;

	for (size_t i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){c->buffers + i * SNAP, SNAP};
		list[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
		    .msg_namelen = sizeof(from[i]),
		    .msg_iov = &parts[i],
		    .msg_iovlen = 1,
		    .msg_control = control[i],
		    .msg_controllen = sizeof(control[i])};
	}
	count = recvmmsg(c->packets, list, BATCH, 0, NULL);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		int err = take_packet(
		    c, &list[i].msg_hdr, parts[i].iov_base, list[i].msg_len, take, ctx);

		if (err != 0)
			return err;
	}
	return count;
}

static int
lost_none(const struct capture *c)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	if (getsockopt(c->packets, SOL_PACKET, PACKET_STATISTICS, &stats, &len) != 0)
		return -errno;
	return stats.tp_drops == 0 ? 0 : -ENOBUFS;
}

int
capture_read(struct capture *c, capture_fn take, void *ctx)
{
	int err;

	do {
		err = read_message(c, take, ctx);
	} while (err == 0);
	if (err != -EAGAIN)
		return err;
	do {
		err = read_packets(c, take, ctx);
	} while (err > 0);
	return err == -EAGAIN ? lost_none(c) : err;
}
