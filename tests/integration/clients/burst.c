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
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 3000
#define MESSAGE_MAX 1232
#define HEADER_LEN 12
#define TYPE_A 1
#define TYPE_AAAA 28
#define RCODE_MASK 0x0f

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

static size_t
put_name(uint8_t *out, const char *name)
{
	size_t pos = 0;

	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		out[pos++] = (uint8_t)len;
		memcpy(out + pos, name, len);
		pos += len;
		name += len + (name[len] == '.');
	}
	out[pos++] = 0;
	return pos;
}

static size_t
put_query(const struct burst *b, uint16_t id, unsigned number, uint8_t *out)
{
	const uint8_t header[HEADER_LEN] = {
	    (uint8_t)(id >> 8), (uint8_t)id, 0x01, 0x00, 0, 1};
	const uint8_t tail[4] = {0, b->family == AF_INET ? TYPE_A : TYPE_AAAA, 0, 1};
	char name[128];
	size_t pos = HEADER_LEN;

	(void)snprintf(name, sizeof(name), "n%u.%s", number, b->suffix);
	memcpy(out, header, sizeof(header));
	pos += put_name(out + pos, name);
	memcpy(out + pos, tail, sizeof(tail));
	return pos + sizeof(tail);
}

/* The first address behind the question, whose length is known: answers' owners are
 * pointers. */
static const uint8_t *
find_address(const struct burst *b, const uint8_t *msg, size_t len, size_t question_end)
{
	size_t want = b->family == AF_INET ? 4 : 16;
	size_t pos = question_end;

	if ((msg[3] & RCODE_MASK) != 0 || (msg[6] | msg[7]) == 0)
		return NULL;
	while (pos < len && (msg[pos] & 0xc0) == 0 && msg[pos] != 0)
		pos += 1u + msg[pos];
	pos += pos < len && (msg[pos] & 0xc0) != 0 ? 2 : 1;
	if (pos + 10 + want > len || (size_t)(msg[pos + 8] << 8 | msg[pos + 9]) != want)
		return NULL;
	return msg + pos + 10;
}

static void
count_error(struct tally *t, int error)
{
	if (error == ECONNREFUSED)
		t->refused++;
	else
		t->other++;
	t->last_errno = error;
}

/* A reset, not a FIN: 20,000 connections must not leave 20,000 sockets in TIME_WAIT. */
static void
drop_connection(int fd)
{
	const struct linger reset = {.l_onoff = 1};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(fd);
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
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(b->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(b->port)};
	int fd = socket(b->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int result;

	if (b->family == AF_INET) {
		memcpy(&v4.sin_addr, address, 4);
		result = connect(fd, (const struct sockaddr *)&v4, sizeof(v4));
	} else {
		memcpy(&v6.sin6_addr, address, 16);
		result = connect(fd, (const struct sockaddr *)&v6, sizeof(v6));
	}
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
	size_t query_len = put_query(b, (uint16_t)number, number, query);
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
	address = find_address(b, reply, (size_t)n, query_len);
	if (address == NULL)
		b->tally.no_address++;
	else
		connect_to(b, address);
}

/* A socket that knows only the server, and waits for it at most PATIENCE_MS. */
static int
open_dns(const char *server)
{
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(53)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
	bool is_v6 = strchr(server, ':') != NULL;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (is_v6 && inet_pton(AF_INET6, server, &v6.sin6_addr) == 1)
		result = connect(fd, (const struct sockaddr *)&v6, sizeof(v6));
	else if (inet_pton(AF_INET, server, &v4.sin_addr) == 1)
		result = connect(fd, (const struct sockaddr *)&v4, sizeof(v4));
	else
		result = -1;
	return result == 0 ? fd : -1;
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
	b.dns = open_dns(argv[1]);
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
