/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists. Each walks all elements, so that all that is wrong is told at once, and refuses
 * an element that is there already: it is a slip of the pen, and costs a socket, a rule
 * or a second reading.
 */
#include "daemon/config/setting.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DNS_PORT 53
#define AGAIN "it is in the list already: remove one of them"

/* Add one element; count of them are there. */
typedef int (*element_fn)(const struct option_target *t, const struct option *o,
    const struct node *element, void *list, size_t count);

static void *
list_place(const struct option_target *t, const struct option *o)
{
	return (char *)t->config + o->offset;
}

static int
set_list(const struct option_target *t, const struct option *o, const struct node *value,
    void *list, element_fn add)
{
	size_t *ret_count = (void *)((char *)t->config + o->count_offset);
	size_t count = 0;
	int result = 0;
	int r;

	if (value->kind != NODE_SEQUENCE || value->len < o->min || value->len > o->max)
		return setting_refuse(t, o, value, NULL);
	for (const struct node *n = value->child; n != NULL; n = n->next) {
		r = add(t, o, n, list, count);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			result = r;
		else
			*ret_count = ++count;
	}
	return result;
}

static int
add_folder(const struct option_target *t, const struct option *o,
    const struct node *element, void *list, size_t count)
{
	char **folders = list;
	char *copy;

	if (element->kind != NODE_SCALAR || element->text[0] != '/' ||
	    element->len >= PATH_MAX)
		return setting_refuse(t, o, element, NULL);
	for (size_t i = 0; i < count; i++)
		if (strcmp(folders[i], element->text) == 0)
			return setting_refuse(t, o, element, AGAIN);
	copy = strdup(element->text);
	if (copy == NULL)
		return -ENOMEM;
	folders[count] = copy;
	return 0;
}

int
setting_folders(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	return set_list(t, o, value, list_place(t, o), add_folder);
}

/* Why e can be neither bound nor asked, NULL when it can. */
static const char *
endpoint_fault(const struct endpoint *e)
{
	const uint8_t *b = e->addr.bytes;
	static const uint8_t zero[16];

	if (memcmp(b, zero, addr_len(&e->addr)) == 0)
		return "name one address, not all of them";
	if (e->addr.family == AF_INET && (b[0] & 0xf0) >= 0xe0)
		return "multicast, broadcast and reserved addresses serve no DNS";
	if (e->addr.family == AF_INET6 && b[0] == 0xff)
		return "multicast addresses serve no DNS";
	/* fe80::/10 needs an interface, which there is no way to write. */
	if (e->addr.family == AF_INET6 && b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return "link-local IPv6 addresses need an interface: use another address";
	return NULL;
}

static int
add_endpoint(const struct option_target *t, const struct option *o,
    const struct node *element, void *list, size_t count)
{
	struct endpoint *endpoints = list;
	struct endpoint e;
	const char *fault;

	if (element->kind != NODE_SCALAR ||
	    endpoint_parse(element->text, element->len, DNS_PORT, &e) < 0)
		return setting_refuse(t, o, element, NULL);
	fault = endpoint_fault(&e);
	if (fault != NULL)
		return setting_refuse(t, o, element, fault);
	for (size_t i = 0; i < count; i++)
		if (endpoint_equal(&endpoints[i], &e))
			return setting_refuse(t, o, element, AGAIN);
	endpoints[count] = e;
	return 0;
}

int
setting_listen(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	return set_list(t, o, value, list_place(t, o), add_endpoint);
}

int
setting_upstreams(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	return set_list(t, o, value, list_place(t, o), add_endpoint);
}

static int
add_prefix(const struct option_target *t, const struct option *o,
    const struct node *element, void *list, size_t count)
{
	struct prefix *prefixes = list;
	struct prefix p;

	if (element->kind != NODE_SCALAR ||
	    prefix_parse(element->text, element->len, &p) < 0)
		return setting_refuse(t, o, element, NULL);
	if (p.len == 0)
		return setting_refuse(
		    t, o, element, "it holds every address: name the ranges");
	for (size_t i = 0; i < count; i++)
		if (prefixes[i].len == p.len && addr_equal(&prefixes[i].addr, &p.addr))
			return setting_refuse(t, o, element, AGAIN);
	prefixes[count] = p;
	return 0;
}

int
setting_prefixes(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	return set_list(t, o, value, list_place(t, o), add_prefix);
}

/* What the kernel takes as a name (dev_valid_name in net/core/dev.c), in ASCII, and a *
 * at the end. */
static const char *
interface_fault(const char *text, size_t len)
{
	if (len == 0 || len >= IFNAMSIZ)
		return "interface names have 1 to 15 bytes";
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return "no interface can have this name";
	if (strcmp(text, "*") == 0)
		return "it would take in the node's own interfaces: put the beginning of "
		       "the pods' before the *";
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '/' || text[i] == ':')
			return "no interface can have this name";
		if (text[i] == '*' && i + 1 < len)
			return "a * may stand at the end only";
	}
	return NULL;
}

