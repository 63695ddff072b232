/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm SERVER FAMILY PORT NAMES SUFFIX OUTSIDE RATE SEED: until SIGTERM, so many times a
 * second, one of these by chance:
 *
 *	look up n<i>.SUFFIX for some i below NAMES, by UDP or TCP, and connect to what it
 *	is told;
 *	connect to what it was told some time ago, still open or not;
 *	look up a name that is not listed;
 *	connect to an address near OUTSIDE, which is none that it could have been told.
 *
 * Waits for nothing longer than PATIENCE_MS, since here servers die. Prints one JSON
 * object; "outside" and "unlisted" count what must never happen.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "lookup.h"

#define PATIENCE_MS 100
#define NAMES_MAX 65536
#define TCP_EVERY 4 /* lookups */
#define NS_PER_S 1000000000
#define UNLISTED "unlisted.example"

struct storm {
	int family, dns;
	uint16_t port, id;
	unsigned names;
	const char *suffix, *server;
	uint8_t outside[16];
	uint64_t random;
	unsigned asked, answered, connected, refused, again, unlisted, outside_connected;
};

static uint8_t told[NAMES_MAX][16];
static bool known[NAMES_MAX];
static volatile sig_atomic_t ended;

static void
end(int number)
{
	(void)number;
	ended = 1;
}

/* xorshift64* (Vigna 2016) */
static unsigned
chance(struct storm *s, unsigned below)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return (unsigned)((s->random * 2685821657736338717u) >> 33) % below;
}

static bool
is_connected(const struct storm *s, const uint8_t *address)
{
	struct pollfd p = {.events = POLLOUT};
	socklen_t len = sizeof(int);
	int error = 0, result = start_connection(s->family, address, s->port, &p.fd);

	if (result != 0)
		error = errno;
	if (result != 0 && error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&p, 1, PATIENCE_MS) == 1 &&
		    getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
			error = errno;
	}
	drop_connection(p.fd);
	return error == 0;
}

static ssize_t
ask_udp(struct storm *s, const uint8_t *query, size_t len, uint8_t reply[MESSAGE_MAX])
{
	ssize_t n;

	if (send(s->dns, query, len, 0) != (ssize_t)len)
		return -1; /* nobody listens: told by an earlier one's error */
	do {
		n = recv(s->dns, reply, MESSAGE_MAX, 0);
	} while (n >= HEADER_LEN && memcmp(reply, query, 2) != 0);
	return n;
}

/* One connection for one question; a reply comes in one piece or not at all. */
static ssize_t
ask_tcp(struct storm *s, const uint8_t *query, size_t len, uint8_t reply[MESSAGE_MAX])
{
	uint8_t framed[MESSAGE_MAX + 2] = {(uint8_t)(len >> 8), (uint8_t)len};
	ssize_t n = -1;
	int fd = open_server(s->server, SOCK_STREAM, PATIENCE_MS);

	memcpy(framed + 2, query, len);
	if (fd >= 0 && send(fd, framed, len + 2, MSG_NOSIGNAL) == (ssize_t)len + 2)
		n = recv(fd, framed, sizeof(framed), 0) - 2;
	if (n > 0)
		memcpy(reply, framed + 2, (size_t)n);
	if (fd >= 0)
		drop_connection(fd);
	return n;
}

/* The reply's address, in reply; NULL: none came. */
static const uint8_t *
look_up(struct storm *s, unsigned number, const char *suffix, uint8_t reply[MESSAGE_MAX])
{
	uint8_t query[MESSAGE_MAX];
	size_t len = put_query(s->family, ++s->id, number, suffix, query);
	bool tcp = chance(s, TCP_EVERY) == 0;
	ssize_t n = (tcp ? ask_tcp : ask_udp)(s, query, len, reply);

	s->asked++;
	return n < HEADER_LEN ? NULL : find_address(s->family, reply, (size_t)n, len);
}

static void
connect_to(struct storm *s, unsigned number, unsigned *count)
{
	if (is_connected(s, told[number]))
		(*count)++;
	else
		s->refused++;
}

static void
step(struct storm *s)
{
	size_t len = s->family == AF_INET ? 4 : 16;
	unsigned what = chance(s, 100), number = chance(s, s->names);
	uint8_t reply[MESSAGE_MAX], address[16];
	const uint8_t *found;

	if (what < 60) {
		found = look_up(s, number, s->suffix, reply);
		if (found == NULL)
			return;
		memcpy(told[number], found, len);
		known[number] = true;
		s->answered++;
		connect_to(s, number, &s->connected);
	} else if (what < 75) {
		if (known[number])
			connect_to(s, number, &s->again);
	} else if (what < 85) {
		s->unlisted += look_up(s, number, UNLISTED, reply) != NULL;
	} else {
		memcpy(address, s->outside, len);
		address[len - 1] = (uint8_t)number;
		s->outside_connected += is_connected(s, address);
	}
}

static void
run(struct storm *s, unsigned rate)
{
	struct timespec next;

	(void)clock_gettime(CLOCK_MONOTONIC, &next); /* cannot fail */
	while (!ended) {
		step(s);
		next.tv_nsec += NS_PER_S / rate;
		if (next.tv_nsec >= NS_PER_S) {
			next.tv_nsec -= NS_PER_S;
			next.tv_sec++;
		}
		/* ends early with the signal that ends all */
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

int
main(int argc, char **argv)
{
	struct storm s = {0};
	unsigned rate;

	if (argc != 9)
		return 2;
	s.family = strcmp(argv[2], "6") == 0 ? AF_INET6 : AF_INET;
	s.server = argv[1];
	s.dns = open_server(s.server, SOCK_DGRAM, PATIENCE_MS);
	s.port = (uint16_t)strtoul(argv[3], NULL, 10);
	s.names = (unsigned)strtoul(argv[4], NULL, 10);
	s.suffix = argv[5];
	rate = (unsigned)strtoul(argv[7], NULL, 10);
	s.random = strtoul(argv[8], NULL, 10) * 2 + 1;
	if (s.dns < 0 || s.names == 0 || s.names > NAMES_MAX || rate == 0 ||
	    inet_pton(s.family, argv[6], s.outside) != 1)
		return 2;
	(void)signal(SIGTERM, end); /* cannot fail with a signal that exists */
	run(&s, rate);
	printf("{\"asked\": %u, \"answered\": %u, \"connected\": %u, \"again\": %u, "
	       "\"refused\": %u, \"unlisted\": %u, \"outside\": %u}\n",
	    s.asked, s.answered, s.connected, s.again, s.refused, s.unlisted,
	    s.outside_connected);
	return 0;
}
