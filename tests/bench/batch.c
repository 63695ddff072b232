/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/batch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define BATCH_LEN 64
#define BATCH_PORT 53
/* Room for what comes while the program does not run, as a server of DNS has it. */
#define BATCH_BUFFER (4 << 20)

struct batch {
	struct mmsghdr messages[BATCH_LEN];
	struct iovec ranges[BATCH_LEN];
	struct sockaddr_in peers[BATCH_LEN];
	uint8_t packets[BATCH_LEN][BATCH_PACKET_MAX];
};

static int
batch_socket(const char *address)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(BATCH_PORT)};
	int size = BATCH_BUFFER;

	if (inet_pton(AF_INET, address, &sin.sin_addr) != 1)
		return -1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		return -1; /* the program ends, and the descriptor with it */
	return fd;
}

static int
batch_receive(int fd, struct batch *b)
{
	for (size_t i = 0; i < BATCH_LEN; i++) {
		b->ranges[i] = (struct iovec){b->packets[i], BATCH_PACKET_MAX};
		b->messages[i].msg_hdr = (struct msghdr){
		    .msg_name = &b->peers[i],
		    .msg_namelen = sizeof(b->peers[i]),
		    .msg_iov = &b->ranges[i],
		    .msg_iovlen = 1,
		};
	}
	return recvmmsg(fd, b->messages, BATCH_LEN, MSG_WAITFORONE, NULL);
}

/* Moves the messages that have a reply to the front; their number. */
static unsigned
batch_answer(struct batch *b, unsigned count, batch_reply_fn reply)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		size_t len = reply(b->packets[i], b->messages[i].msg_len);

		if (len == 0)
			continue;
		b->ranges[i].iov_len = len;
		b->messages[kept++].msg_hdr = b->messages[i].msg_hdr;
	}
	return kept;
}

int
batch_serve(const char *address, batch_reply_fn reply)
{
	static struct batch b;
	int fd = batch_socket(address);

	for (int count = 0; fd >= 0 && count >= 0;) {
		count = batch_receive(fd, &b);
		if (count < 0)
			break;
		unsigned left = batch_answer(&b, (unsigned)count, reply);
		for (unsigned done = 0; done < left && count >= 0;
		     done += (unsigned)count)
			count = sendmmsg(fd, b.messages + done, left - done, 0);
	}
	perror(address);
	return 1;
}
