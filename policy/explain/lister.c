/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/explain/lister.h"

#include <stdio.h>
#include <string.h>

#include "policy/registry/image.h"

/* The next list behind g (NULL: the first) that holds a, of the first so many. */
static const struct fixed_group *
next_lister(const struct registry *r, const struct fixed_group *g, const struct addr *a)
{
	size_t count = MIN_OF(r->fixed.group_count, LISTER_MAX);

	g = g != NULL ? g + 1 : r->fixed.groups;
	while (g < r->fixed.groups + count &&
	       !prefixes_contain(g->addresses, g->address_count, a))
		g++;
	return g < r->fixed.groups + count ? g : NULL;
}

const struct registry_host *
lister_find(const struct registry *r, const struct addr *a)
{
	const struct fixed_group *g = next_lister(r, NULL, a);

	return g != NULL ? g->host : NULL;
}

/* Of a wildcard: is the name "any" below it seen as the host's? */
static bool
sees(const struct registry *r, const struct workload *w, const struct registry_host *h)
{
	char text[NAME_TEXT_MAX];
	struct verdict v;
	struct name name;

	(void)snprintf(text, sizeof(text), "%s%s", h->wildcard ? "any" : "",
	    h->host + (h->wildcard ? 1 : 0)); /* fits */
	if (name_parse(text, strlen(text), &name) < 0)
		return false;
	registry_judge(r, w, &name, &v);
	return v.host == h && v.kind == VERDICT_HOST;
}

bool
lister_opens(const struct registry *r, const struct workload *w, const struct addr *a,
    uint16_t port, uint8_t proto)
{
	for (const struct fixed_group *g = next_lister(r, NULL, a); g != NULL;
	     g = next_lister(r, g, a)) {
		if (registry_port(g->ports, g->port_count, port, proto) != NULL &&
		    (g->audience->all || (w != NULL && sees(r, w, g->host))))
			return true;
	}
	return false;
}
