/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cares NAME [4|6]: what c-ares, the resolver of Node.js, curl and Envoy, makes of a name
 * with /etc/resolv.conf as it is. On one line, as of resolve.c: "ok MILLISECONDS
 * ADDRESS..." or "fail MILLISECONDS REASON".
 */
#include <ares.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "answer.h"

struct outcome {
	int done;
	int status;
	struct ares_addrinfo *found;
};

static void
on_done(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
	struct outcome *outcome = arg;

	(void)timeouts;
	*outcome = (struct outcome){.done = 1, .status = status, .found = found};
}

/* One turn of a loop such as its users have. */
static void
turn(ares_channel channel)
{
	ares_socket_t fds[ARES_GETSOCK_MAXNUM];
	struct pollfd polled[ARES_GETSOCK_MAXNUM];
	int wanted = ares_getsock(channel, fds, ARES_GETSOCK_MAXNUM);
	struct timeval most = {.tv_sec = 1};
	const struct timeval *wait = ares_timeout(channel, &most, &most);
	nfds_t count = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events = (short)((ARES_GETSOCK_READABLE(wanted, i) ? POLLIN : 0) |
				       (ARES_GETSOCK_WRITABLE(wanted, i) ? POLLOUT : 0));

		if (events != 0)
			polled[count++] = (struct pollfd){.fd = fds[i], .events = events};
	}
	/* a failure is a turn without events */
	(void)poll(polled, count, (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
	for (nfds_t i = 0; i < count; i++)
		ares_process_fd(channel,
		    polled[i].revents & ~POLLOUT ? polled[i].fd : ARES_SOCKET_BAD,
		    polled[i].revents & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* its timers */
}

static void
print_addresses(const struct ares_addrinfo *found)
{
	for (const struct ares_addrinfo_node *n = found->nodes; n != NULL; n = n->ai_next)
		print_address(n->ai_family, n->ai_addr);
	printf("\n");
}

int
main(int argc, char **argv)
{
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC};
	struct outcome outcome = {0};
	ares_channel channel;
	double start = now_ms();

	if (argc < 2 || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
	    ares_init(&channel) != ARES_SUCCESS)
		return 2;
	if (argc > 2)
		hints.ai_family = family_of(argv[2]);
	ares_getaddrinfo(channel, argv[1], NULL, &hints, on_done, &outcome);
	while (!outcome.done)
		turn(channel);
	printf(
	    "%s %.3f", outcome.status == ARES_SUCCESS ? "ok" : "fail", now_ms() - start);
	if (outcome.status == ARES_SUCCESS)
		print_addresses(outcome.found);
	else
		printf(" %s\n", ares_strerror(outcome.status));
	if (outcome.found != NULL)
		ares_freeaddrinfo(outcome.found);
	ares_destroy(channel);
	ares_library_cleanup();
	return outcome.status == ARES_SUCCESS ? 0 : 1;
}
