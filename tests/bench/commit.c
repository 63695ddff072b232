/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits to table `inet egressd` as the enforcer makes them, with its own code:
 *
 *	commit fill POD FIRST COUNT	leases of POD, with addresses from FIRST on
 *	commit measure POD BATCH TIMES	BATCH new leases in one, so many times; each time
 *					they are taken out again
 *
 * The table must be there, without an owner that lives. measure prints one line of JSON:
 * the median and the 99th percentile of a commit's time, and its CPU, most of which the
 * kernel spends inside of sendmsg(2), in ns.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/enforcer/element.h"
#include "daemon/enforcer/netlink.h"

#define PORT 7000
#define TIMEOUT_MS 3600000
#define FILL_BATCH 10000
#define BATCH_MAX 10000
#define TIMES_MAX 100000
#define RANGE 0x2c000000u /* 44.0.0.0/8 */
#define NAME_MAX_LEN 32

struct batch {
	struct enforcer_lease leases[BATCH_MAX];
	struct element list[BATCH_MAX];
	char names[BATCH_MAX][NAME_MAX_LEN];
};

static int64_t
clock_ns(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t); /* every Linux has both */
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void
make(struct batch *b, const struct addr *pod, uint32_t first, size_t count)
{
	memset(b->leases, 0, count * sizeof(*b->leases));
	for (size_t i = 0; i < count; i++) {
		uint32_t address = htonl(RANGE + first + (uint32_t)i);
		struct enforcer_lease *l = &b->leases[i];

		l->pod = *pod;
		l->destination = addr_make(AF_INET, &address);
		l->port = PORT;
		l->proto = IPPROTO_TCP;
		l->timeout_ms = TIMEOUT_MS;
		(void)snprintf(
		    b->names[i], NAME_MAX_LEN, "n%u.listed.example", first + (uint32_t)i);
		b->list[i] = (struct element){
		    .lease = l, .name = b->names[i], .timeout_ms = TIMEOUT_MS};
	}
}

static int
grant(struct netlink *nl, struct batch *b, size_t count)
{
	netlink_begin(nl);
	count = element_merge(b->list, count);
	element_grant(nl, b->list, count);
	return netlink_commit(nl, NULL);
}

static int
revoke(struct netlink *nl, struct batch *b, size_t count)
{
	netlink_begin(nl);
	element_revoke(nl, b->list, count);
	return netlink_commit(nl, NULL);
}

static int
fill(struct netlink *nl, struct batch *b, const struct addr *pod, char **argv)
{
	uint32_t first = (uint32_t)strtoul(argv[3], NULL, 10);
	uint32_t left = (uint32_t)strtoul(argv[4], NULL, 10);
	int err = 0;

	while (left > 0 && err == 0) {
		uint32_t count = left < FILL_BATCH ? left : FILL_BATCH;

		make(b, pod, first, count);
		err = grant(nl, b, count);
		first += count;
		left -= count;
	}
	return err;
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int
measure(struct netlink *nl, struct batch *b, const struct addr *pod, char **argv)
{
	static int64_t took[TIMES_MAX];
	size_t count = strtoul(argv[3], NULL, 10), times = strtoul(argv[4], NULL, 10);
	const uint32_t first = 0x800000; /* behind what was filled */
	int64_t cpu = 0;
	int err = 0;

	if (count == 0 || count > BATCH_MAX || times == 0 || times > TIMES_MAX)
		return -1;
	for (size_t i = 0; i < times && err == 0; i++) {
		int64_t begun, used;

		make(b, pod, first + (uint32_t)(i * count % 0x400000), count);
		used = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		begun = clock_ns(CLOCK_MONOTONIC);
		err = grant(nl, b, count);
		took[i] = clock_ns(CLOCK_MONOTONIC) - begun;
		cpu += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
		if (err == 0)
			err = revoke(nl, b, count);
	}
	qsort(took, times, sizeof(*took), by_value);
	printf("{\"median_ns\": %lld, \"p99_ns\": %lld, \"cpu_ns\": %lld}\n",
	    (long long)took[times / 2], (long long)took[times * 99 / 100],
	    (long long)(cpu / (int64_t)times));
	return err;
}

int
main(int argc, char **argv)
{
	static struct batch b;
	struct netlink nl;
	struct addr pod;
	int err;

	if (argc != 5 || addr_parse(argv[2], strlen(argv[2]), &pod) != 0) {
		(void)fprintf(stderr, "usage: commit fill|measure POD N N\n");
		return 2;
	}
	err = netlink_open(&nl);
	if (err == 0 && strcmp(argv[1], "fill") == 0)
		err = fill(&nl, &b, &pod, argv);
	else if (err == 0)
		err = measure(&nl, &b, &pod, argv);
	if (err != 0)
		(void)fprintf(stderr, "commit: %s\n", strerror(-err));
	netlink_close(&nl);
	return err == 0 ? 0 : 1;
}
