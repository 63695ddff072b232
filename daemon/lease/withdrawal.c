/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/withdrawal.h"

#include <errno.h>
#include <string.h>

#include "daemon/enforcer/enforcer.h"
#include "daemon/lease/change.h"
#include "daemon/lease/outbox.h"

/* Every message but the last one is full, so a record's number tells where it is. */
#define HEADER (sizeof(uint32_t) + offsetof(struct enforcer_message, body))

void
withdrawal_init(struct withdrawal *w, bool cut)
{
	*w = (struct withdrawal){.cut = cut};
	buf_init(&w->revokes, OUTBOX_BYTES_MAX);
	buf_init(&w->cuts, OUTBOX_BYTES_MAX);
}

void
withdrawal_done(struct withdrawal *w)
{
	buf_done(&w->revokes);
	buf_done(&w->cuts);
}

/* Where the message of record i begins, its length in front. */
static size_t
message_at(uint32_t i, size_t record_size)
{
	return i / ENFORCER_LIST_MAX * (HEADER + ENFORCER_LIST_MAX * record_size);
}

static size_t
record_at(uint32_t i, size_t record_size)
{
	return message_at(i, record_size) + HEADER + i % ENFORCER_LIST_MAX * record_size;
}

/* As record i, behind all others. */
static void
append(struct buf *b, enum enforcer_kind kind, uint32_t i, const void *record,
    size_t record_size)
{
	struct enforcer_message m;
	uint32_t size;
	char *bytes;

	if (i % ENFORCER_LIST_MAX == 0) {
		memset(&m, 0, offsetof(struct enforcer_message, body));
		m.kind = (uint16_t)kind;
		outbox_frame(b, &m);
	}
	buf_append(b, record, record_size);
	if (b->failed)
		return;
	bytes = b->bytes + message_at(i, record_size);
	memcpy(&size, bytes, sizeof(size));
	memcpy(&m, bytes + sizeof(size), offsetof(struct enforcer_message, body));
	size += (uint32_t)record_size;
	m.count++;
	memcpy(bytes, &size, sizeof(size));
	memcpy(bytes + sizeof(size), &m, offsetof(struct enforcer_message, body));
}

int
withdrawal_add(struct withdrawal *w, const struct lease *lease)
{
	const struct enforcer_lease revoke =
	    change_make_lease(&lease->pod->addr, &lease->target);
	const struct enforcer_cut cut =
	    change_make_cut(&lease->pod->addr, &lease->target);

	append(&w->revokes, ENFORCER_REVOKE, w->len, &revoke, sizeof(revoke));
	if (w->cut)
		append(&w->cuts, ENFORCER_CUT, w->len, &cut, sizeof(cut));
	/* what is half in says nothing that is not said */
	if (w->revokes.failed || w->cuts.failed)
		return -ENOMEM;
	w->len++;
	return 0;
}

void
withdrawal_take_back(struct withdrawal *w, uint32_t record)
{
	static const struct enforcer_lease revoke;
	static const struct enforcer_cut cut;

	if (w->revokes.len == 0)
		return; /* a change has taken them, which is to make what it says */
	memcpy(w->revokes.bytes + record_at(record - 1, sizeof(revoke)), &revoke,
	    sizeof(revoke));
	if (w->cuts.len != 0)
		memcpy(w->cuts.bytes + record_at(record - 1, sizeof(cut)), &cut,
		    sizeof(cut));
	w->taken_back++;
}
