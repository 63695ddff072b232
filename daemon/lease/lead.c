/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/lead.h"

#include <stdlib.h>
#include <string.h>

/* Of a service of which nothing is known. */
#define UNTOLD UINT64_MAX

_Static_assert(WAY_NAMED_MAX < ENFORCER_LIST_MAX, "a LEAD takes all ways of a service");

void
lead_init(struct lead *l, const struct backends *backends)
{
	*l = (struct lead){.backends = backends};
}

void
lead_done(struct lead *l)
{
	free(l->told);
	l->told = NULL;
}

static struct enforcer_way
record_of(size_t service, const struct way *way)
{
	return (struct enforcer_way){
	    .service = (uint32_t)service,
	    .weight = way->weight,
	    .addr = way->addr,
	    .proto = way->proto,
	    .port = way->port,
	};
}

static void
describe_service(struct lead *l, struct change *change, const struct registry *registry,
    size_t service)
{
	struct backends_walk walk = {0};
	struct way way;

	while (backends_way(l->backends, registry, service, &walk, &way)) {
		const struct enforcer_way record = record_of(service, &way);

		change_way(change, &record);
	}
	if (l->told != NULL)
		l->told[service - 1] = backends_stamp(l->backends, registry, service);
}

void
lead_describe(struct lead *l, struct change *change, const struct registry *registry)
{
	free(l->told);
	l->registry = registry;
	l->count = way_services(registry);
	/* without it every service with names is told once more */
	l->told = calloc(l->count + 1, sizeof(*l->told));
	l->next = 1;
	l->changes = backends_changes(l->backends);
	for (size_t service = 1; service <= l->count; service++)
		describe_service(l, change, registry, service);
	if (l->told == NULL)
		l->changes = UNTOLD;
}

static void
make_message(const struct lead *l, const struct registry *registry, size_t service,
    struct enforcer_message *m)
{
	struct backends_walk walk = {0};
	struct way way;

	memset(m, 0, offsetof(struct enforcer_message, body));
	m->kind = ENFORCER_LEAD;
	m->body.ways[m->count++] = (struct enforcer_way){.service = (uint32_t)service};
	while (backends_way(l->backends, registry, service, &walk, &way))
		m->body.ways[m->count++] = record_of(service, &way);
}

/* Room for what was told, when there was no memory before. */
static bool
has_memory(struct lead *l)
{
	if (l->told == NULL) {
		l->told = calloc(l->count + 1, sizeof(*l->told));
		lead_forget(l);
	}
	return l->told != NULL;
}

bool
lead_next(struct lead *l, const struct registry *registry, struct enforcer_message *m)
{
	const uint64_t changes = backends_changes(l->backends);

	if (registry != l->registry || l->count == 0 ||
	    (l->next > l->count && l->changes == changes))
		return false;
	if (!has_memory(l))
		return false;
	if (l->changes != changes) {
		l->changes = changes;
		l->next = 1;
	}
	for (; l->next <= l->count; l->next++) {
		const uint64_t stamp = backends_stamp(l->backends, registry, l->next);

		if (!way_is_named(registry, l->next) || l->told[l->next - 1] == stamp)
			continue;
		l->told[l->next - 1] = stamp;
		make_message(l, registry, l->next++, m);
		return true;
	}
	return false;
}

void
lead_forget(struct lead *l)
{
	for (size_t i = 0; l->told != NULL && i < l->count; i++)
		l->told[i] = UNTOLD;
	l->next = 1;
}
