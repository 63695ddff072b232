/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/interceptor.h"

#include <netinet/in.h>
#include <string.h>

#include "daemon/enforcer/conntrack.h"
#include "daemon/enforcer/element.h"
#include "daemon/enforcer/rule.h"

#define DNS_PORT 53

static bool
listens_on(const struct ruleset *rs, const struct endpoint *e)
{
	for (size_t i = 0; i < rs->listen_count; i++)
		if (endpoint_equal(&rs->listen[i], e))
			return true;
	return false;
}

/* On the same address as one that pods ask, but on a port that they do not. */
static bool
is_apart(const struct ruleset *rs, const struct endpoint *e)
{
	const struct endpoint asked = {.addr = e->addr, .port = DNS_PORT};

	return e->port != DNS_PORT && listens_on(rs, &asked);
}

const struct endpoint *
interceptor_find(const struct ruleset *rs, uint8_t family)
{
	const struct endpoint *first = NULL;

	for (size_t i = 0; i < rs->listen_count; i++) {
		const struct endpoint *e = &rs->listen[i];

		if (e->addr.family != family)
			continue;
		if (is_apart(rs, e))
			return e;
		if (first == NULL)
			first = e;
	}
	return first;
}

/* Whoever the other end is: a set's lookup here would cost what conntrack does, and who
 * is no pod is refused. */
static void
put_untracked(struct netlink *nl, const struct endpoint *e)
{
	struct rule r;

	rule_begin(&r, nl, "query");
	rule_to(&r, IPPROTO_UDP, e);
	rule_notrack(&r);
	rule_end(&r);
	rule_begin(&r, nl, "reply");
	rule_from(&r, IPPROTO_UDP, e);
	rule_notrack(&r);
	rule_end(&r);
}

static size_t
index_of(uint8_t family)
{
	return family == AF_INET6;
}

void
interceptor_put(struct netlink *nl, const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->listen_count; i++) {
		const struct endpoint *e = &rs->listen[i];
		const struct endpoint *turned = interceptor_find(rs, e->addr.family);

		if (rs->alone != NULL && e->port == DNS_PORT &&
		    !element_is_wildcard(&e->addr) &&
		    endpoint_equal(turned, &rs->alone->turned[index_of(e->addr.family)]))
			put_untracked(nl, e);
	}
}

void
interceptor_put_strayed(
    struct netlink *nl, const struct ruleset *rs, const char *chain, const char *to)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct rule r;

	for (size_t i = 0; i < rs->listen_count; i++) {
		const struct endpoint *e = &rs->listen[i];

		for (size_t j = 0; j < ARRAY_LEN(protocols); j++) {
			if (element_is_wildcard(&e->addr) ||
			    (rs->table.intercept && e->port == DNS_PORT))
				continue;
			rule_begin(&r, nl, chain);
			rule_to(&r, protocols[j], e);
			rule_goto(&r, to);
			rule_end(&r);
		}
	}
}

/* Flows of another time, that lead to a listener which pods ask. */
struct old_flows {
	const struct ruleset *rs;
	bool found[2];
};

static void
note_flow(void *ctx, const struct conntrack_flow *flow)
{
	struct old_flows *old = ctx;
	const struct endpoint meant = {.addr = flow->destination, .port = flow->port};

	if (flow->proto == IPPROTO_UDP && listens_on(old->rs, &flow->answers) &&
	    !endpoint_equal(&flow->answers, &meant) && !is_apart(old->rs, &flow->answers))
		old->found[index_of(flow->source.family)] = true;
}

static int
find_old_flows(struct old_flows *old)
{
	struct conntrack c;
	int r = conntrack_open(&c);

	if (r < 0)
		return r;
	r = conntrack_ask(&c, 0);
	while (r == 0)
		r = conntrack_read(&c, note_flow, old);
	conntrack_close(&c);
	return r < 0 ? r : 0;
}

bool
interceptor_settle(const struct ruleset *rs, struct interceptor_alone *alone, bool *look)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct interceptor_alone now = {0};
	struct old_flows old = {.rs = rs};
	bool may_look = *look;

	*look = false;
	for (size_t i = 0; i < ARRAY_LEN(families) && rs->table.intercept; i++) {
		const struct endpoint *turned = interceptor_find(rs, families[i]);

		if (turned != NULL && is_apart(rs, turned))
			now.turned[i] = *turned;
	}
	if (memcmp(&now, alone, sizeof(now)) == 0)
		return false;
	*look = may_look;
	/* not known: then there may be some */
	if (!may_look || find_old_flows(&old) < 0)
		old.found[0] = old.found[1] = true;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (old.found[i] && !endpoint_equal(&now.turned[i], &alone->turned[i]))
			now.turned[i] = (struct endpoint){0};
	if (memcmp(&now, alone, sizeof(now)) == 0)
		return false;
	*alone = now;
	return true;
}
