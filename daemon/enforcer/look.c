/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/look.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/enforcer/conntrack.h"

struct look {
	const struct enforcer_live *list; /* sorted */
	size_t count;
	uint8_t *told; /* of each of them: it was said */
	int fd;
	bool unread; /* nobody reads */
	uint32_t looked;
	struct conntrack conntrack;
	struct enforcer_message out;
};

static int
compare(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct enforcer_live));
}

static void
say(struct look *l)
{
	ssize_t sent;

	do
		sent = send(l->fd, &l->out, enforcer_size(&l->out), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	l->unread |= sent < 0;
	l->out.count = 0;
}

static struct enforcer_live
key_of(const struct conntrack_flow *flow)
{
	return (struct enforcer_live){
	    .pod = flow->source,
	    .destination = flow->destination,
	    .port = flow->port,
	    .proto = flow->proto,
	};
}

static void
on_flow(void *ctx, const struct conntrack_flow *flow)
{
	struct look *l = ctx;
	const struct enforcer_live key = key_of(flow), *found;

	l->looked++;
	if (l->count == 0 || !conntrack_is_live(flow))
		return;
	found = bsearch(&key, l->list, l->count, sizeof(key), compare);
	if (found == NULL || l->told[found - l->list])
		return;
	l->told[found - l->list] = 1;
	l->out.body.live[l->out.count++] = key;
	if (l->out.count == ENFORCER_LIST_MAX)
		say(l);
}

/* The kernel answers at once; a moment's patience costs nothing. */
static int
wait_readable(const struct look *l)
{
	struct pollfd fd = {.fd = l->conntrack.fd, .events = POLLIN};
	int r = poll(&fd, 1, 1000);

	return r > 0 || (r < 0 && errno == EINTR) ? 0 : -ETIMEDOUT;
}

static int
look_at_all(struct look *l)
{
	int r = conntrack_open(&l->conntrack), end = 0;

	if (r == 0)
		r = conntrack_ask(&l->conntrack, 0);
	while (r == 0 && end == 0 && !l->unread) {
		end = conntrack_read(&l->conntrack, on_flow, l);
		if (end == -EAGAIN)
			end = r = wait_readable(l);
		else if (end < 0)
			r = end;
	}
	conntrack_close(&l->conntrack);
	return r;
}

/* Of this process so far. */
static uint32_t
spent_us(void)
{
	struct timespec ts;

	/* cannot fail for this clock */
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint32_t)(ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

void
look_run(struct enforcer_live *list, size_t count, int fd)
{
	struct look l = {
	    .list = list, .count = count, .fd = fd, .out.kind = ENFORCER_LIVE};
	const uint32_t before_us = spent_us();
	int r = -ENOMEM;

	l.conntrack = (struct conntrack){.fd = -1, .other = -1};
	l.told = calloc(count + 1, 1);
	if (l.told != NULL) {
		if (count != 0)
			qsort(list, count, sizeof(*list), compare);
		r = look_at_all(&l);
	}
	if (l.out.count != 0)
		say(&l);
	l.out.result = r;
	l.out.packets = l.looked;
	l.out.lost = spent_us() - before_us;
	if (!l.unread)
		say(&l);
	free(l.told);
}
