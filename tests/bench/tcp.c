/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP connections, many of them or a fast one:
 *
 *	tcp serve PORT				accept, greet, read and forget, for ever
 *	tcp connect ADDRESS PORT SECONDS	one after the other, until it is greeted
 *	tcp send ADDRESS PORT SECONDS		one, and as many bytes as it takes
 *
 * A client prints how many, connections or bytes, and in how many seconds. IPv4.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 65535
#define EVENTS 64
#define CHUNK (256 * 1024)

static uint8_t chunk[CHUNK];

static double
now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
take_connection(int epoll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};

	if (fd >= 0 && (send(fd, "", 1, MSG_NOSIGNAL) != 1 ||
			   epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0))
		(void)close(fd); /* the client will tell */
}

static void
take_bytes(int fd)
{
	ssize_t n = recv(fd, chunk, CHUNK, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		(void)close(fd); /* the client has gone */
}

static int
serve(uint16_t port)
{
	const struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(port)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];

	if (bind(listener, (const void *)&local, sizeof(local)) != 0 ||
	    listen(listener, BACKLOG) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e) != 0)
		return 1;
	(void)fprintf(stderr, "ready\n");
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == listener)
				take_connection(epoll, listener);
			else
				take_bytes(fd);
		}
	}
}

static int
open_connection(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const void *)to, sizeof(*to)) == 0)
		return fd;
	perror("tcp: connect");
	(void)close(fd); /* never used */
	return -1;
}

static int
connect_many(const struct sockaddr_in *to, double seconds, uint64_t *ret_count)
{
	const struct linger reset = {.l_onoff = 1}; /* no port waits in TIME_WAIT */
	double end = now_s() + seconds;

	for (*ret_count = 0; now_s() < end; (*ret_count)++) {
		int fd = open_connection(to);

		/* the greeting comes from the other end, whatever stands between */
		if (fd < 0 || recv(fd, chunk, 1, 0) != 1 ||
		    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0)
			return 1;
		(void)close(fd); /* a reset */
	}
	return 0;
}

static int
send_much(const struct sockaddr_in *to, double seconds, uint64_t *ret_bytes)
{
	double end = now_s() + seconds;
	int fd = open_connection(to);

	*ret_bytes = 0;
	while (fd >= 0 && now_s() < end) {
		ssize_t n = send(fd, chunk, CHUNK, MSG_NOSIGNAL);

		if (n < 0)
			return 1;
		*ret_bytes += (uint64_t)n;
	}
	return fd < 0;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	double seconds, begun;
	uint64_t count = 0;
	int status;

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve((uint16_t)strtoul(argv[2], NULL, 10));
	if (argc != 5 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
	seconds = strtod(argv[4], NULL);
	begun = now_s();
	if (strcmp(argv[1], "connect") == 0)
		status = connect_many(&to, seconds, &count);
	else
		status = send_much(&to, seconds, &count);
	printf("{\"count\": %llu, \"seconds\": %f}\n", (unsigned long long)count,
	    now_s() - begun);
	return status;
}
