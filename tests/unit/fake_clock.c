/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When is there nothing to do? A packet that leaves by the loopback interface stands in a
 * queue of its CPU until that CPU takes it in, which a busy machine puts off. The process
 * stays on one CPU, so a packet to itself comes out of that queue behind all the others;
 * a few such packets, for those that are sent in reply while the queue is worked off:
 * handshakes, resets, ICMP errors.
 */
#include "tests/unit/unit.h"

#include "tests/unit/fake_clock.h"

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 16        /* packets that answer one another */
#define RESEND_MS 1000   /* a packet to ourselves is lost only when the queue is full */
#define START_MS 1000000 /* some time after the machine's start */

static int64_t now_ms = START_MS;
static int mirror = -1; /* connected to itself */

/* Before the first packet leaves. */
__attribute__((constructor)) static void
fake_clock_start(void)
{
	struct sockaddr_in self = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(self);
	cpu_set_t cpus;
	int cpu = sched_getcpu();

	CPU_ZERO(&cpus);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &cpus);
	mirror = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) != 0 ||
	    bind(mirror, (struct sockaddr *)&self, len) != 0 ||
	    getsockname(mirror, (struct sockaddr *)&self, &len) != 0 ||
	    connect(mirror, (struct sockaddr *)&self, len) != 0)
		mirror = -1;
}

static void
settle(void)
{
	struct pollfd p = {.fd = mirror, .events = POLLIN};
	char byte = 0;

	assert_true(mirror >= 0);
	do
		assert_int_equal(send(mirror, &byte, 1, 0), 1);
	while (poll(&p, 1, RESEND_MS) == 0);
	while (recv(mirror, &byte, 1, 0) == 1)
		continue;
}

int64_t
fake_clock_ms(void)
{
	return now_ms;
}

void
fake_clock_forward(int64_t ms)
{
	now_ms += ms;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE && id != CLOCK_BOOTTIME)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = now_ms / 1000;
	ts->tv_nsec = now_ms % 1000 * 1000000;
	return 0;
}

static int
ready(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	return (int)syscall(SYS_epoll_pwait, fd, events, max, timeout_ms, NULL, 0);
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	int r = ready(fd, events, max, 0);

	if (r != 0 || timeout_ms == 0)
		return r;
	if (timeout_ms < 0)
		return ready(fd, events, max, -1);
	for (unsigned i = 0; i < ROUNDS && r == 0; i++) {
		settle();
		r = ready(fd, events, max, 0);
	}
	if (r == 0)
		fake_clock_forward(timeout_ms);
	return r;
}
