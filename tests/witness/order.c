/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/witness/order.h"

#include <errno.h>

#define ROOM_FIRST 4096

void
order_done(struct order *o)
{
	for (size_t i = 0; i < o->len; i++)
		record_free(&o->heap[i]);
	free(o->heap);
	o->heap = NULL;
	o->len = o->room = 0;
}

static bool
is_before(const struct record *a, const struct record *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	return a->number < b->number;
}

static int
make_room(struct order *o)
{
	size_t room = o->room == 0 ? ROOM_FIRST : MIN_OF(o->room * 2, (size_t)ORDER_MAX);
	void *grown;

	if (o->len < o->room)
		return 0;
	if (o->len == ORDER_MAX)
		return -ENOSPC;
	grown = realloc(o->heap, room * sizeof(*o->heap));
	if (grown == NULL)
		return -ENOMEM;
	o->heap = grown;
	o->room = room;
	return 0;
}

int
order_put(struct order *o, const struct record *r)
{
	struct record new = *r;
	size_t at = o->len;
	int err;

	if (r->at_ns < o->taken_ns)
		return -ETIME;
	err = make_room(o);
	if (err != 0)
		return err;
	new.number = o->numbers++;
	o->len++;
	while (at > 0 && is_before(&new, &o->heap[(at - 1) / 2])) {
		o->heap[at] = o->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	o->heap[at] = new;
	return 0;
}

bool
order_take(struct order *o, uint64_t until_ns, struct record *ret_record)
{
	struct record last;
	size_t at = 0;

	if (o->len == 0 || o->heap[0].at_ns >= until_ns)
		return false;
	*ret_record = o->heap[0];
	o->taken_ns = ret_record->at_ns;
	last = o->heap[--o->len];
	for (size_t child = 1; child < o->len; child = 2 * at + 1) {
		if (child + 1 < o->len && is_before(&o->heap[child + 1], &o->heap[child]))
			child++;
		if (!is_before(&o->heap[child], &last))
			break;
		o->heap[at] = o->heap[child];
		at = child;
	}
	if (o->len > 0)
		o->heap[at] = last;
	return true;
}
