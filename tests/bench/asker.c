/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks for the A records of some names in turn, at a steady rate, and tells how long the
 * answers took:
 *
 *	asker SERVER RATE SECONDS NAME...
 *
 * A line of JSON at the end: asked, answered, the longest wait, the 99th percentile, how
 * many waited longer than LONG_MS, and by how much the asker itself was late at worst,
 * which says how much else ran. The kernel's time of arrival counts, not when this
 * program came to read it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define PORT 53
#define PACKET_MAX 512
#define NAMES_MAX 8
#define IDS 65536 /* a question's number is its message's id */
#define LONG_MS 10
#define LAST_WAIT_MS 1000 /* for answers, behind the last question */
#define NS_PER_MS 1000000LL

struct asker {
	int fd;
	uint8_t packets[NAMES_MAX][PACKET_MAX];
	size_t lens[NAMES_MAX];
	size_t name_count;
	int64_t sent_ns[IDS]; /* 0: answered */
	size_t asked, answered, late;
	int64_t waits_ns[IDS]; /* of the answered, the last ones when there are more */
	int64_t longest_ns, own_ns;
};

static int64_t
clock_ns(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t); /* every Linux has both */
	return t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
}

static size_t
make_query(uint8_t packet[PACKET_MAX], const char *name)
{
	uint8_t *at = packet + 12;

	packet[2] = 1; /* RD */
	packet[5] = 1; /* one question */
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		if (len > 63 || (size_t)(at - packet) + len + 8 > PACKET_MAX)
			exit(2);
		*at++ = (uint8_t)len;
		memcpy(at, name, len); /* fits, see above */
		at += len;
		name += len + (name[len] == '.');
	}
	memcpy(at, "\0\0\1\0\1", 5); /* root, A, IN; 8 bytes were left */
	return (size_t)(at + 5 - packet);
}

static int
connect_to(const char *server)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || inet_pton(AF_INET, server, &sin.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		return -1; /* the program ends */
	return fd;
}

static int64_t
arrived_ns(struct msghdr *msg)
{
	struct timespec t;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&t, CMSG_DATA(c), sizeof(t)); /* the kernel made it so */
			return t.tv_sec * 1000 * NS_PER_MS + t.tv_nsec;
		}
	return clock_ns(CLOCK_REALTIME);
}

/* False: nothing is there. */
static bool
take_answer(struct asker *a)
{
	uint8_t packet[PACKET_MAX];
	char control[128];
	struct iovec iov = {packet, sizeof(packet)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(a->fd, &msg, 0);
	int64_t waited;
	size_t id;

	if (n < 12)
		return n >= 0 || errno == EINTR;
	id = (size_t)packet[0] << 8 | packet[1];
	if (a->sent_ns[id] == 0)
		return true;
	waited = arrived_ns(&msg) - a->sent_ns[id];
	a->sent_ns[id] = 0;
	a->waits_ns[a->answered++ % IDS] = waited;
	a->late += waited > LONG_MS * NS_PER_MS;
	if (waited > a->longest_ns)
		a->longest_ns = waited;
	return true;
}

/* Takes answers until the clock says so. */
static void
take_until(struct asker *a, int64_t end_ns)
{
	struct pollfd p = {.fd = a->fd, .events = POLLIN};

	for (;;) {
		int64_t left = end_ns - clock_ns(CLOCK_MONOTONIC);
		struct timespec wait = {.tv_sec = left / (1000 * NS_PER_MS),
		    .tv_nsec = left % (1000 * NS_PER_MS)};

		while (take_answer(a))
			;
		if (left <= 0 || a->asked == 0)
			return;
		(void)ppoll(&p, 1, &wait, NULL); /* woken early: the clock is asked */
	}
}

static void
ask(struct asker *a, int64_t due_ns)
{
	size_t id = a->asked % IDS;
	size_t i = a->asked % a->name_count;
	int64_t late = clock_ns(CLOCK_MONOTONIC) - due_ns;

	if (late > a->own_ns)
		a->own_ns = late;
	a->packets[i][0] = (uint8_t)(id >> 8);
	a->packets[i][1] = (uint8_t)id;
	a->sent_ns[id] = clock_ns(CLOCK_REALTIME);
	(void)send(a->fd, a->packets[i], a->lens[i], 0); /* else it is not answered */
	a->asked++;
}

static int
compare(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* Who was not answered is told apart. */
static int64_t
percentile_99(struct asker *a)
{
	size_t count = a->answered < IDS ? a->answered : IDS;

	qsort(a->waits_ns, count, sizeof(a->waits_ns[0]), compare);
	return count > 0 ? a->waits_ns[(count * 99 - 1) / 100] : 0;
}

int
main(int argc, char **argv)
{
	static struct asker a;
	long rate = argc > 4 ? strtol(argv[2], NULL, 10) : 0;
	double seconds = argc > 4 ? strtod(argv[3], NULL) : 0;
	int64_t begin, due;

	if (rate < 1 || argc - 4 > NAMES_MAX || (a.fd = connect_to(argv[1])) < 0) {
		(void)fprintf(stderr, "usage: asker SERVER RATE SECONDS NAME...\n");
		return 2;
	}
	for (int i = 4; i < argc; i++, a.name_count++)
		a.lens[a.name_count] = make_query(a.packets[a.name_count], argv[i]);
	begin = due = clock_ns(CLOCK_MONOTONIC);
	while (due - begin < (int64_t)(seconds * 1e9)) {
		take_until(&a, due);
		ask(&a, due);
		due += 1000 * NS_PER_MS / rate;
	}
	for (int i = 0; i < LAST_WAIT_MS && a.answered < a.asked; i++)
		take_until(&a, clock_ns(CLOCK_MONOTONIC) + NS_PER_MS);
	printf(
	    "{\"asked\": %zu, \"answered\": %zu, \"longest_ms\": %.2f, \"p99_ms\": %.2f, "
	    "\"late\": %zu, \"own_ms\": %.2f}\n",
	    a.asked, a.answered, (double)a.longest_ns / NS_PER_MS,
	    (double)percentile_99(&a) / NS_PER_MS, a.late, (double)a.own_ns / NS_PER_MS);
	return 0;
}
