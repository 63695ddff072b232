/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/recent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	struct addr pod; /* family 0: anybody */
	struct addr addr;
	int64_t until_ms;
	struct name name;
};

struct recent {
	struct hash_key key;
	struct slot slots[RECENT_SLOTS];
};

int
recent_new(const struct hash_key *key, struct recent **ret_recent)
{
	struct recent *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	r->key = *key;
	*ret_recent = r;
	return 0;
}

void
recent_free(struct recent *r)
{
	free(r);
}

static size_t
place_of(const struct recent *r, const struct addr *pod, const struct addr *addr)
{
	const struct addr key[2] = {*pod, *addr};

	return hash_bytes(&r->key, key, sizeof(key)) % RECENT_SLOTS;
}

static void
put(struct recent *r, const struct addr *pod, const struct addr *addr,
    const struct name *name, int64_t until_ms)
{
	struct slot *slot = &r->slots[place_of(r, pod, addr)];

	slot->pod = *pod;
	slot->addr = *addr;
	slot->until_ms = until_ms;
	slot->name.len = name->len;
	slot->name.labels = name->labels;
	memcpy(slot->name.bytes, name->bytes, name->len);
}

void
recent_note(struct recent *r, const struct addr *pod, const struct addr *addr,
    const struct name *name, int64_t now_ms)
{
	const struct addr anybody = {0};

	put(r, &anybody, addr, name, now_ms + RECENT_MS);
	if (pod->family != 0)
		put(r, pod, addr, name, now_ms + RECENT_MS);
}

void
recent_note_answer(struct recent *r, const struct addr *pod, const struct answer *a,
    uint64_t keep, const struct name *name, int64_t now_ms)
{
	for (size_t i = 0; i < a->address_count; i++)
		if ((keep >> i & 1) != 0 &&
		    (pod->family == 0 || pod->family == a->addresses[i].addr.family))
			recent_note(r, pod, &a->addresses[i].addr, name, now_ms);
}

const struct name *
recent_find(const struct recent *r, const struct addr *pod, const struct addr *addr,
    int64_t now_ms)
{
	const struct addr anybody = {0};
	const struct addr *who = pod != NULL ? pod : &anybody;
	const struct slot *slot = &r->slots[place_of(r, who, addr)];

	if (slot->until_ms <= now_ms || !addr_equal(&slot->pod, who) ||
	    !addr_equal(&slot->addr, addr))
		return NULL;
	return &slot->name;
}
