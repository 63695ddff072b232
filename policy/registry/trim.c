/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/trim.h"

#include <string.h>

#include "policy/registry/tree.h"

#define TRIMS_FIRST 64 /* room that the table begins with */

struct trim_key {
	const struct definition *def;
	const uint8_t *served;
	size_t left;
};

int
trims_init(struct trims *t, const struct hash_key *key)
{
	t->key = *key;
	return table_init(&t->table, TRIMS_FIRST);
}

void
trims_done(struct trims *t)
{
	table_done(&t->table);
}

/* Has trimmed exactly the ports of whole that are served? Both are in one order. */
static bool
same_ports(const struct registry_host *trimmed, const struct trim_key *k)
{
	const struct registry_host *whole = k->def->host;
	size_t n = 0;

	if (trimmed->port_count != k->left)
		return false;
	for (size_t i = 0; i < whole->port_count; i++) {
		if (k->served[i] == 0)
			continue;
		if (trimmed->ports[n].number != whole->ports[i].number ||
		    trimmed->ports[n].proto != whole->ports[i].proto)
			return false;
		n++;
	}
	return true;
}

static bool
matches(const struct table_link *link, const void *key)
{
	const struct definition_host *h =
	    CONTAINER_OF(link, struct definition_host, link);
	const struct trim_key *k = key;

	return h->definition == k->def && same_ports(h->host, k);
}

static uint64_t
key_hash(const struct trims *t, const struct trim_key *k)
{
	struct hash_key key = {{t->key.k[0] ^ k->def->host->id, t->key.k[1]}};

	return hash_bytes(&key, k->served, k->def->host->port_count);
}

static struct registry_host *
make_host(struct memory *image, const struct trim_key *k)
{
	const struct registry_host *whole = k->def->host;
	struct registry_host *h = memory_alloc(image, sizeof(*h));
	struct registry_port *ports = memory_array(image, k->left, sizeof(*ports));
	size_t n = 0;

	if (h == NULL || ports == NULL)
		return NULL;
	*h = *whole;
	h->whole = whole;
	for (size_t i = 0; i < whole->port_count; i++)
		if (k->served[i] != 0)
			ports[n++] = whole->ports[i];
	h->ports = ports;
	h->port_count = n;
	return h;
}

static int
add(struct trims *t, struct definitions *d, const struct trim_key *k, uint64_t hash,
    struct definition *def, struct registry_host **ret_host)
{
	struct registry_host *h = make_host(d->image, k);
	int r;

	if (h == NULL)
		return d->image->lack;
	r = definition_add_host(d, def, h);
	if (r == 0)
		r = tree_table_grow(&t->table);
	if (r == 0)
		r = table_add(&t->table, hash, &def->last_host->link);
	if (r == 0)
		*ret_host = h;
	return r;
}

int
trims_get(struct trims *t, struct definitions *d, struct definition *def,
    const uint8_t *served, struct registry_host **ret_host)
{
	struct trim_key k = {.def = def, .served = served};
	struct table_link *link;
	uint64_t hash;

	for (size_t i = 0; served != NULL && i < def->host->port_count; i++)
		k.left += served[i] != 0;
	if (served == NULL || k.left == def->host->port_count) {
		*ret_host = def->host;
		return 0;
	}
	hash = key_hash(t, &k);
	link = table_find(&t->table, hash, matches, &k);
	if (link == NULL)
		return add(t, d, &k, hash, def, ret_host);
	*ret_host = CONTAINER_OF(link, struct definition_host, link)->host;
	return 0;
}
