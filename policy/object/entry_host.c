/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/entry_host.h"

#include <string.h>

#include "base/name.h"
#include "policy/registry/range.h"
#include "policy/syntax.h"

#define ADDRESS_TEXT_MAX 64

/* E5, E6, W2 */
static bool
check_host(struct reader *rd, const struct node *n)
{
	struct name name;

	if (!reader_text(rd, n, "host")) {
		if (node_is_null(n))
			reader_error(rd, n, "an empty host: remove it");
		return false;
	}
	if (strcmp(n->text, "*") == 0 || strcmp(n->text, "*.") == 0) {
		reader_refuse(rd, n, "host",
		    "would be every name: list domains, or use mode ALLOW_ANY");
		return false;
	}
	if (!syntax_wildcard(n->text, n->len) || name_parse(n->text, n->len, &name) < 0) {
		reader_refuse(rd, n, "host",
		    "is no host name: labels of letters, digits and inner '-', the last "
		    "not all digits, at most 63 bytes each and 253 in all, with \"*.\" "
		    "in "
		    "front for a wildcard; IP addresses go into addresses");
		return false;
	}
	if (n->text[0] == '*' && n->text[1] != '.')
		reader_warning(rd, n,
		    "a partial wildcard matches no name here, and opens no address: "
		    "write \"*.\" and the domain");
	return true;
}

void
entry_host_read(const struct draft *d)
{
	struct service_entry *e = d->entry;
	struct entry_host *h;

	if (!reader_sequence(d->rd, d->hosts, "hosts", SERVICE_ENTRY_HOSTS_MAX))
		return;
	e->hosts = memory_array(d->rd->memory, d->hosts->len, sizeof(*e->hosts));
	if (e->hosts == NULL)
		return;
	for (const struct node *c = d->hosts->child; c != NULL; c = c->next) {
		if (!check_host(d->rd, c))
			continue;
		h = &e->hosts[e->host_count++];
		h->text = reader_copy(d->rd, c);
		h->wildcard = strncmp(c->text, "*.", 2) == 0;
		h->partial = c->text[0] == '*' && !h->wildcard;
		h->line = c->line;
	}
}

/* E7; a zone identifier, which Istio lets pass, fits into no set. */
static bool
read_address(struct reader *rd, const struct node *n, struct prefix *ret_prefix)
{
	if (!reader_text(rd, n, "address")) {
		if (node_is_null(n))
			reader_error(rd, n, "an empty address: remove it");
		return false;
	}
	if (n->len > ADDRESS_TEXT_MAX || prefix_parse(n->text, n->len, ret_prefix) < 0) {
		reader_refuse(rd, n, "address",
		    "is no IP address or CIDR: no leading zeros, no zone, no host name");
		return false;
	}
	if (ret_prefix->len < (ret_prefix->addr.family == AF_INET ? 32 : 128) &&
	    range_covers_metadata(ret_prefix))
		reader_warning(rd, n,
		    "this range covers the cloud's metadata address: list what is meant");
	return true;
}

/* Copies of one family behind those that are there. */
static void
keep_family(struct service_entry *e, const struct prefix *from, size_t n, uint8_t family)
{
	for (size_t i = 0; i < n; i++)
		if (from[i].addr.family == family)
			e->addresses[e->address_count++] = from[i];
}

void
entry_address_read(const struct draft *d)
{
	struct service_entry *e = d->entry;
	struct prefix read[SERVICE_ENTRY_ADDRESSES_MAX];
	size_t n = 0;

	if (!reader_sequence(
		d->rd, d->addresses, "addresses", SERVICE_ENTRY_ADDRESSES_MAX))
		return;
	for (const struct node *c = d->addresses->child; c != NULL; c = c->next)
		if (read_address(d->rd, c, &read[n]))
			n++;
	if (n == 0)
		return;
	e->addresses = memory_array(d->rd->memory, n, sizeof(*e->addresses));
	if (e->addresses == NULL)
		return;
	keep_family(e, read, n, AF_INET);
	keep_family(e, read, n, AF_INET6);
}
