/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness UPLINK=ADDRESS,... POD=ADDRESS,...
 *
 * Proves, until it gets SIGTERM, that nothing but what is listed leaves the node
 * (judge.h). Runs in the node's network namespace, from before the table is made. "ready"
 * on standard output says that it sees everything; findings go to standard error; at the
 * end there is one JSON object.
 *
 * Exit status: 0 when nothing was found, 1 when something was, 2 when it cannot tell.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/witness/capture.h"
#include "tests/witness/judge.h"
#include "tests/witness/order.h"

#define NS_PER_S 1000000000ull
/* How long a packet may be on its way from its time stamp into our queue. */
#define SETTLE_NS (NS_PER_S / 2)
#define TURN_MS 10

struct witness {
	struct places places;
	struct capture capture;
	struct order order;
	struct judge judge;
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void
tell(const char *line)
{
	(void)fprintf(stderr, "witness: %s\n", line); /* nobody else to tell */
}

static int
take(void *ctx, const struct record *r)
{
	return order_put(ctx, r);
}

static int
turn(struct witness *w)
{
	uint64_t begun_ns = now_ns();
	int err = capture_read(&w->capture, take, &w->order);
	struct record r;

	while (err == 0 && order_take(&w->order, begun_ns - SETTLE_NS, &r)) {
		err = judge_take(&w->judge, &r);
		record_free(&r);
	}
	return err;
}

/* Until SIGTERM, and then on until all from before it is judged. */
static int
watch(struct witness *w, int signals)
{
	struct pollfd wait = {.fd = signals, .events = POLLIN};
	uint64_t end_ns = 0;
	int err = 0;

	while (err == 0 && (end_ns == 0 || now_ns() < end_ns)) {
		err = turn(w);
		if (end_ns != 0)
			wait.fd = -1;
		if (poll(&wait, 1, TURN_MS) > 0)
			end_ns = now_ns() + 2 * SETTLE_NS;
	}
	return err;
}

static uint64_t
report(const struct judge *j)
{
	uint64_t found = 0;

	printf("{\"answers\": %" PRIu64 ", \"addresses\": %" PRIu64 ", \"left\": %" PRIu64
	       ", \"opened\": %" PRIu64 ", \"own\": %" PRIu64
	       ", \"transactions\": %" PRIu64 ", \"leases\": %" PRIu64
	       ", \"withdrawn\": %" PRIu64 ", \"renewed\": %" PRIu64 ", \"found\": {",
	    j->answers, j->addresses, j->left, j->opened, j->own, j->sets.transactions,
	    j->sets.opened, j->sets.withdrawn, j->sets.renewed);
	for (int i = 0; i < FINDINGS; i++) {
		printf("%s\"%s\": %" PRIu64, i == 0 ? "" : ", ",
		    finding_name((enum finding)i), j->found[i]);
		found += j->found[i];
	}
	printf("}}\n");
	return found;
}

static int
prepare(struct witness *w, int argc, char **argv)
{
	int err = places_parse(&w->places, argv + 1, (size_t)(argc - 1));

	if (err == 0)
		err = places_find(&w->places);
	if (err == 0)
		err = judge_init(&w->judge, &w->places, tell);
	if (err == 0)
		err = capture_open(&w->capture, &w->places);
	return err;
}

static int
signals_open(void)
{
	sigset_t ends;

	(void)sigemptyset(&ends); /* these cannot fail with signals that exist */
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &ends, NULL);
	return signalfd(-1, &ends, SFD_CLOEXEC);
}

int
main(int argc, char **argv)
{
	static struct witness w; /* zero until it is prepared */
	int signals = signals_open(), status = 2, err;

	err = signals < 0 ? -errno : prepare(&w, argc, argv);
	if (err == 0) {
		printf("ready\n");
		(void)fflush(stdout); /* who does not hear it waits */
		err = watch(&w, signals);
	}
	if (err != 0)
		(void)fprintf(stderr, "witness: it cannot tell: %s\n", strerror(-err));
	else
		status = report(&w.judge) == 0 ? 0 : 1;
	capture_close(&w.capture);
	order_done(&w.order);
	judge_done(&w.judge);
	(void)close(signals); /* only read from */
	return status;
}
