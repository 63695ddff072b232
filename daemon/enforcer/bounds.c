/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/bounds.h"

#include <string.h>

#include "daemon/enforcer/ruleset.h"
#include "policy/registry/way.h"

bool
bounds_addr(const struct addr *a)
{
	const uint8_t zero[sizeof(a->bytes)] = {0};
	const size_t size = a->family == AF_INET ? 4 : 16;

	if (a->family != AF_INET && a->family != AF_INET6)
		return false;
	return memcmp(a->bytes + size, zero, sizeof(a->bytes) - size) == 0;
}

static bool
is_switch(uint8_t value)
{
	return value <= 1;
}

static bool
is_proto(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

bool
bounds_table(const struct enforcer_table *t)
{
	return is_switch(t->enforce) && is_switch(t->intercept) && is_switch(t->drop) &&
	       is_switch(t->adopt) && is_switch(t->own) && t->set_size >= 1 &&
	       t->set_size <= BOUNDS_SET_SIZE_MAX && t->timeout_max_ms >= 1 &&
	       t->timeout_max_ms <= ENFORCER_TIMEOUT_MAX_MS &&
	       t->query_rate <= BOUNDS_QUERY_RATE_MAX &&
	       t->query_burst <= t->query_rate &&
	       (t->query_burst != 0 || t->query_rate == 0);
}

bool
bounds_name(const char name[ENFORCER_NAME_MAX])
{
	const size_t len = strnlen(name, ENFORCER_NAME_MAX);

	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return len < ENFORCER_NAME_MAX;
}

bool
bounds_pattern(const char pattern[IFNAMSIZ])
{
	const size_t len = strnlen(pattern, IFNAMSIZ);

	if (len == 0 || len == IFNAMSIZ || strcmp(pattern, "*") == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (pattern[i] <= ' ' || pattern[i] > '~' || pattern[i] == '/')
			return false;
		if (pattern[i] == '*' && i + 1 != len)
			return false;
	}
	return true;
}

bool
bounds_prefix(const struct prefix *p)
{
	uint8_t behind;

	if (!bounds_addr(&p->addr) || p->len > addr_len(&p->addr) * 8)
		return false;
	for (size_t i = p->len / 8; i < addr_len(&p->addr); i++) {
		behind = i == p->len / 8 ? (uint8_t)(0xff >> p->len % 8) : 0xff;
		if (p->addr.bytes[i] & behind)
			return false;
	}
	return true;
}

bool
bounds_listen(const struct endpoint *e)
{
	return bounds_addr(&e->addr) && e->port != 0;
}

bool
bounds_fixed(const struct enforcer_fixed *f)
{
	return bounds_prefix(&f->pods) && bounds_prefix(&f->destination) &&
	       f->pods.addr.family == f->destination.addr.family && f->port != 0 &&
	       is_proto(f->proto) && f->service <= WAYS_MAX &&
	       (f->service == 0 || f->pods.len == 0 ||
		   f->pods.len == addr_len(&f->pods.addr) * 8);
}

/* Never a host that a pod reaches by its address: this network and unspecified (RFC 1122
 * section 3.2.1.3), loopback, multicast and broadcast, and what IPv6 maps of IPv4 (RFC
 * 4291 section 2.5.5.2), which is not for the wire. */
static bool
is_host(const struct addr *a)
{
	const uint8_t *b = a->bytes;
	const uint8_t zero[12] = {0};
	const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const uint8_t all_ones[4] = {0xff, 0xff, 0xff, 0xff};

	if (a->family == AF_INET)
		return b[0] != 0 && b[0] != 127 && (b[0] & 0xf0) != 224 &&
		       memcmp(b, all_ones, sizeof(all_ones)) != 0;
	/* ::, ::1 and the IPv4-compatible addresses that nobody uses any more */
	return b[0] != 0xff && memcmp(b, zero, sizeof(zero)) != 0 &&
	       memcmp(b, mapped, sizeof(mapped)) != 0;
}

bool
bounds_way(const struct enforcer_way *w)
{
	const struct addr none = {0};

	if (w->service == 0 || w->service > WAYS_MAX || w->weight == 0 ||
	    !is_proto(w->proto) || w->port == 0)
		return false;
	if (w->addr.family == 0)
		return addr_equal(&w->addr, &none);
	return bounds_addr(&w->addr) && is_host(&w->addr);
}

bool
bounds_lead(const struct enforcer_way *list, size_t count, uint32_t services)
{
	const struct addr none = {0};

	if (count == 0 || list->service == 0 || list->service > services ||
	    list->weight != 0 || list->port != 0 || list->proto != 0 ||
	    !addr_equal(&list->addr, &none))
		return false;
	for (size_t i = 1; i < count; i++)
		if (!bounds_way(&list[i]) || list[i].service != list->service)
			return false;
	return true;
}

bool
bounds_revoke(const struct enforcer_lease *l)
{
	return bounds_addr(&l->pod) && bounds_addr(&l->destination) &&
	       l->pod.family == l->destination.family;
}

bool
bounds_key(const struct enforcer_lease *l)
{
	return bounds_revoke(l) && l->port != 0 && is_proto(l->proto);
}

bool
bounds_pod(const struct addr *a, const struct prefix *pods, size_t pod_count)
{
	return prefixes_contain(pods, pod_count, a);
}

static bool
is_within(const struct prefix *p, const struct prefix *pods, size_t pod_count)
{
	for (size_t i = 0; i < pod_count; i++)
		if (pods[i].len <= p->len && prefix_contains(&pods[i], &p->addr))
			return true;
	return false;
}

bool
bounds_cut(const struct enforcer_cut *c, const struct prefix *pods, size_t pod_count)
{
	const struct addr none = {0};

	if (!bounds_prefix(&c->pods) || !is_within(&c->pods, pods, pod_count))
		return false;
	if (c->destination.family == 0)
		return addr_equal(&c->destination, &none) && c->proto == 0 &&
		       c->port == 0;
	return bounds_addr(&c->destination) &&
	       c->destination.family == c->pods.addr.family &&
	       c->pods.len == addr_len(&c->pods.addr) * 8 && is_proto(c->proto) &&
	       c->port != 0;
}

bool
bounds_live(const struct enforcer_live *l, const struct prefix *pods, size_t pod_count)
{
	return bounds_addr(&l->pod) && bounds_addr(&l->destination) &&
	       l->pod.family == l->destination.family && l->port != 0 &&
	       is_proto(l->proto) && l->zero == 0 && bounds_pod(&l->pod, pods, pod_count);
}

bool
bounds_lease(const struct enforcer_lease *l, const struct prefix *pods, size_t pod_count,
    uint32_t timeout_max_ms)
{
	if (!bounds_key(l) || !is_host(&l->destination) || l->timeout_ms == 0 ||
	    l->timeout_ms > timeout_max_ms || l->renew > 1)
		return false;
	return !ruleset_is_metadata(&l->destination) &&
	       bounds_pod(&l->pod, pods, pod_count);
}
