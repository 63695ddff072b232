/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/interceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "daemon/enforcer/conntrack.h"
#include "daemon/enforcer/element.h"
#include "daemon/enforcer/rule.h"

#define DNS_PORT 53
/* Of flows, about 200 each: a quarter of a second, in which nothing is committed. */
#define LOOK_PIECES_MAX 1000

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

/* Chain dns can lead nobody there: the kernel drops what comes from elsewhere. */
static bool
is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	return a->family == AF_INET ? a->bytes[0] == IN_LOOPBACKNET
				    : memcmp(a->bytes, one, sizeof(one)) == 0;
}

const struct endpoint *
interceptor_find(const struct ruleset *rs, uint8_t family)
{
	const struct endpoint *first = NULL, *loopback = NULL;

	for (size_t i = 0; i < rs->listen_count; i++) {
		const struct endpoint *e = &rs->listen[i];

		if (e->addr.family != family)
			continue;
		if (is_loopback(&e->addr))
			loopback = e;
		else if (is_apart(rs, e))
			return e;
		else if (first == NULL)
			first = e;
	}
	return first != NULL ? first : loopback;
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
	/* without interception somebody else may turn port 53 to any of them */
	for (size_t i = 0; i < rs->listen_count && rs->table.intercept; i++) {
		const struct endpoint *e = &rs->listen[i];
		const struct endpoint *turned = interceptor_find(rs, e->addr.family);

		if (rs->alone != NULL && e->port == DNS_PORT &&
		    !element_is_wildcard(&e->addr) &&
		    endpoint_equal(turned, &rs->alone->turned[index_of(e->addr.family)]))
			put_untracked(nl, e);
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
	struct endpoint answers;

	if (flow->proto != IPPROTO_UDP)
		return;
	answers = conntrack_answers(flow);
	if (answers.port == DNS_PORT && listens_on(old->rs, &answers) &&
	    !endpoint_equal(&answers, &meant))
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
	for (int pieces = 0; r == 0 && pieces < LOOK_PIECES_MAX; pieces++)
		r = conntrack_read(&c, note_flow, old);
	conntrack_close(&c);
	if (r == 0)
		return -E2BIG;
	return r < 0 ? r : 0;
}

static bool
is_same(const struct interceptor_alone *a, const struct interceptor_alone *b)
{
	return endpoint_equal(&a->turned[0], &b->turned[0]) &&
	       endpoint_equal(&a->turned[1], &b->turned[1]);
}

bool
interceptor_settle(const struct ruleset *rs, struct interceptor_alone *alone, bool *look)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct interceptor_alone now = {0};
	struct old_flows old = {.rs = rs};
	bool may_look = *look, new[2] = {false};

	*look = false;
	for (size_t i = 0; i < ARRAY_LEN(families) && rs->table.intercept; i++) {
		const struct endpoint *turned = interceptor_find(rs, families[i]);

		if (turned == NULL || !is_apart(rs, turned))
			continue;
		now.turned[i] = *turned;
		new[i] = !endpoint_equal(turned, &alone->turned[i]);
	}
	if (new[0] || new[1]) {
		*look = may_look;
		/* not known: then there may be some */
		if (!may_look || find_old_flows(&old) < 0)
			old.found[0] = old.found[1] = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (new[i] && old.found[i])
			now.turned[i] = (struct endpoint){0};
	if (is_same(&now, alone))
		return false;
	*alone = now;
	return true;
}
