/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/interceptor.h"

#include <netinet/in.h>

#include "daemon/enforcer/element.h"
#include "daemon/enforcer/rule.h"

#define DNS_PORT 53

const struct endpoint *
interceptor_find(const struct ruleset *rs, uint8_t family)
{
	const struct endpoint *first = NULL;

	for (size_t i = 0; i < rs->listen_count; i++) {
		const struct endpoint *e = &rs->listen[i];

		if (e->addr.family != family)
			continue;
		if (e->port != DNS_PORT)
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

void
interceptor_put(struct netlink *nl, const struct ruleset *rs)
{
	/* without, somebody else may turn port 53 to any of them */
	if (!rs->table.intercept)
		return;
	for (size_t i = 0; i < rs->listen_count; i++) {
		const struct endpoint *e = &rs->listen[i];
		const struct endpoint *turned = interceptor_find(rs, e->addr.family);

		if (e->port == DNS_PORT && turned->port != DNS_PORT &&
		    !element_is_wildcard(&e->addr))
			put_untracked(nl, e);
	}
}
