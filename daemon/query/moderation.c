/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/moderation.h"

#include <assert.h>
#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

/* Edge-triggered, so that nobody has to read how often it ran out. */
static void
on_timer(int fd, short what, void *ctx)
{
	struct moderation *m = ctx;

	(void)fd;
	(void)what;
	m->running = false;
	m->over(m->ctx);
}

int
moderation_init(
    struct moderation *m, struct event_base *base, void (*over)(void *ctx), void *ctx)
{
	m->over = over;
	m->ctx = ctx;
	m->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (m->fd < 0)
		return -errno;
	m->timer = event_new(base, m->fd, EV_READ | EV_PERSIST | EV_ET, on_timer, m);
	return m->timer == NULL || event_add(m->timer, NULL) < 0 ? -ENOMEM : 0;
}

void
moderation_done(struct moderation *m)
{
	if (m->timer != NULL)
		event_free(m->timer);
	m->timer = NULL;
	if (m->fd >= 0)
		(void)close(m->fd); /* nothing is buffered in it */
	m->fd = -1;
}

bool
moderation_due(struct moderation *m, size_t replies, int64_t now_ms)
{
	if (replies == 0)
		return false;
	if (now_ms != m->window_ms) {
		m->crowd = now_ms - m->window_ms == 1 &&
			   m->replies >= MODERATION_PER_MS &&
			   (m->crowd || m->replies >= MODERATION_BATCH * m->batches);
		m->window_ms = now_ms;
		m->replies = 0;
		m->batches = 0;
	}
	m->replies += replies;
	m->batches++;
	return m->crowd;
}

void
moderation_pause(struct moderation *m)
{
	static const struct itimerspec pause = {.it_value.tv_nsec = MODERATION_US * 1000};

	int r;

	if (m->running)
		return;
	m->running = true;
	r = timerfd_settime(m->fd, 0, &pause, NULL);
	assert(r == 0); /* it fails for wrong arguments only */
}