static int
add_interface(const struct option_target *t, const struct option *o,
    const struct node *element, void *list, size_t count)
{
	char(*interfaces)[IFNAMSIZ] = list;
	const char *fault;

	if (element->kind != NODE_SCALAR)
		return setting_refuse(t, o, element, NULL);
	fault = interface_fault(element->text, element->len);
	if (fault != NULL)
		return setting_refuse(t, o, element, fault);
	for (size_t i = 0; i < count; i++)
		if (strcmp(interfaces[i], element->text) == 0)
			return setting_refuse(t, o, element, AGAIN);
	memcpy(interfaces[count], element->text, element->len + 1); /* interface_fault */
	return 0;
}

int
setting_interfaces(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	return set_list(t, o, value, list_place(t, o), add_interface);
}

static int
set_zone_name(const struct option_target *t, const struct option *o,
    const struct node *value, const struct config_zone *zones, size_t count)
{
	struct config_zone *zone = &t->config->zones[count];

	if (value->kind != NODE_SCALAR ||
	    name_parse(value->text, value->len, &zone->name) < 0)
		return setting_refuse(t, o, value, "a domain name is wanted");
	if (zone->name.labels == 0)
		return setting_refuse(
		    t, o, value, "the root holds every name: name the zones");
	for (size_t i = 0; i < count; i++)
		if (name_equal(&zones[i].name, &zone->name))
			return setting_refuse(t, o, value, AGAIN);
	return 0;
}

static int
set_zone_upstreams(const struct option_target *t, const struct option *o,
    const struct node *value, struct config_zone *zone)
{
	int result = 0;

	if (value->kind != NODE_SEQUENCE || value->len == 0 ||
	    value->len > CONFIG_UPSTREAMS_MAX)
		return setting_refuse(t, o, value, "1 to 8 upstreams are wanted");
	for (const struct node *n = value->child; n != NULL; n = n->next) {
		if (add_endpoint(t, o, n, zone->upstreams, zone->upstream_count) < 0)
			result = -EINVAL;
		else
			zone->upstream_count++;
	}
	return result;
}

static int
unknown_zone_key(
    const struct option_target *t, const struct option *o, const struct node *n)
{
	char quoted[FINDING_QUOTE_MAX];

	findings_add(t->findings, FINDING_ERROR, t->file, n->key->line, n->key->column,
	    "%s: unknown key %s: name and upstreams are known here", o->name,
	    finding_quote(n->key->text, n->key->len, quoted));
	return -EINVAL;
}

static int
add_zone(const struct option_target *t, const struct option *o,
    const struct node *element, void *list, size_t count)
{
	struct config_zone *zone = &t->config->zones[count];
	bool has_name = false, has_upstreams = false;
	int result = 0;
	int r;

	if (element->kind != NODE_MAPPING)
		return setting_refuse(t, o, element, NULL);
	*zone = (struct config_zone){0};
	for (const struct node *n = element->child; n != NULL; n = n->next) {
		if (node_is_text(n->key, "name")) {
			has_name = true;
			r = set_zone_name(t, o, n, list, count);
		} else if (node_is_text(n->key, "upstreams")) {
			has_upstreams = true;
			r = set_zone_upstreams(t, o, n, zone);
		} else {
			r = unknown_zone_key(t, o, n);
		}
		result = r < 0 ? r : result;
	}
	if (!has_name || !has_upstreams)
		return setting_refuse(
		    t, o, element, "name and upstreams must both be there");
	return result;
}

int
setting_zones(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	if (value->kind == NODE_SEQUENCE && value->len > 0 && value->len <= o->max) {
		t->config->zones = calloc(value->len, sizeof(*t->config->zones));
		if (t->config->zones == NULL)
			return -ENOMEM;
	}
	return set_list(t, o, value, t->config->zones, add_zone);
}
