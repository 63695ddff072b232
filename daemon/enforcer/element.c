/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/element.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <libnftnl/udata.h>

#include "daemon/enforcer/element_list.h"
#include "daemon/enforcer/layout.h"

/* In a concatenation each field fills whole registers of 4 bytes. */
#define KEY_MAX ELEMENT_KEY_MAX
/* Revoking makes an element before it deletes it, so a full set needs room for this many
 * that have already ended. */
#define REVOKE_CHUNK 64
/* nft marks a last interval that has no end, by this user data (struct
 * nftnl_udata_set_elem_flags). */
#define INTERVAL_OPEN 0x1

/* The comment is one NFTNL_UDATA_SET_ELEM_COMMENT of type, length and text. */
static_assert(ENFORCER_NAME_MAX + 2 < UINT8_MAX, "a name fits as comment");

static const char *
leases_set(uint8_t family)
{
	return layout_set(family, "leases4", "leases6");
}

size_t
element_make_key(const struct addr *pod, const struct addr *destination, uint8_t proto,
    uint16_t port, uint8_t key[KEY_MAX])
{
	const size_t size = addr_len(pod);
	const uint16_t wire_port = htobe16(port);

	memset(key, 0, KEY_MAX);
	memcpy(key, pod->bytes, size);
	memcpy(key + size, destination->bytes, size);
	key[2 * size] = proto;
	memcpy(key + 2 * size + 4, &wire_port, sizeof(wire_port));
	return 2 * size + 8;
}

size_t
element_key(const struct enforcer_lease *lease, uint8_t key[KEY_MAX])
{
	return element_make_key(
	    &lease->pod, &lease->destination, lease->proto, lease->port, key);
}

/* Two leases of one key have these bytes in common: all before renew. */
static int
compare_keys(const void *a, const void *b)
{
	const struct element *left = a, *right = b;

	static_assert(offsetof(struct enforcer_lease, renew) ==
			  2 * sizeof(struct addr) + sizeof(uint16_t) + sizeof(uint8_t),
	    "no padding inside of the key");
	return memcmp(left->lease, right->lease, offsetof(struct enforcer_lease, renew));
}

size_t
element_merge(struct element *list, size_t count)
{
	size_t len = 0;
	bool renew;

	if (count > 1)
		qsort(list, count, sizeof(*list), compare_keys);
	for (size_t i = 0; i < count; i++) {
		if (len == 0 || compare_keys(&list[len - 1], &list[i]) != 0) {
			list[len++] = list[i];
			continue;
		}
		renew = list[len - 1].renew || list[i].renew;
		if (list[i].timeout_ms > list[len - 1].timeout_ms)
			list[len - 1] = list[i];
		list[len - 1].renew = renew;
	}
	return len;
}

static void
put_comment(struct nlmsghdr *nlh, const char *name)
{
	const size_t size = strlen(name) + 1;
	uint8_t data[NFT_USERDATA_MAXLEN];

	if (size == 1)
		return;
	assert(size <= ENFORCER_NAME_MAX);
	data[0] = NFTNL_UDATA_SET_ELEM_COMMENT;
	data[1] = (uint8_t)size;
	memcpy(data + 2, name, size);
	mnl_attr_put(nlh, NFTA_SET_ELEM_USERDATA, size + 2, data);
}

/* In leases4, or, if ports, where it leads in leaseports4. */
static void
put_lease(struct element_list *l, const struct element *e, bool ports)
{
	struct nlattr *nest = element_list_next(l);
	const uint16_t to = htobe16(e->lease->to);
	uint8_t key[KEY_MAX];
	size_t len;

	if (nest == NULL)
		return;
	len = element_key(e->lease, key);
	element_list_key(l, NFTA_SET_ELEM_KEY, key, len);
	if (l->type == NFT_MSG_NEWSETELEM) {
		mnl_attr_put_u64(l->nlh, NFTA_SET_ELEM_TIMEOUT, htobe64(e->timeout_ms));
		put_comment(l->nlh, e->name);
		if (ports)
			element_list_key(l, NFTA_SET_ELEM_DATA, &to, sizeof(to));
	}
	mnl_attr_nest_end(l->nlh, nest);
}

/* How many in front are of the same family as the first; element_merge sorts by it. */
static size_t
family_len(const struct element *list, size_t count)
{
	size_t len = 0;

	while (len < count && list[len].lease->pod.family == list[0].lease->pod.family)
		len++;
	return len;
}

/* All, or only those that are to be renewed. */
static void
put_leases(
    struct element_list l, const struct element *list, size_t count, bool only_renew)
{
	for (size_t i = 0; i < count; i++)
		if (!only_renew || list[i].renew)
			put_lease(&l, &list[i], false);
	element_list_close(&l);
}

/* The same of those that lead to another port. */
static void
put_ports(
    struct element_list l, const struct element *list, size_t count, bool only_renew)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].lease->to != 0 && (!only_renew || list[i].renew))
			put_lease(&l, &list[i], true);
	element_list_close(&l);
}

void
element_grant(struct netlink *nl, const struct element *list, size_t count)
{
	const char *set, *ports;
	size_t len;

	for (; count != 0; list += len, count -= len) {
		const uint8_t family = list->lease->pod.family;

		len = family_len(list, count);
		set = leases_set(family);
		ports = layout_set(family, "leaseports4", "leaseports6");
		put_leases(element_list_add(nl, set), list, len, false);
		put_leases(element_list_delete(nl, set), list, len, true);
		put_leases(element_list_add(nl, set), list, len, true);
		put_ports(element_list_add(nl, ports), list, len, false);
		put_ports(element_list_delete(nl, ports), list, len, true);
		put_ports(element_list_add(nl, ports), list, len, true);
	}
}

