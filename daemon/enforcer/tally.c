/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/tally.h"

#include <string.h>

void
tally_init(struct tally *t)
{
	memset(t, 0, sizeof(*t));
}

bool
tally_turn(struct tally *t, int64_t now_ms)
{
	if (now_ms < t->until_ms)
		return false;
	t->until_ms = now_ms + TALLY_PERIOD_MS;
	t->packets = t->flow_count = t->source_count = 0;
	return true;
}

/* NULL: too many in this second. */
static struct tally_source *
source_get(struct tally *t, const struct addr *addr)
{
	for (size_t i = 0; i < t->source_count; i++)
		if (addr_equal(&t->sources[i].addr, addr))
			return &t->sources[i];
	if (t->source_count == TALLY_SOURCES)
		return NULL;
	t->sources[t->source_count] = (struct tally_source){.addr = *addr};
	return &t->sources[t->source_count++];
}

static bool
is_known(const struct tally *t, const struct enforcer_refused *flow)
{
	for (size_t i = 0; i < t->flow_count; i++) {
		const struct enforcer_refused *f = &t->flows[i];

		if (f->port == flow->port && f->proto == flow->proto &&
		    addr_equal(&f->destination, &flow->destination) &&
		    addr_equal(&f->source, &flow->source))
			return true;
	}
	return false;
}

enum tally_word
tally_add(struct tally *t, const struct enforcer_refused *flow, bool *ret_loud)
{
	struct tally_source *source = source_get(t, &flow->source);

	t->packets++;
	*ret_loud = source == NULL || ++source->packets >= TALLY_SOURCE_PACKETS;
	if (is_known(t, flow))
		return TALLY_KNOWN;
	if (source == NULL || source->flows == TALLY_SOURCE_FLOWS ||
	    t->flow_count == TALLY_FLOWS)
		return TALLY_BEYOND;
	source->flows++;
	t->flows[t->flow_count++] = *flow;
	return TALLY_TELL;
}

bool
tally_is_full(const struct tally *t)
{
	return t->packets >= TALLY_PACKETS;
}
