/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs that look up n<i>.SUFFIX by UDP and connect to what they are told
 * have in common. A file for each program: this is included, not linked.
 */
#ifndef TESTS_INTEGRATION_CLIENTS_LOOKUP_H
#define TESTS_INTEGRATION_CLIENTS_LOOKUP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MESSAGE_MAX 1232
#define HEADER_LEN 12
#define TYPE_A 1
#define TYPE_AAAA 28
#define RCODE_MASK 0x0f

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

/* Of n<number>.SUFFIX. */
static size_t
put_query(int family, uint16_t id, unsigned number, const char *suffix, uint8_t *out)
{
	const uint8_t header[HEADER_LEN] = {
	    (uint8_t)(id >> 8), (uint8_t)id, 0x01, 0x00, 0, 1};
	const uint8_t tail[4] = {0, family == AF_INET ? TYPE_A : TYPE_AAAA, 0, 1};
	char name[128];
	size_t pos = HEADER_LEN;

	(void)snprintf(name, sizeof(name), "n%u.%s", number, suffix);
	memcpy(out, header, sizeof(header));
	pos += put_name(out + pos, name);
	memcpy(out + pos, tail, sizeof(tail));
	return pos + sizeof(tail);
}

/* The first address behind the question, whose length is known: answers' owners are
 * pointers. */
static const uint8_t *
find_address(int family, const uint8_t *msg, size_t len, size_t question_end)
{
	size_t want = family == AF_INET ? 4 : 16;
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

/* A reset, not a FIN: many connections must not leave as many sockets in TIME_WAIT. */
static void
drop_connection(int fd)
{
	const struct linger reset = {.l_onoff = 1};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(fd);
}

/* A connection under way, or refused at once: then errno says why. */
static int
start_connection(int family, const uint8_t *address, uint16_t port, int *ret_fd)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*ret_fd = fd;
	if (family == AF_INET) {
		memcpy(&v4.sin_addr, address, 4);
		return connect(fd, (const struct sockaddr *)&v4, sizeof(v4));
	}
	memcpy(&v6.sin6_addr, address, 16);
	return connect(fd, (const struct sockaddr *)&v6, sizeof(v6));
}

/* A socket that knows only the server, and waits for it at most patience_ms. */
static int
open_server(const char *server, int type, int patience_ms)
{
	const struct timeval patience = {
	    .tv_sec = patience_ms / 1000, .tv_usec = patience_ms % 1000 * 1000};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(53)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
	bool is_v6 = strchr(server, ':') != NULL;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
	int result;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (is_v6 && inet_pton(AF_INET6, server, &v6.sin6_addr) == 1)
		result = connect(fd, (const struct sockaddr *)&v6, sizeof(v6));
	else if (inet_pton(AF_INET, server, &v4.sin_addr) == 1)
		result = connect(fd, (const struct sockaddr *)&v4, sizeof(v4));
	else
		result = -1;
	if (result == 0)
		return fd;
	(void)close(fd); /* never used */
	return -1;
}

#endif