static void
put_cuts(struct netlink *nl, const struct element *list, size_t count, bool drop)
{
	const char *set;
	size_t len;

	for (; count != 0; list += len, count -= len) {
		len = family_len(list, count);
		set = layout_set(list->lease->pod.family, "cut4", "cut6");
		put_leases(element_list_add(nl, set), list, len, false);
		if (drop)
			put_leases(element_list_delete(nl, set), list, len, false);
	}
}

void
element_put_cuts(struct netlink *nl, const struct element *list, size_t count)
{
	put_cuts(nl, list, count, false);
}

void
element_drop_cuts(struct netlink *nl, const struct element *list, size_t count)
{
	put_cuts(nl, list, count, true);
}

void
element_revoke(struct netlink *nl, const struct element *list, size_t count)
{
	const char *set;
	size_t len;

	for (; count != 0; list += len, count -= len) {
		len = MIN_OF(family_len(list, count), REVOKE_CHUNK);
		set = leases_set(list->lease->pod.family);
		put_leases(element_list_add(nl, set), list, len, false);
		put_leases(element_list_delete(nl, set), list, len, false);
	}
}

/* One end of an interval: where it begins, or the first address behind it. */
static void
put_bound(struct element_list *l, const struct addr *a, uint32_t flags, bool open)
{
	/* type, length, 4 bytes in host order, as libnftnl's nftnl_udata_put_u32() */
	const uint32_t open_flag = INTERVAL_OPEN;
	uint8_t data[6] = {NFTNL_UDATA_SET_ELEM_FLAGS, sizeof(open_flag)};
	struct nlattr *nest = element_list_next(l);

	if (nest == NULL)
		return;
	if (flags != 0)
		mnl_attr_put_u32(l->nlh, NFTA_SET_ELEM_FLAGS, htobe32(flags));
	element_list_key(l, NFTA_SET_ELEM_KEY, a->bytes, addr_len(a));
	if (open) {
		memcpy(data + 2, &open_flag, sizeof(open_flag));
		mnl_attr_put(l->nlh, NFTA_SET_ELEM_USERDATA, sizeof(data), data);
	}
	mnl_attr_nest_end(l->nlh, nest);
}

void
element_put_ranges(
    struct netlink *nl, const char *set, const struct cover_range *ranges, size_t count)
{
	struct element_list l = element_list_add(nl, set);
	struct addr zero, end;

	if (count == 0)
		return;
	/* nft begins with the gap before the first interval: it lists sets by that */
	zero = (struct addr){.family = ranges[0].first.family};
	if (!addr_equal(&ranges[0].first, &zero))
		put_bound(&l, &zero, NFT_SET_ELEM_INTERVAL_END, false);
	for (size_t i = 0; i < count; i++) {
		const bool closed = cover_next(&ranges[i].last, &end);

		put_bound(&l, &ranges[i].first, 0, !closed);
		if (closed)
			put_bound(&l, &end, NFT_SET_ELEM_INTERVAL_END, false);
	}
	element_list_close(&l);
}

void
element_put_boxes(
    struct netlink *nl, const char *set, const struct cover_box *boxes, size_t count)
{
	struct element_list l = element_list_add(nl, set);
	uint8_t key[KEY_MAX];
	struct nlattr *nest;
	size_t len;

	for (size_t i = 0; i < count; i++) {
		const struct cover_box *b = &boxes[i];

		nest = element_list_next(&l);
		if (nest == NULL)
			return;
		len = element_make_key(
		    &b->pods.first, &b->destinations.first, b->proto, b->port, key);
		element_list_key(&l, NFTA_SET_ELEM_KEY, key, len);
		len = element_make_key(
		    &b->pods.last, &b->destinations.last, b->proto, b->port, key);
		element_list_key(&l, NFTA_SET_ELEM_KEY_END, key, len);
		mnl_attr_nest_end(l.nlh, nest);
	}
	element_list_close(&l);
}

void
element_put_addresses(struct netlink *nl, const char *set, uint8_t family,
    const struct addr *list, size_t count)
{
	struct element_list l = element_list_add(nl, set);
	struct nlattr *nest;

	for (size_t i = 0; i < count; i++) {
		if (list[i].family != family)
			continue;
		nest = element_list_next(&l);
		if (nest == NULL)
			return;
		element_list_key(
		    &l, NFTA_SET_ELEM_KEY, list[i].bytes, addr_len(&list[i]));
		mnl_attr_nest_end(l.nlh, nest);
	}
	element_list_close(&l);
}

bool
element_is_wildcard(const struct addr *a)
{
	const struct addr any = {.family = a->family};

	return addr_equal(a, &any);
}

void
element_put_endpoints(struct netlink *nl, const char *set, uint8_t family,
    const struct endpoint *list, size_t count)
{
	struct element_list l = element_list_add(nl, set);
	uint8_t key[16 + 4] = {0};
	struct nlattr *nest;
	uint16_t port;
	size_t size;

	for (size_t i = 0; i < count; i++) {
		if (list[i].addr.family != family || element_is_wildcard(&list[i].addr))
			continue;
		nest = element_list_next(&l);
		if (nest == NULL)
			return;
		size = addr_len(&list[i].addr);
		port = htobe16(list[i].port);
		memcpy(key, list[i].addr.bytes, size);
		memcpy(key + size, &port, sizeof(port));
		element_list_key(&l, NFTA_SET_ELEM_KEY, key, size + 4);
		mnl_attr_nest_end(l.nlh, nest);
	}
	element_list_close(&l);
}

void
element_flush(struct netlink *nl, const char *set)
{
	struct nlmsghdr *nlh = netlink_add(nl, NFT_MSG_DELSETELEM, 0);

	if (nlh == NULL)
		return;
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, NETLINK_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	netlink_added(nl, nlh);
}
