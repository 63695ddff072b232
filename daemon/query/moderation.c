/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/moderation.h"

#include <time.h>

bool
moderation_due(struct moderation *m, size_t replies, int64_t now_ms)
{
	if (replies == 0)
		return false;
	if (now_ms != m->window_ms) {
		/* one that asks in lock-step makes many batches, of one each */
		m->crowd = now_ms - m->window_ms == 1 &&
			   m->replies >= MODERATION_PER_MS &&
			   m->replies >= 2 * m->batches;
		m->window_ms = now_ms;
		m->replies = 0;
		m->batches = 0;
	}
	m->replies += replies;
	m->batches++;
	return m->crowd;
}

void
moderation_pause(void)
{
	static const struct timespec least = {.tv_nsec = 1};

	(void)nanosleep(&least, NULL); /* cut short is as good */
}
