/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/witness/sets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY4 16
#define KEY6 40

enum set_kind { SET_LEASES, SET_FIXED, SET_OPEN };

static const struct {
	const char *name;
	uint8_t family, kind, key_len;
} SETS[] = {
    {"leases4", AF_INET, SET_LEASES, KEY4},
    {"leases6", AF_INET6, SET_LEASES, KEY6},
    {"fixed4", AF_INET, SET_FIXED, KEY4},
    {"fixed6", AF_INET6, SET_FIXED, KEY6},
    {"open4", AF_INET, SET_OPEN, 4},
    {"open6", AF_INET6, SET_OPEN, 16},
};

int
sets_find(const char *name, size_t *ret_key_len)
{
	for (size_t i = 0; i < ARRAY_LEN(SETS); i++) {
		if (strcmp(SETS[i].name, name) == 0) {
			*ret_key_len = SETS[i].key_len;
			return (int)i;
		}
	}
	return -ENOENT;
}

int
sets_init(struct sets *s)
{
	memset(s, 0, sizeof(*s));
	s->ranges = calloc(SETS_RANGES_MAX, sizeof(*s->ranges));
	if (s->ranges == NULL)
		return -ENOMEM;
	return table_init(&s->reaches, SETS_REACHES_MAX);
}

void
sets_done(struct sets *s)
{
	struct table_link *link = table_first(&s->reaches), *next;

	for (; link != NULL; link = next) {
		struct reach *r = CONTAINER_OF(link, struct reach, link);

		next = table_next(&s->reaches, link);
		while (r->leases != NULL) {
			struct lease_seen *l = r->leases;

			r->leases = l->next;
			free(l);
		}
		free(r);
	}
	table_done(&s->reaches);
	free(s->ranges);
	free(s->changes);
}

struct reach_key {
	const struct addr *pod, *dst;
};

static bool
reach_matches(const struct table_link *link, const void *key)
{
	const struct reach *r = CONTAINER_OF(link, struct reach, link);
	const struct reach_key *k = key;

	return addr_equal(&r->pod, k->pod) && addr_equal(&r->dst, k->dst);
}

struct reach *
sets_reach(struct sets *s, const struct addr *pod, const struct addr *dst, bool make)
{
	const struct reach_key key = {pod, dst};
	uint8_t bytes[32];
	struct table_link *link;
	struct reach *r;
	uint64_t hash;

	memcpy(bytes, pod->bytes, 16);
	memcpy(bytes + 16, dst->bytes, 16);
	hash = hash_bytes(&s->key, bytes, sizeof(bytes));
	link = table_find(&s->reaches, hash, reach_matches, &key);
	if (link != NULL)
		return CONTAINER_OF(link, struct reach, link);
	r = make ? calloc(1, sizeof(*r)) : NULL;
	if (r == NULL)
		return NULL;
	r->pod = *pod;
	r->dst = *dst;
	r->answered_ns = SETS_NEVER;
	if (table_add(&s->reaches, hash, &r->link) == 0)
		return r;
	free(r);
	return NULL;
}

struct lease_seen *
reach_lease(const struct reach *r, uint8_t proto, uint16_t port)
{
	struct lease_seen *l = r->leases;

	while (l != NULL && (l->proto != proto || l->port != port))
		l = l->next;
	return l;
}

static bool
period_within(const struct period *p, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t end = p->end_ns == SETS_NEVER ? SETS_NEVER : p->end_ns + SETS_EDGE_NS;

	return p->from_ns <= to_ns && from_ns <= MIN_OF(end, p->gone_ns);
}

bool
lease_seen_within(const struct lease_seen *l, uint64_t from_ns, uint64_t to_ns)
{
	return period_within(&l->now, from_ns, to_ns) ||
	       (l->before.from_ns != SETS_NEVER &&
		   period_within(&l->before, from_ns, to_ns));
}

bool
lease_seen_at(const struct lease_seen *l, uint64_t at_ns)
{
	return l->now.from_ns <= at_ns && at_ns < l->now.gone_ns &&
	       (l->now.end_ns == SETS_NEVER || at_ns + SETS_EDGE_NS <= l->now.end_ns);
}

/* Each part of the key is in its own range. */
static bool
range_holds(const struct range_seen *r, const uint8_t *key, size_t len, size_t addr_size)
{
	size_t parts[] = {addr_size, addr_size, 4, 4}, pos = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts) && pos < len; i++) {
		if (memcmp(key + pos, r->low + pos, parts[i]) < 0 ||
		    memcmp(key + pos, r->high + pos, parts[i]) > 0)
			return false;
		pos += parts[i];
	}
	return true;
}

static bool
find_range(const struct sets *s, enum set_kind kind, const struct addr *pod,
    const uint8_t *key, size_t len)
{
	for (size_t i = 0; i < s->range_count; i++) {
		const struct range_seen *r = &s->ranges[i];

		if (r->set == kind && r->family == pod->family &&
		    range_holds(r, key, len, addr_len(pod)))
			return true;
	}
	return false;
}

bool
sets_fixed(const struct sets *s, const struct addr *pod, const struct addr *dst,
    uint8_t proto, uint16_t port)
{
	size_t n = addr_len(pod);
	uint8_t key[SETS_KEY_MAX] = {0};

	memcpy(key, pod->bytes, n);
	memcpy(key + n, dst->bytes, n);
	key[2 * n] = proto;
	key[2 * n + 4] = (uint8_t)(port >> 8);
	key[2 * n + 5] = (uint8_t)port;
	return find_range(s, SET_FIXED, pod, key, 2 * n + 8);
}

