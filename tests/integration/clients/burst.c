/* SPDX-License-Identifier: Apache-2.0 */
/*
 * burst SERVER FAMILY PORT FIRST COUNT SUFFIX: for i from FIRST on, COUNT times, look up
 * n<i>.SUFFIX at SERVER and, in the moment in which the answer is there, connect by TCP
 * to the first address in it.
 *
 * Between the recv(2) that returns the answer and connect(2) there are only the parsing
 * of a few bytes and socket(2): nothing gives a daemon that answers too early time to
 * make good for it. Prints one JSON object with how it ended for each.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lookup.h"

#define PATIENCE_MS 3000

struct tally {
	unsigned connected, refused, timed_out, other;
	unsigned no_reply, no_address;
	int last_errno;
};

struct burst {
	int family;
	uint16_t port;
	const char *suffix;
	int dns;
	struct tally tally;
};

static void
count_error(struct tally *t, int error)
{
	if (error == ECONNREFUSED)
		t->refused++;
	else
		t->other++;
	t->last_errno = error;
}

static void
await_connection(struct burst *b, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int error = 0;

	if (poll(&p, 1, PATIENCE_MS) != 1) {
		b->tally.timed_out++;
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0)
		b->tally.connected++;
	else
		count_error(&b->tally, error);
}

static void
connect_to(struct burst *b, const uint8_t *address)
{
	int fd, result = start_connection(b->family, address, b->port, &fd);

	if (result == 0)
		b->tally.connected++;
	else if (errno == EINPROGRESS)
		await_connection(b, fd);
	else
		count_error(&b->tally, errno);
	drop_connection(fd);
}

static void
run_one(struct burst *b, unsigned number)
{
	uint8_t query[MESSAGE_MAX], reply[MESSAGE_MAX];
	size_t query_len =
	    put_query(b->family, (uint16_t)number, number, b->suffix, query);
	const uint8_t *address;
	ssize_t n;

	if (send(b->dns, query, query_len, 0) != (ssize_t)query_len) {
		b->tally.no_reply++;
		return;
	}
	do {
		n = recv(b->dns, reply, sizeof(reply), 0);
	} while (n >= HEADER_LEN && memcmp(reply, query, 2) != 0);
	if (n < HEADER_LEN) {
		b->tally.no_reply++;
		return;
	}
	address = find_address(b->family, reply, (size_t)n, query_len);
	if (address == NULL)
		b->tally.no_address++;
	else
		connect_to(b, address);
}

int
main(int argc, char **argv)
{
	struct burst b = {0};
	unsigned first, count;

	if (argc != 7)
		return 2;
	b.family = strcmp(argv[2], "6") == 0 ? AF_INET6 : AF_INET;
	b.port = (uint16_t)strtoul(argv[3], NULL, 10);
	b.suffix = argv[6];
	b.dns = open_server(argv[1], SOCK_DGRAM, PATIENCE_MS);
	first = (unsigned)strtoul(argv[4], NULL, 10);
	count = (unsigned)strtoul(argv[5], NULL, 10);
	if (b.dns < 0)
		return 2;
	for (unsigned i = 0; i < count; i++)
		run_one(&b, first + i);
	printf("{\"connected\": %u, \"refused\": %u, \"timed_out\": %u, \"other\": %u, "
	       "\"no_reply\": %u, \"no_address\": %u, \"errno\": %d}\n",
	    b.tally.connected, b.tally.refused, b.tally.timed_out, b.tally.other,
	    b.tally.no_reply, b.tally.no_address, b.tally.last_errno);
	return 0;
}
