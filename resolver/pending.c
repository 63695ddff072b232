/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/pending.h"

#include <errno.h>

uint64_t
pending_hash(const struct hash_key *hash_key, const struct pending_key *key)
{
	const uint64_t parts[] = {
	    name_hash(hash_key, key->name),
	    key->generation,
	    key->group,
	    key->type,
	};

	return hash_bytes(hash_key, parts, sizeof(parts));
}

void
pending_init(struct pending *p, const struct pending_key *key)
{
	p->generation = key->generation;
	p->group = key->group;
	p->name = *key->name;
	p->type = key->type;
	p->waiter_count = 0;
	TAILQ_INIT(&p->waiters);
}

static bool
matches(const struct table_link *link, const void *arg)
{
	const struct pending_key *key = arg;
	const struct pending *p =
	    (const struct pending *)(const void *)((const char *)link -
						   offsetof(struct pending, link));

	return p->generation == key->generation && p->group == key->group &&
	       p->type == key->type && name_equal(&p->name, key->name);
}

struct pending *
pending_find(const struct table *t, uint64_t hash, const struct pending_key *key)
{
	struct table_link *link = table_find(t, hash, matches, key);

	return link == NULL ? NULL : CONTAINER_OF(link, struct pending, link);
}

int
pending_join(struct pending *p, struct resolver_waiter *waiter)
{
	if (p->waiter_count >= RESOLVER_WAITERS_MAX)
		return -EBUSY;
	p->waiter_count++;
	waiter->pending = p;
	TAILQ_INSERT_TAIL(&p->waiters, waiter, link);
	return 0;
}

void
pending_leave(struct resolver_waiter *waiter)
{
	struct pending *p = waiter->pending;

	if (p == NULL)
		return;
	TAILQ_REMOVE(&p->waiters, waiter, link);
	p->waiter_count--;
	waiter->pending = NULL;
}

void
pending_tell(struct pending *p, int result, struct answer *a, bool old)
{
	struct pending told = {.waiter_count = p->waiter_count};
	struct resolver_waiter *waiter;

	/* Apart from who comes meanwhile, but where pending_leave finds them. */
	TAILQ_INIT(&told.waiters);
	TAILQ_CONCAT(&told.waiters, &p->waiters, link);
	p->waiter_count = 0;
	TAILQ_FOREACH(waiter, &told.waiters, link)
	{
		waiter->pending = &told;
	}
	while ((waiter = TAILQ_FIRST(&told.waiters)) != NULL) {
		pending_leave(waiter);
		waiter->old = old;
		waiter->done(waiter, result, a);
	}
}
