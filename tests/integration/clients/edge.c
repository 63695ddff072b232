/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edge SERVER FAMILY PORT FIRST COUNT NAMES SUFFIX OUTSIDE LIFE_MS: COUNT times, look up
 * n<i>.SUFFIX, for i from FIRST on and around NAMES, and connect in the moment in which
 * the answer is there. Of one in EDGE_EVERY look also at the ends of its lease, which
 * lives LIFE_MS: EDGE_MS before the earliest end that is possible it must be open, and
 * EDGE_MS after the latest it must not be. As often, connect near OUTSIDE, which is never
 * open.
 *
 * The lease begins between question and answer. Where this program comes too late to
 * connect before the end it says so, and the connection proves nothing. A name must not
 * come again within LIFE_MS and EDGE_MS, or its lease would be renewed: NAMES has to be
 * large enough.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "lookup.h"

#define PATIENCE_MS 3000
#define EDGE_EVERY 8
#define EDGE_MS 50
#define QUEUE_MAX 65536 /* a power of two */
#define NS_PER_MS 1000000

enum result { CONNECTED, REFUSED, LOST };

/* An end to look at. Leases live equally long and end in the order of their begin. */
struct end {
	int64_t asked_ns, answered_ns;
	uint8_t address[16];
};

struct queue {
	struct end list[QUEUE_MAX];
	unsigned first, next;
};

struct edge {
	int family, dns;
	uint16_t port;
	int64_t life_ns;
	unsigned count[3], before[3], after[3], outside[3]; /* by enum result */
	unsigned late, no_reply, no_address;
};

/* Those whose end is to come, and those of them that were looked at once. */
static struct queue coming, going;

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (int64_t)t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

static void
push(struct queue *q, const struct end *e)
{
	if (q->next - q->first < QUEUE_MAX)
		q->list[q->next++ % QUEUE_MAX] = *e;
}

static enum result
try(const struct edge *e, const uint8_t *address, int64_t *ret_sent_ns)
{
	struct pollfd p = {.events = POLLOUT};
	socklen_t len = sizeof(int);
	int error = 0, result = start_connection(e->family, address, e->port, &p.fd);

	if (result != 0)
		error = errno;
	*ret_sent_ns = now_ns();
	if (result != 0 && error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&p, 1, PATIENCE_MS) == 1 &&
		    getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
			error = errno;
	}
	drop_connection(p.fd);
	return error == 0 ? CONNECTED : error == ECONNREFUSED ? REFUSED : LOST;
}

static void
look_before(struct edge *e, const struct end *end)
{
	int64_t sent_ns;
	enum result result = try(e, end->address, &sent_ns);

	if (sent_ns < end->asked_ns + e->life_ns - EDGE_MS / 5 * NS_PER_MS)
		e->before[result]++;
	else
		e->late++;
	push(&going, end);
}

/* What is due by now. Returns when the next is. */
static int64_t
look_at_ends(struct edge *e)
{
	const int64_t edge_ns = EDGE_MS * NS_PER_MS;
	int64_t due_ns = INT64_MAX, sent_ns;

	for (; coming.first != coming.next; coming.first++) {
		const struct end *end = &coming.list[coming.first % QUEUE_MAX];

		due_ns = end->asked_ns + e->life_ns - edge_ns;
		if (due_ns > now_ns())
			break;
		look_before(e, end);
	}
	for (; going.first != going.next; going.first++) {
		const struct end *end = &going.list[going.first % QUEUE_MAX];
		int64_t after_ns = end->answered_ns + e->life_ns + edge_ns;

		if (after_ns > now_ns())
			return due_ns < after_ns ? due_ns : after_ns;
		e->after[try(e, end->address, &sent_ns)]++;
	}
	return coming.first == coming.next ? INT64_MAX : due_ns;
}

static void
look_up(struct edge *e, unsigned number, const char *suffix, bool edge)
{
	uint8_t query[MESSAGE_MAX], reply[MESSAGE_MAX];
	size_t len = put_query(e->family, (uint16_t)number, number, suffix, query);
	struct end end = {.asked_ns = now_ns()};
	const uint8_t *address;
	int64_t sent_ns;
	ssize_t n = -1;

	if (send(e->dns, query, len, 0) == (ssize_t)len) {
		do {
			n = recv(e->dns, reply, sizeof(reply), 0);
		} while (n >= HEADER_LEN && memcmp(reply, query, 2) != 0);
	}
	if (n < HEADER_LEN) {
		e->no_reply++;
		return;
	}
	address = find_address(e->family, reply, (size_t)n, len);
	if (address == NULL) {
		e->no_address++;
		return;
	}
	e->count[try(e, address, &sent_ns)]++;
	if (!edge)
		return;
	end.answered_ns = now_ns();
	memcpy(end.address, address, e->family == AF_INET ? 4 : 16);
	push(&coming, &end);
}

static void
try_outside(struct edge *e, const uint8_t *near, unsigned number)
{
	size_t len = e->family == AF_INET ? 4 : 16;
	uint8_t address[16];
	int64_t sent_ns;

	memcpy(address, near, len);
	address[len - 1] = (uint8_t)number;
	e->outside[try(e, address, &sent_ns)]++;
}

static void
run(struct edge *e, char **argv, const uint8_t *outside)
{
	unsigned first = (unsigned)strtoul(argv[4], NULL, 10);
	unsigned count = (unsigned)strtoul(argv[5], NULL, 10);
	unsigned names = (unsigned)strtoul(argv[6], NULL, 10);
	int64_t due_ns = INT64_MAX;

	for (unsigned i = 0; i < count; i++) {
		if (due_ns <= now_ns() || i % EDGE_EVERY == 1)
			due_ns = look_at_ends(e);
		if (i % EDGE_EVERY == EDGE_EVERY / 2)
			try_outside(e, outside, i / EDGE_EVERY);
		look_up(e, (first + i) % names, argv[7], i % EDGE_EVERY == 0);
	}
	while (due_ns != INT64_MAX) {
		struct timespec next = {.tv_sec = due_ns / (1000 * NS_PER_MS),
		    .tv_nsec = due_ns % (1000 * NS_PER_MS)};

		/* woken too early it only looks once more */
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		due_ns = look_at_ends(e);
	}
}

static void
print(const char *name, const unsigned count[3])
{
	printf("\"%s_connected\": %u, \"%s_refused\": %u, \"%s_lost\": %u, ", name,
	    count[CONNECTED], name, count[REFUSED], name, count[LOST]);
}

int
main(int argc, char **argv)
{
	static struct edge e; /* zero */
	uint8_t outside[16];

	if (argc != 10)
		return 2;
	e.family = strcmp(argv[2], "6") == 0 ? AF_INET6 : AF_INET;
	e.dns = open_server(argv[1], SOCK_DGRAM, PATIENCE_MS);
	e.port = (uint16_t)strtoul(argv[3], NULL, 10);
	e.life_ns = strtoll(argv[9], NULL, 10) * NS_PER_MS;
	if (e.dns < 0 || inet_pton(e.family, argv[8], outside) != 1)
		return 2;
	run(&e, argv, outside);
	printf("{");
	print("now", e.count);
	print("before", e.before);
	print("after", e.after);
	print("outside", e.outside);
	printf("\"late\": %u, \"no_reply\": %u, \"no_address\": %u}\n", e.late,
	    e.no_reply, e.no_address);
	return 0;
}
