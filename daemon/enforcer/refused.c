/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/refused.h"

#include <string.h>

#include "daemon/enforcer/flow.h"

_Static_assert(NFLOG_ROUND <= ENFORCER_LIST_MAX, "what one call reads fits one message");

void
refused_init(struct refused *r, refused_say_fn say, void *ctx)
{
	memset(r, 0, sizeof(*r));
	r->say = say;
	r->ctx = ctx;
	r->out.kind = ENFORCER_REFUSED;
	tally_init(&r->tally);
}

static void
say(struct refused *r, int result)
{
	r->out.result = result;
	r->say(r->ctx, &r->out);
	r->out.result = 0;
	r->out.count = 0;
	r->out.packets = r->out.lost = 0;
}

void
refused_stop(struct refused *r)
{
	if (r->listening)
		nflog_close(&r->nflog);
	r->listening = r->deaf = false;
	r->mute.count = 0;
}

void
refused_done(struct refused *r)
{
	refused_stop(r);
}

void
refused_without(struct refused *r, int reason)
{
	refused_stop(r);
	say(r, reason);
}

void
refused_listen(struct refused *r, uint16_t group)
{
	int result;

	if (r->listening && r->group == group)
		return;
	refused_stop(r);
	r->group = group;
	result = nflog_open(&r->nflog, group);
	r->listening = result == 0;
	if (result < 0)
		say(r, result);
}

int
refused_fd(const struct refused *r)
{
	return r->listening && !r->deaf ? r->nflog.fd : -1;
}

bool
refused_is_due(const struct refused *r, int64_t *ret_until_ms)
{
	if (!r->listening || (!r->deaf && r->mute.count == 0 && r->out.packets == 0))
		return false;
	*ret_until_ms = r->tally.until_ms;
	return true;
}

static void
on_packet(void *ctx, const uint8_t *packet, size_t len)
{
	struct refused *r = ctx;
	struct enforcer_refused flow;
	bool loud = false;

	r->out.packets++;
	if (flow_parse(packet, len, &flow) < 0) {
		r->out.lost++;
		return;
	}
	switch (tally_add(&r->tally, &flow, &loud)) {
	case TALLY_TELL:
		r->out.body.refused[r->out.count++] = flow;
		break;
	case TALLY_KNOWN:
		break;
	case TALLY_BEYOND:
		r->out.lost++;
		break;
	}
	if (loud && mute_add(&r->mute, r->nflog.fd, &flow.source) < 0)
		r->deaf = true;
}

void
refused_work(struct refused *r, int64_t now_ms)
{
	bool turned = tally_turn(&r->tally, now_ms);
	uint32_t missing;

	if (!r->listening)
		return;
	if (turned) {
		mute_clear(&r->mute, r->nflog.fd);
		r->deaf = false;
	}
	if (!r->deaf) {
		missing = nflog_read(&r->nflog, on_packet, r);
		r->out.packets += missing;
		r->out.lost += missing;
		r->deaf |= tally_is_full(&r->tally);
	}
	if (r->out.count > 0 || (turned && r->out.packets > 0))
		say(r, 0);
}
