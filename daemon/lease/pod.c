/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/pod.h"

#include <assert.h>
#include <stdlib.h>

int
pods_init(struct pods *p, const struct hash_key *key)
{
	p->key = *key;
	p->known = NULL;
	p->strangers = 0;
	return table_init(&p->table, PODS_MAX);
}

void
pods_done(struct pods *p)
{
	assert(p->table.len == 0);
	table_done(&p->table);
}

static bool
match(const struct table_link *link, const void *key)
{
	return addr_equal(&CONTAINER_OF(link, const struct pod, link)->addr, key);
}

struct pod *
pods_get(struct pods *p, const struct addr *addr)
{
	uint64_t hash = hash_bytes(&p->key, addr, sizeof(*addr));
	struct table_link *link = table_find(&p->table, hash, match, addr);
	struct pod *pod;
	bool stranger;

	if (link != NULL)
		return pod_ref(CONTAINER_OF(link, struct pod, link));
	stranger = p->known != NULL && !p->known(p->ctx, addr);
	if (stranger && p->strangers >= PODS_STRANGERS_MAX)
		return NULL;
	pod = calloc(1, sizeof(*pod));
	if (pod == NULL)
		return NULL;
	if (table_add(&p->table, hash, &pod->link) < 0) {
		free(pod);
		return NULL;
	}
	pod->addr = *addr;
	pod->stranger = stranger;
	p->strangers += stranger;
	TAILQ_INIT(&pod->line);
	return pod_ref(pod);
}

struct pod *
pod_ref(struct pod *pod)
{
	pod->refs++;
	return pod;
}

bool
pod_may_have_more(uint32_t mine, uint32_t per_pod, size_t taken, size_t limit)
{
	if (taken >= limit)
		return false;
	return mine < (taken < limit / 2 ? per_pod : per_pod / 8);
}

void
pods_put(struct pods *p, struct pod *pod)
{
	assert(pod->refs > 0);
	if (--pod->refs > 0)
		return;
	assert(pod->leases == 0 && pod->claims == 0 && pod->queries == 0 &&
	       pod->lined == 0 && pod->connections == 0);
	p->strangers -= pod->stranger;
	table_remove(&p->table, &pod->link);
	free(pod);
}
