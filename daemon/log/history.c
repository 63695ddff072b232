/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/history.h"

#include <errno.h>
#include <stdlib.h>

struct history {
	size_t count;
	uint64_t keys[HISTORY_MAX]; /* apart: they are looked through */
	struct history_record records[HISTORY_MAX];
};

int
history_new(struct history **ret_history)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return -ENOMEM;
	*ret_history = h;
	return 0;
}

void
history_free(struct history *h)
{
	free(h);
}

/* A free place, or the one to give up for another record of pod. */
static size_t
place_for(const struct history *h, const struct addr *pod)
{
	size_t oldest = 0, own = 0, own_count = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct history_record *r = &h->records[i];

		if (r->last_ms < h->records[oldest].last_ms)
			oldest = i;
		if (!addr_equal(&r->pod, pod))
			continue;
		if (own_count++ == 0 || r->last_ms < h->records[own].last_ms)
			own = i;
	}
	if (own_count == HISTORY_POD_MAX)
		return own;
	return h->count < HISTORY_MAX ? h->count : oldest;
}

static void
count_again(struct history_record *r, int64_t now_ms)
{
	r->count++;
	r->last_ms = now_ms;
}

uint32_t
history_add(
    struct history *h, uint64_t key, const struct history_record *r, int64_t now_ms)
{
	uint64_t count = 0;
	int64_t first_ms = now_ms;
	size_t i = 0;

	if (h == NULL)
		return 0;
	while (i < h->count && h->keys[i] != key)
		i++;
	if (i < h->count) { /* what is known of it may be another thing by now */
		count = h->records[i].count;
		first_ms = h->records[i].first_ms;
	} else {
		i = place_for(h, &r->pod);
		h->count = MAX_OF(h->count, i + 1);
	}
	h->keys[i] = key;
	h->records[i] = *r;
	h->records[i].count = count;
	h->records[i].first_ms = first_ms;
	count_again(&h->records[i], now_ms);
	return (uint32_t)i;
}

void
history_repeat(struct history *h, uint32_t place, uint64_t key, int64_t now_ms)
{
	if (h != NULL && place < h->count && h->keys[place] == key)
		count_again(&h->records[place], now_ms);
}

static int
later_first(const void *a, const void *b)
{
	const struct history_record *const *x = a, *const *y = b;

	if ((*x)->last_ms != (*y)->last_ms)
		return (*x)->last_ms > (*y)->last_ms ? -1 : 1;
	return ((*x)->first_ms < (*y)->first_ms) - ((*x)->first_ms > (*y)->first_ms);
}

size_t
history_list(const struct history *h, const struct history_record *list[HISTORY_MAX])
{
	for (size_t i = 0; i < h->count; i++)
		list[i] = &h->records[i];
	qsort(list, h->count, sizeof(*list), later_first);
	return h->count;
}
