/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/outbox.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>

#define BATCH 32 /* messages in one system call */
/* Of sent messages, and of room for later ones. */
#define KEPT_BYTES ((size_t)1024 * 1024)

static void on_turn(int fd, short what, void *ctx);

int
outbox_init(struct outbox *o, struct event_base *base, int fd, void (*broken)(void *ctx),
    void *ctx)
{
	*o = (struct outbox){.fd = fd, .broken = broken, .ctx = ctx};
	buf_init(&o->frames, OUTBOX_BYTES_MAX);
	o->writable = event_new(base, fd, EV_WRITE, on_turn, o);
	o->flush = event_new(base, -1, 0, on_turn, o);
	if (o->writable == NULL || o->flush == NULL) {
		outbox_done(o);
		return -ENOMEM;
	}
	return 0;
}

void
outbox_done(struct outbox *o)
{
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

/* As many frames as one call takes; how many there were. */
static unsigned
gather(struct outbox *o, struct mmsghdr *msgs, struct iovec *iovs)
{
	size_t pos = o->pos;
	unsigned n = 0;
	uint32_t size;

	for (; n < BATCH && pos < o->frames.len; n++) {
		memcpy(&size, o->frames.bytes + pos, sizeof(size));
		iovs[n].iov_base = o->frames.bytes + pos + sizeof(size);
		iovs[n].iov_len = size;
		msgs[n] =
		    (struct mmsghdr){.msg_hdr = {.msg_iov = &iovs[n], .msg_iovlen = 1}};
		pos += sizeof(size) + size;
	}
	return n;
}

/* One system call's worth; how many messages went, or a negative errno. */
static int
send_some(struct outbox *o)
{
	struct mmsghdr msgs[BATCH];
	struct iovec iovs[BATCH];
	unsigned n = gather(o, msgs, iovs);
	int sent;

	do {
		sent = sendmmsg(o->fd, msgs, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	for (int i = 0; i < sent; i++)
		o->pos += sizeof(uint32_t) + iovs[i].iov_len;
	return sent < 0 ? -errno : sent;
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

static void
on_turn(int fd, short what, void *ctx)
{
	struct outbox *o = ctx;
	int r = 0;

	(void)fd;
	if ((what & EV_WRITE) != 0)
		o->blocked = false;
	while (!o->blocked && r >= 0 && o->pos < o->frames.len) {
		r = send_some(o);
		if (r == -EAGAIN || r == -ENOBUFS) {
			o->blocked = true;
			r = event_add(o->writable, NULL) < 0 ? -ENOMEM : 0;
		}
	}
	if (r < 0) {
		o->broken(o->ctx);
		return;
	}
	drop_sent(o);
}
