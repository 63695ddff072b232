/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to the enforcer that wait to be sent: gathered during a loop turn, sent in
 * batches at its end, kept while the pair is full. Of a large change only so many
 * messages go in one turn that the loop's other work does not wait for it.
 *
 * The owner of the struct calls outbox_done. Frames above OUTBOX_BYTES_MAX are refused
 * whole.
 */
#ifndef DAEMON_LEASE_OUTBOX_H
#define DAEMON_LEASE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/macros.h"
#include "daemon/enforcer/enforcer.h"

#define OUTBOX_MOVED_MAX 4
#define OUTBOX_BYTES_MAX ((size_t)512 * 1024 * 1024)

struct event;
struct event_base;

/* Frames that were moved in, and what was there before them. */
struct outbox_part {
	STAILQ_ENTRY(outbox_part) link;
	struct buf frames;
};

struct outbox {
	int fd;                           /* borrowed */
	STAILQ_HEAD(, outbox_part) parts; /* in front of frames */
	size_t parts_len;                 /* bytes in them */
	struct buf frames;
	size_t pos; /* of the first frame not sent, of the first part or of frames */
	bool blocked;
	struct event *writable;
	struct event *flush; /* made active by hand: runs at the end of the turn */
	void (*broken)(void *ctx);
	void *ctx;
};

/* broken is called, from the loop, when the pair no longer takes anything. -ENOMEM. */
MUST_CHECK int outbox_init(struct outbox *o, struct event_base *base, int fd,
    void (*broken)(void *ctx), void *ctx);
void outbox_done(struct outbox *o);

/* -ENOMEM, and nothing was taken. */
MUST_CHECK int outbox_add(struct outbox *o, const struct enforcer_message *m);
/* Frames as outbox_frame makes them. */
MUST_CHECK int outbox_add_frames(struct outbox *o, const struct buf *frames);

/* The same of several (OUTBOX_MOVED_MAX), in this order, which are empty then:
 * nothing is copied. */
MUST_CHECK int outbox_move_frames(
    struct outbox *o, struct buf *const *list, size_t count);

/* One message behind its length: the form in which messages wait. */
void outbox_frame(struct buf *frames, const struct enforcer_message *m);
/* Give every message of the frames this id. */
void outbox_set_id(struct buf *frames, uint32_t id);

#endif
