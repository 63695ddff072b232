/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/wildcard.h"

#include <errno.h>
#include <stdlib.h>

struct account {
	uint64_t pod; /* 0: free */
	int64_t begun_ms;
	int64_t used_ms;
	uint32_t names; /* taken since begun_ms */
	size_t bytes;
};

struct wildcard {
	struct hash_key key;
	struct account accounts[WILDCARD_SETS][WILDCARD_WAYS];
	uint64_t names[WILDCARD_NAME_SETS][WILDCARD_WAYS]; /* 0: free */
};

int
wildcard_new(const struct hash_key *key, struct wildcard **ret_wildcard)
{
	struct wildcard *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	w->key = *key;
	*ret_wildcard = w;
	return 0;
}

void
wildcard_free(struct wildcard *w)
{
	free(w);
}

static uint64_t
never_zero(uint64_t hash)
{
	return hash != 0 ? hash : 1;
}

static uint64_t
pod_of(const struct wildcard *w, const struct wildcard_pod *pod)
{
	if (pod->identity != 0)
		return pod->identity;
	return never_zero(hash_bytes(&w->key, pod->addr, sizeof(*pod->addr)));
}

/* The pod's account, or the one in its set that was left alone longest. */
static struct account *
find_account(struct wildcard *w, uint64_t pod)
{
	struct account *set =
	    w->accounts[hash_bytes(&w->key, &pod, sizeof(pod)) % WILDCARD_SETS];
	struct account *oldest = set;

	for (size_t i = 0; i < WILDCARD_WAYS; i++) {
		if (set[i].pod == pod)
			return &set[i];
		if (set[i].used_ms < oldest->used_ms)
			oldest = &set[i];
	}
	return oldest;
}

static uint16_t
minute(int64_t ms)
{
	return (uint16_t)(ms / WILDCARD_PERIOD_MS);
}

/* A name of this account's period: in the low 16 bits the minute in which that began. */
static uint64_t
fingerprint(const struct wildcard *w, const struct account *a, const struct name *name)
{
	const uint64_t parts[] = {
	    name_hash(&w->key, name), a->pod, (uint64_t)a->begun_ms};

	return never_zero(hash_bytes(&w->key, parts, sizeof(parts)) >> 16) << 16 |
	       minute(a->begun_ms);
}

/* Where it is, or where it may be written. */
static uint64_t *
find_name(struct wildcard *w, uint64_t print, int64_t now_ms)
{
	uint64_t *set = w->names[(print >> 16) % WILDCARD_NAME_SETS];
	uint64_t *place = &set[(print >> 16) / WILDCARD_NAME_SETS % WILDCARD_WAYS];

	for (size_t i = 0; i < WILDCARD_WAYS; i++) {
		if (set[i] == print)
			return &set[i];
		if (set[i] == 0 || (uint16_t)(minute(now_ms) - (uint16_t)set[i]) > 1)
			place = &set[i]; /* of a period that is over */
	}
	return place;
}

static bool
has_room(const struct account *a, size_t len, const struct wildcard_budget *budget)
{
	if (budget->names != 0 && a->names >= budget->names)
		return false;
	return budget->bytes == 0 || a->bytes + len <= budget->bytes;
}

static bool
is_present(const struct account *a, uint64_t pod, int64_t now_ms)
{
	return a->pod == pod && now_ms - a->begun_ms < WILDCARD_PERIOD_MS;
}

bool
wildcard_take(struct wildcard *w, const struct wildcard_pod *pod, const struct name *name,
    const struct wildcard_budget *budget, int64_t now_ms)
{
	const uint64_t id = pod_of(w, pod);
	struct account *a;
	uint64_t *place, print;

	if (budget->names == 0 && budget->bytes == 0)
		return true;
	a = find_account(w, id);
	if (!is_present(a, id, now_ms))
		*a = (struct account){.pod = id, .begun_ms = now_ms};
	a->used_ms = now_ms;
	print = fingerprint(w, a, name);
	place = find_name(w, print, now_ms);
	if (*place == print)
		return true;
	if (!has_room(a, name->len, budget))
		return false;
	*place = print;
	a->names++;
	a->bytes += name->len;
	return true;
}

struct wildcard_budget
wildcard_taken(struct wildcard *w, const struct wildcard_pod *pod, int64_t now_ms)
{
	const uint64_t id = pod_of(w, pod);
	const struct account *a = find_account(w, id);

	if (!is_present(a, id, now_ms))
		return (struct wildcard_budget){0};
	return (struct wildcard_budget){.names = a->names, .bytes = a->bytes};
}
