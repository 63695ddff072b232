/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/report_admission.h"

#include <string.h>

#include "daemon/log/history.h"

void
report_init(struct report *r, const struct hash_key *key, struct history *history)
{
	memset(r, 0, sizeof(*r));
	r->key = *key;
	r->history = history;
}

/* No pod may take all of them: the others would not be heard of. */
static bool
take_token(struct report *r, const struct addr *pod, int64_t now_ms)
{
	uint8_t *told =
	    &r->pod_told[hash_bytes(&r->key, pod, sizeof(*pod)) % REPORT_PODS];

	if (r->second != now_ms / 1000) {
		r->second = now_ms / 1000;
		r->tokens = REPORT_RATE;
		memset(r->pod_told, 0, sizeof(r->pod_told));
	}
	if (r->tokens == 0 || *told == REPORT_POD_RATE)
		return false;
	r->tokens--;
	++*told;
	return true;
}

bool
report_is_told(const struct report *r, uint64_t hash, int64_t now_ms)
{
	const struct report_slot *slot = &r->slots[hash % REPORT_SLOTS];

	return slot->hash == hash && slot->until_ms > now_ms;
}

struct report_slot *
report_admit_key(struct report *r, const struct addr *pod, const uint8_t *key, size_t len,
    int64_t now_ms, uint64_t *ret_suppressed)
{
	const uint64_t hash = hash_bytes(&r->key, key, len);
	struct report_slot *slot = &r->slots[hash % REPORT_SLOTS];

	if (report_is_told(r, hash, now_ms)) {
		slot->suppressed++;
		r->suppressed_total++;
		history_repeat(r->history, slot->place, hash, now_ms);
		return NULL;
	}
	if (!take_token(r, pod, now_ms)) {
		r->suppressed++;
		r->suppressed_total++;
		return NULL;
	}
	*ret_suppressed = r->suppressed + slot->suppressed;
	r->suppressed = 0;
	*slot = (struct report_slot){
	    .hash = hash, .until_ms = now_ms + REPORT_PERIOD_MS, .place = HISTORY_MAX};
	return slot;
}

struct report_slot *
report_admit(struct report *r, const struct report_subject *s, enum log_event event,
    int64_t now_ms, uint64_t *ret_suppressed)
{
	uint8_t key[1 + sizeof(*s->pod) + NAME_WIRE_MAX];

	key[0] = (uint8_t)event;
	memcpy(key + 1, s->pod, sizeof(*s->pod));
	memcpy(key + 1 + sizeof(*s->pod), s->name->bytes, s->name->len);
	return report_admit_key(
	    r, s->pod, key, 1 + sizeof(*s->pod) + s->name->len, now_ms, ret_suppressed);
}
