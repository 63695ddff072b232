/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood SERVER SECONDS COUNT NAME: send queries for the A records of NAME to an IPv4
 * server as fast as it goes, for so many seconds and at most COUNT of them, and read no
 * reply. "random" as the first label becomes a new number in each. Prints how many were
 * sent.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
#define QUERY_MAX 300
#define HEADER_LEN 12
#define RANDOM "random" /* as long as the digits that take its place */

static size_t
put_query(unsigned char *out, const char *name)
{
	static const unsigned char header[HEADER_LEN] = {0, 1, 1, 0, 0, 1};
	static const unsigned char type_and_class[4] = {0, 1, 0, 1};
	size_t pos = HEADER_LEN;

	memcpy(out, header, sizeof(header));
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		out[pos++] = (unsigned char)len;
		memcpy(out + pos, name, len);
		pos += len;
		name += len + (name[len] == '.');
	}
	out[pos++] = 0;
	memcpy(out + pos, type_and_class, sizeof(type_and_class));
	return pos + sizeof(type_and_class);
}

static void
put_digits(unsigned char *out, unsigned long long number)
{
	for (size_t i = strlen(RANDOM); i > 0; i--) {
		out[i - 1] = (unsigned char)('0' + number % 10);
		number /= 10;
	}
}

static unsigned long long
flood(int fd, time_t end, unsigned long long count, const char *name)
{
	int varies = strncmp(name, RANDOM, strlen(RANDOM)) == 0;
	static unsigned char queries[BATCH][QUERY_MAX];
	struct mmsghdr msgs[BATCH] = {0};
	struct iovec iovs[BATCH];
	unsigned long long sent = 0;

	for (size_t i = 0; i < BATCH; i++) {
		iovs[i].iov_base = queries[i];
		iovs[i].iov_len = put_query(queries[i], name);
		msgs[i].msg_hdr.msg_iov = &iovs[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < count && time(NULL) < end) {
		int n;

		for (unsigned i = 0; varies && i < BATCH; i++)
			put_digits(queries[i] + HEADER_LEN + 1, sent + i);
		n = sendmmsg(fd, msgs, BATCH, 0);
		sent += n > 0 ? (unsigned)n : 0;
	}
	return sent;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 5 || strlen(argv[4]) > 200 ||
	    inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
		(void)fprintf(stderr, "usage: flood SERVER SECONDS COUNT NAME\n");
		return 2;
	}
	if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0) {
		perror("flood");
		return 1;
	}
	(void)printf("%llu\n", flood(fd, time(NULL) + strtol(argv[2], NULL, 10),
				   strtoull(argv[3], NULL, 10), argv[4]));
	return 0;
}