bool
sets_fixed_any(const struct sets *s, const struct addr *pod, const struct addr *dst)
{
	size_t n = addr_len(pod);
	uint8_t key[SETS_KEY_MAX] = {0};

	memcpy(key, pod->bytes, n);
	memcpy(key + n, dst->bytes, n);
	return find_range(s, SET_FIXED, pod, key, 2 * n);
}

bool
sets_open(const struct sets *s, const struct addr *pod)
{
	return find_range(s, SET_OPEN, pod, pod->bytes, addr_len(pod));
}

static int
lease_take(struct sets *s, const struct change_seen *c, uint64_t at_ns)
{
	uint8_t family = SETS[c->set].family;
	struct addr pod = addr_make(family, c->low), dst;
	size_t n = addr_len(&pod);
	struct lease_seen *l;
	struct reach *r;
	uint16_t port = (uint16_t)(c->low[2 * n + 4] << 8 | c->low[2 * n + 5]);
	uint64_t end_ns;

	dst = addr_make(family, c->low + n);
	r = sets_reach(s, &pod, &dst, c->add);
	if (r == NULL)
		return c->add ? -ENOSPC : 0;
	l = reach_lease(r, c->low[2 * n], port);
	if (!c->add) {
		if (l != NULL)
			l->now.gone_ns = MIN_OF(l->now.gone_ns, at_ns);
		return 0;
	}
	if (l == NULL) {
		l = calloc(1, sizeof(*l));
		if (l == NULL)
			return -ENOMEM;
		*l = (struct lease_seen){.next = r->leases, .port = port};
		l->proto = c->low[2 * n];
		l->now.from_ns = l->before.from_ns = SETS_NEVER;
		r->leases = l;
	}
	end_ns = c->left_ns == SETS_NEVER ? SETS_NEVER : at_ns + c->left_ns;
	/* taken out and put back in one transaction it was never away */
	if (l->now.from_ns == SETS_NEVER || l->now.gone_ns < at_ns ||
	    l->now.end_ns < at_ns) {
		l->before = l->now;
		l->now.from_ns = at_ns;
		l->due_ns = end_ns;
		l->used = false;
		s->opened++;
	} else if (end_ns > l->now.end_ns) {
		l->due_ns = l->used ? end_ns : l->due_ns;
		s->renewed++;
	}
	l->now.gone_ns = SETS_NEVER;
	l->now.end_ns = end_ns;
	return 0;
}

static int
range_take(struct sets *s, const struct change_seen *c)
{
	struct range_seen r = {.family = SETS[c->set].family, .set = SETS[c->set].kind};

	memcpy(r.low, c->low, sizeof(r.low));
	memcpy(r.high, c->high, sizeof(r.high));
	for (size_t i = 0; i < s->range_count; i++) {
		if (memcmp(&s->ranges[i], &r, sizeof(r)) == 0)
			s->ranges[i--] = s->ranges[--s->range_count];
	}
	if (!c->add)
		return 0;
	if (s->range_count == SETS_RANGES_MAX)
		return -ENOSPC;
	s->ranges[s->range_count++] = r;
	return 0;
}

/* A set is gone. */
static void
set_end(struct sets *s, uint8_t set, uint64_t at_ns)
{
	uint8_t family = SETS[set].family, kind = SETS[set].kind;

	for (size_t i = 0; i < s->range_count; i++) {
		if (s->ranges[i].family == family && s->ranges[i].set == kind)
			s->ranges[i--] = s->ranges[--s->range_count];
	}
	if (kind != SET_LEASES)
		return;
	for (struct table_link *t = table_first(&s->reaches); t != NULL;
	     t = table_next(&s->reaches, t)) {
		struct reach *r = CONTAINER_OF(t, struct reach, link);

		for (struct lease_seen *l = r->leases; l != NULL; l = l->next) {
			if (r->pod.family == family)
				l->now.gone_ns = MIN_OF(l->now.gone_ns, at_ns);
		}
	}
}

int
sets_apply(struct sets *s, uint64_t at_ns)
{
	int err = 0;

	for (size_t i = 0; i < s->change_count && err == 0; i++) {
		const struct change_seen *c = &s->changes[i];

		if (c->all)
			set_end(s, c->set, at_ns);
		else if (SETS[c->set].kind == SET_LEASES)
			err = lease_take(s, c, at_ns);
		else
			err = range_take(s, c);
	}
	for (size_t i = 0; i < s->change_count && err == 0; i++)
		s->withdrawn += !s->changes[i].add;
	s->change_count = 0;
	s->transactions++;
	return err;
}

int
sets_change(struct sets *s, const struct change_seen *c)
{
	if (s->change_count == SETS_CHANGES_MAX)
		return -ENOSPC;
	if (s->change_count == s->change_room) {
		size_t room = MIN_OF(s->change_room * 2 + 64, (size_t)SETS_CHANGES_MAX);
		void *grown = reallocarray(s->changes, room, sizeof(*s->changes));

		if (grown == NULL)
			return -ENOMEM;
		s->changes = grown;
		s->change_room = room;
	}
	s->changes[s->change_count++] = *c;
	return 0;
}
