/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/outbox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "daemon/enforcer/pair.h"

/* Messages in one turn, so in one system call: at most 230 KB, which may take a
 * millisecond. */
#define TURN_MAX 32
_Static_assert(TURN_MAX <= PAIR_SEND_MAX, "one call sends them");
/* Of sent messages, and of room for later ones. */
#define KEPT_BYTES ((size_t)1024 * 1024)

static void on_turn(int fd, short what, void *ctx);

int
outbox_init(struct outbox *o, struct event_base *base, int fd, void (*broken)(void *ctx),
    void *ctx)
{
	*o = (struct outbox){.fd = fd, .broken = broken, .ctx = ctx};
	STAILQ_INIT(&o->parts);
	buf_init(&o->frames, OUTBOX_BYTES_MAX);
	o->writable = event_new(base, fd, EV_WRITE, on_turn, o);
	o->flush = event_new(base, -1, 0, on_turn, o);
	if (o->writable == NULL || o->flush == NULL) {
		outbox_done(o);
		return -ENOMEM;
	}
	return 0;
}

static void
drop_part(struct outbox *o)
{
	struct outbox_part *part = STAILQ_FIRST(&o->parts);

	STAILQ_REMOVE_HEAD(&o->parts, link);
	o->parts_len -= part->frames.len;
	buf_done(&part->frames);
	free(part);
}

void
outbox_done(struct outbox *o)
{
	while (!STAILQ_EMPTY(&o->parts))
		drop_part(o);
	if (o->writable != NULL)
		event_free(o->writable);
	if (o->flush != NULL)
		event_free(o->flush);
	o->writable = o->flush = NULL;
	buf_done(&o->frames);
}

void
outbox_frame(struct buf *frames, const struct enforcer_message *m)
{
	uint32_t size = (uint32_t)enforcer_size(m);

	assert(size != 0);
	buf_append(frames, &size, sizeof(size));
	buf_append(frames, m, size);
}

void
outbox_set_id(struct buf *frames, uint32_t id)
{
	size_t id_offset = sizeof(uint32_t) + offsetof(struct enforcer_message, id);
	uint32_t size;

	for (size_t pos = 0; pos < frames->len; pos += sizeof(size) + size) {
		memcpy(&size, frames->bytes + pos, sizeof(size));
		memcpy(frames->bytes + pos + id_offset, &id, sizeof(id));
	}
}

/* What was added goes out at the end of the turn, or takes its size back. */
static int
added(struct outbox *o, size_t len_before)
{
	if (o->frames.failed) {
		o->frames.failed = false;
		o->frames.len = len_before;
		return -ENOMEM;
	}
	if (!o->blocked)
		event_active(
		    o->flush, 0, 0); /* behind what is active in this turn already */
	return 0;
}

int
outbox_add(struct outbox *o, const struct enforcer_message *m)
{
	size_t len = o->frames.len;

	outbox_frame(&o->frames, m);
	return added(o, len);
}

int
outbox_add_frames(struct outbox *o, const struct buf *frames)
{
	size_t len = o->frames.len;

	buf_append(&o->frames, frames->bytes, frames->len);
	return added(o, len);
}

/* Room for count parts; false, and there are none, when out of memory. */
static bool
make_parts(struct outbox_part **parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		parts[i] = calloc(1, sizeof(*parts[i]));
		if (parts[i] != NULL)
			continue;
		while (i-- > 0)
			free(parts[i]);
		return false;
	}
	return true;
}

static void
add_part(struct outbox *o, struct outbox_part *part, struct buf *frames)
{
	part->frames = *frames;
	buf_init(frames, frames->limit);
	o->parts_len += part->frames.len;
	STAILQ_INSERT_TAIL(&o->parts, part, link);
}

int
outbox_move_frames(struct outbox *o, struct buf *const *list, size_t count)
{
	struct outbox_part *parts[OUTBOX_MOVED_MAX + 1];
	size_t len = o->parts_len + o->frames.len;

	assert(count <= OUTBOX_MOVED_MAX);
	for (size_t i = 0; i < count; i++)
		len += list[i]->len;
	if (len > OUTBOX_BYTES_MAX || !make_parts(parts, count + 1))
		return -ENOMEM;
	add_part(o, parts[count], &o->frames);
	for (size_t i = 0; i < count; i++)
		add_part(o, parts[i], list[i]);
	return added(o, 0);
}

/* Where the first frame that was not sent is. */
static const struct buf *
first(const struct outbox *o)
{
	const struct outbox_part *part = STAILQ_FIRST(&o->parts);

	return part != NULL ? &part->frames : &o->frames;
}

/* The messages of as many frames as go in one turn; how many there were. */
static size_t
gather(struct outbox *o, struct iovec *messages)
{
	const struct buf *frames = first(o);
	size_t pos = o->pos, n = 0;
	uint32_t size;

	for (; n < TURN_MAX && pos < frames->len; n++) {
		memcpy(&size, frames->bytes + pos, sizeof(size));
		messages[n].iov_base = frames->bytes + pos + sizeof(size);
		messages[n].iov_len = size;
		pos += sizeof(size) + size;
	}
	return n;
}

/* 0 or a negative errno. */
static int
send_some(struct outbox *o)
{
	struct iovec messages[TURN_MAX];
	int sent = pair_send(o->fd, messages, gather(o, messages), MSG_DONTWAIT);

	for (int i = 0; i < sent; i++)
		o->pos += sizeof(uint32_t) + messages[i].iov_len;
	return sent < 0 ? sent : 0;
}

/* A pair that is never quite empty must not keep all that ever went through it, and one
 * large change must not stay in memory. */
static void
drop_sent(struct outbox *o)
{
	if (o->pos == o->frames.len) {
		if (o->frames.size > KEPT_BYTES)
			buf_done(&o->frames);
		else
			buf_clear(&o->frames);
		o->pos = 0;
	} else if (o->pos > KEPT_BYTES && o->pos > o->frames.len / 2) {
		buf_consume(&o->frames, o->pos);
		o->pos = 0;
	}
}

/* What was sent of the parts; true while anything waits. */
static bool
next_part(struct outbox *o)
{
	while (!STAILQ_EMPTY(&o->parts) && o->pos == first(o)->len) {
		drop_part(o);
		o->pos = 0;
	}
	return o->pos < first(o)->len;
}

/* The rest once the others had their turn. */
static int
go_on_later(struct outbox *o)
{
	static const struct timeval now = {0};

	return event_add(o->flush, &now) < 0 ? -ENOMEM : 0;
}

static void
on_turn(int fd, short what, void *ctx)
{
	struct outbox *o = ctx;
	int r = 0;

	(void)fd;
	if ((what & EV_WRITE) != 0)
		o->blocked = false;
	if (next_part(o) && !o->blocked)
		r = send_some(o);
	if (r == -EAGAIN || r == -ENOBUFS) {
		o->blocked = true;
		r = event_add(o->writable, NULL) < 0 ? -ENOMEM : 0;
	}
	if (r >= 0 && next_part(o) && !o->blocked)
		r = go_on_later(o);
	if (r < 0) {
		o->broken(o->ctx);
		return;
	}
	if (STAILQ_EMPTY(&o->parts))
		drop_sent(o);
}
