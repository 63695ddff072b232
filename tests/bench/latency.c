/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency SERVER NETWORK COUNT NAME: ask for the A records of NAME from COUNT sources,
 * NETWORK's addresses from .1 on, twice each: at the first time the server has leases to
 * commit for this source, at the second it has none. One line of JSON: how many addresses
 * there were, and the medians and 99th percentiles in ns.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER_LEN 12
#define PACKET_MAX 1232
#define SOURCES_MAX 65536
#define PATIENCE_S 2

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* With an OPT that takes PACKET_MAX bytes. */
static size_t
make_query(uint8_t packet[PACKET_MAX], const char *name)
{
	static const uint8_t header[HEADER_LEN] = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
	static const uint8_t tail[] = {0, 0, 1, 0, 1, /* the root, A, IN */
	    0, 0, 41, PACKET_MAX >> 8, PACKET_MAX & 0xff, 0, 0, 0, 0, 0, 0};
	size_t pos = HEADER_LEN;

	memcpy(packet, header, sizeof(header));
	while (*name != '\0' && pos < PACKET_MAX / 2) {
		size_t len = strcspn(name, ".");

		packet[pos++] = (uint8_t)len;
		memcpy(packet + pos, name, len);
		pos += len;
		name += len + (name[len] == '.');
	}
	memcpy(packet + pos, tail, sizeof(tail));
	return pos + sizeof(tail);
}

/* In ns; negative: no answer, or none that is good. */
static int64_t
ask(int fd, const uint8_t *query, size_t len, unsigned *ret_addresses)
{
	uint8_t reply[PACKET_MAX];
	int64_t begun = now_ns();
	ssize_t n = send(fd, query, len, 0);

	if (n == (ssize_t)len)
		n = recv(fd, reply, sizeof(reply), 0);
	if (n < HEADER_LEN || (reply[3] & 15) != 0 || (reply[2] & 2) != 0)
		return -1;
	*ret_addresses = (unsigned)(reply[6] << 8 | reply[7]);
	return now_ns() - begun;
}

static int
open_from(const struct sockaddr_in *server, struct in_addr network, unsigned number)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_in local = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	local.sin_addr.s_addr = htonl(ntohl(network.s_addr) + number);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    bind(fd, (const void *)&local, sizeof(local)) != 0 ||
	    connect(fd, (const void *)server, sizeof(*server)) != 0)
		return -1;
	return fd;
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
print(const char *name, int64_t *list, unsigned count)
{
	qsort(list, count, sizeof(*list), by_value);
	printf("\"%s_ns\": %lld, \"%s_p99_ns\": %lld", name, (long long)list[count / 2],
	    name, (long long)list[count * 99 / 100]);
}

int
main(int argc, char **argv)
{
	static int64_t took[2][SOURCES_MAX];
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};
	struct in_addr network;
	uint8_t query[PACKET_MAX];
	unsigned count, addresses = 0;
	size_t len;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[2], &network) != 1)
		return 2;
	count = (unsigned)strtoul(argv[3], NULL, 10);
	len = make_query(query, argv[4]);
	if (count == 0 || count > SOURCES_MAX)
		return 2;
	for (unsigned i = 0; i < count; i++) {
		int fd = open_from(&server, network, i + 1);

		for (int again = 0; again < 2; again++) {
			took[again][i] = fd < 0 ? -1 : ask(fd, query, len, &addresses);
			if (took[again][i] < 0) {
				(void)fprintf(stderr, "latency: no answer\n");
				return 1;
			}
		}
		(void)close(fd); /* only this one's */
	}
	printf("{\"addresses\": %u, ", addresses);
	print("commit", took[0], count);
	printf(", ");
	print("leased", took[1], count);
	printf("}\n");
	return 0;
}
