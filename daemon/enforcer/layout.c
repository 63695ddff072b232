/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/layout.h"

#include <netinet/in.h> /* before linux/netfilter.h, which makes way for it */

#include <assert.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include "daemon/enforcer/element.h"
#include "daemon/enforcer/flood.h"

/* nft's own numbers of types and byte orders (enum datatypes and byteorder in its
 * include/datatype.h): they mean nothing to the kernel, and to `nft list` everything. */
#define TYPE_IPADDR 7u
#define TYPE_IP6ADDR 8u
#define TYPE_INET_PROTOCOL 12u
#define TYPE_INET_SERVICE 13u
#define TYPE_BITS 6
#define BYTEORDER_BIG_ENDIAN 2u

enum set_kind {
	SET_LEASES,
	SET_FIXED,
	SET_RANGES,
	SET_LISTEN,
	SET_OPEN,
	SET_RATES,
	SET_CUT,
	/* maps */
	SET_PORTS,    /* flow: port */
	SET_SERVICES, /* flows, by ranges: chain */
	SET_SHARED,   /* the same of every pod */
};

/* What is declared anew comes last: so it stays where it is. */
static const struct set {
	const char *name;
	enum set_kind kind;
	uint32_t addr_type;
	uint32_t addr_len;
} sets[] = {
    {"leases4", SET_LEASES, TYPE_IPADDR, 4},
    {"leases6", SET_LEASES, TYPE_IP6ADDR, 16},
    {"pods4", SET_RANGES, TYPE_IPADDR, 4},
    {"pods6", SET_RANGES, TYPE_IP6ADDR, 16},
    {"internal4", SET_RANGES, TYPE_IPADDR, 4},
    {"internal6", SET_RANGES, TYPE_IP6ADDR, 16},
    {"listen4", SET_LISTEN, TYPE_IPADDR, 4},
    {"listen6", SET_LISTEN, TYPE_IP6ADDR, 16},
    {"open4", SET_OPEN, TYPE_IPADDR, 4},
    {"open6", SET_OPEN, TYPE_IP6ADDR, 16},
    {"rates4", SET_RATES, TYPE_IPADDR, 4},
    {"rates6", SET_RATES, TYPE_IP6ADDR, 16},
    {"cut4", SET_CUT, TYPE_IPADDR, 4},
    {"cut6", SET_CUT, TYPE_IP6ADDR, 16},
    {"leaseports4", SET_PORTS, TYPE_IPADDR, 4},
    {"leaseports6", SET_PORTS, TYPE_IP6ADDR, 16},
    {"fixed4", SET_FIXED, TYPE_IPADDR, 4},
    {"fixed6", SET_FIXED, TYPE_IP6ADDR, 16},
    {"services4", SET_SERVICES, TYPE_IPADDR, 4},
    {"services6", SET_SERVICES, TYPE_IP6ADDR, 16},
    {"shared4", SET_SHARED, TYPE_IPADDR, 4},
    {"shared6", SET_SHARED, TYPE_IP6ADDR, 16},
};

/* raw is at -300, conntrack at -200, dstnat at -100 (linux/netfilter_ipv4.h). */
static const struct chain {
	const char *name;
	const char *type; /* NULL: not a base chain */
	uint32_t hook;
	int32_t priority;
} chains[] = {
    {.name = "refuse"},
    {.name = "link"},
    {.name = "neighbour"},
    {.name = "pod"},
    {.name = "interface"},
    {.name = "intercept"},
    {.name = "guard"},
    {.name = "translate"},
    {.name = "nowhere"},
    {.name = "query", .type = "filter", .hook = NF_INET_PRE_ROUTING, .priority = -300},
    {.name = "reply", .type = "filter", .hook = NF_INET_LOCAL_OUT, .priority = -300},
    {.name = "egress", .type = "filter", .hook = NF_INET_PRE_ROUTING, .priority = -150},
    {.name = "dns", .type = "nat", .hook = NF_INET_PRE_ROUTING, .priority = -105},
    {.name = "lead", .type = "nat", .hook = NF_INET_PRE_ROUTING, .priority = -104},
    {.name = "forward", .type = "filter", .hook = NF_INET_FORWARD, .priority = -150},
};

static void
put_table(struct netlink *nl, uint32_t flags)
{
	const char comment[] = {NFTNL_UDATA_TABLE_COMMENT, sizeof(LAYOUT_COMMENT) + 1};
	char data[sizeof(comment) + sizeof(LAYOUT_COMMENT) + 1];
	struct nlmsghdr *nlh = netlink_add(nl, NFT_MSG_NEWTABLE, NLM_F_CREATE);

	static_assert(LAYOUT_VERSION < 10, "one digit");
	if (nlh == NULL)
		return;
	memcpy(data, comment, sizeof(comment));
	memcpy(data + sizeof(comment), LAYOUT_COMMENT, sizeof(LAYOUT_COMMENT) - 1);
	data[sizeof(data) - 2] = '0' + LAYOUT_VERSION;
	data[sizeof(data) - 1] = '\0';
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NETLINK_TABLE);
	mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htonl(flags));
	mnl_attr_put(nlh, NFTA_TABLE_USERDATA, sizeof(data), data);
	netlink_added(nl, nlh);
}

static void
delete_table(struct netlink *nl)
{
	struct nlmsghdr *nlh = netlink_add(nl, NFT_MSG_DELTABLE, 0);

	if (nlh == NULL)
		return;
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NETLINK_TABLE);
	netlink_added(nl, nlh);
}

static uint32_t
set_flags(enum set_kind kind)
{
	switch (kind) {
	case SET_LEASES:
	case SET_CUT:
		return NFT_SET_TIMEOUT;
	case SET_PORTS:
		return NFT_SET_TIMEOUT | NFT_SET_MAP;
	case SET_SERVICES:
	case SET_SHARED:
		return NFT_SET_INTERVAL | NFT_SET_CONCAT | NFT_SET_MAP;
	case SET_FIXED:
		return NFT_SET_INTERVAL | NFT_SET_CONCAT;
	case SET_RANGES:
		return NFT_SET_INTERVAL;
	case SET_LISTEN:
	case SET_OPEN:
		return 0;
	case SET_RATES:
		return NFT_SET_EVAL | NFT_SET_TIMEOUT;
	}
	return 0;
}

/* Fields of a concatenation are numbered from the right, in TYPE_BITS each. */
static void
key_of(const struct set *s, uint32_t *ret_type, uint32_t *ret_len)
{
	const uint32_t service = s->addr_type << TYPE_BITS | TYPE_INET_SERVICE;
	const uint32_t flow =
	    ((s->addr_type << TYPE_BITS | s->addr_type) << TYPE_BITS | TYPE_INET_PROTOCOL)
		<< TYPE_BITS |
	    TYPE_INET_SERVICE;

	switch (s->kind) {
	case SET_LEASES:
	case SET_CUT:
	case SET_FIXED:
	case SET_PORTS:
	case SET_SERVICES:
		*ret_type = flow;
		*ret_len = 2 * s->addr_len + 4 + 4;
		return;
	case SET_RANGES:
	case SET_OPEN:
	case SET_RATES:
		*ret_type = s->addr_type;
		*ret_len = s->addr_len;
		return;
	case SET_LISTEN:
		*ret_type = service;
		*ret_len = s->addr_len + 4;
		return;
	case SET_SHARED:
		*ret_type = (s->addr_type << TYPE_BITS | TYPE_INET_PROTOCOL)
				<< TYPE_BITS |
			    TYPE_INET_SERVICE;
		*ret_len = s->addr_len + 4 + 4;
		return;
	}
}

/* Is the key one field? */
static bool
is_single(enum set_kind kind)
{
	return kind == SET_RANGES || kind == SET_OPEN || kind == SET_RATES;
}

/* What nft asks of a set besides its type: the byte order of a key of one field, and of a
 * map's data. */
static int
set_user_data(struct nftnl_set *set, enum set_kind kind)
{
	struct nftnl_udata_buf *data = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	bool done;

	if (data == NULL)
		return -ENOMEM;
	done =
	    nftnl_udata_put_u32(data, NFTNL_UDATA_SET_KEYBYTEORDER,
		is_single(kind) ? BYTEORDER_BIG_ENDIAN : 0) != 0 &&
	    (kind != SET_PORTS || nftnl_udata_put_u32(data, NFTNL_UDATA_SET_DATABYTEORDER,
				      BYTEORDER_BIG_ENDIAN) != 0) &&
	    nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(data),
		nftnl_udata_buf_len(data)) == 0;
	nftnl_udata_buf_free(data);
	return done ? 0 : -ENOMEM;
}

/* The data of a map, and the fields of a key that is compared by ranges. */
static int
describe_parts(struct nftnl_set *set, const struct set *s)
{
	const uint8_t flow[] = {(uint8_t)s->addr_len, (uint8_t)s->addr_len, 1, 2};
	const uint8_t shared[] = {(uint8_t)s->addr_len, 1, 2};
	int r = 0;

	if (s->kind == SET_PORTS) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, TYPE_INET_SERVICE);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, sizeof(uint16_t));
	}
	if (s->kind == SET_SERVICES || s->kind == SET_SHARED)
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	if (s->kind == SET_SHARED)
		r = nftnl_set_set_data(
		    set, NFTNL_SET_DESC_CONCAT, shared, sizeof(shared));
	else if (s->kind == SET_FIXED || s->kind == SET_SERVICES)
		r = nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT, flow, sizeof(flow));
	return r == 0 ? 0 : -ENOMEM;
}

static int
describe_set(struct nftnl_set *set, const struct set *s, uint32_t id, uint32_t size)
{
	uint32_t type = 0, len = 0;

	key_of(s, &type, &len);
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, set_flags(s->kind));
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, len);
	if (s->kind == SET_LEASES || s->kind == SET_PORTS)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, size);
	if (s->kind == SET_CUT)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, LAYOUT_CUT_SIZE);
	if (s->kind == SET_RATES) {
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, FLOOD_SETS_SIZE);
		nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, FLOOD_TIMEOUT_MS);
	}
	if (nftnl_set_set_str(set, NFTNL_SET_TABLE, NETLINK_TABLE) != 0 ||
	    nftnl_set_set_str(set, NFTNL_SET_NAME, s->name) != 0)
		return -ENOMEM;
	if (describe_parts(set, s) < 0)
		return -ENOMEM;
	return set_user_data(set, s->kind);
}

static void
put_set(struct netlink *nl, const struct set *s, uint32_t id, uint32_t size)
{
	struct nftnl_set *set = nftnl_set_alloc();
	struct nlmsghdr *nlh = NULL;

	if (set == NULL || describe_set(set, s, id, size) < 0)
		netlink_fail(nl, -ENOMEM);
	else
		nlh = netlink_add(nl, NFT_MSG_NEWSET, NLM_F_CREATE);
	if (nlh != NULL) {
		nftnl_set_nlmsg_build_payload(nlh, set);
		netlink_added(nl, nlh);
	}
	if (set != NULL)
		nftnl_set_free(set);
}

/* Taking elements out of a set by ranges of several fields costs each of them a walk over
 * all others (nft_pipapo_remove), with all changes of rules on the node held up: ten
 * times as many are a hundred times as dear. The set as a whole goes at once. */
static bool
is_dear_to_flush(enum set_kind kind)
{
	return kind == SET_FIXED || kind == SET_SERVICES || kind == SET_SHARED;
}

/* A set or a chain that nothing refers to, or a chain's rules; the attributes are its
 * table and its name. */
static void
delete_named(struct netlink *nl, uint16_t type, uint16_t table_attr, uint16_t name_attr,
    const char *name)
{
	struct nlmsghdr *nlh = netlink_add(nl, type, 0);

	if (nlh == NULL)
		return;
	mnl_attr_put_strz(nlh, table_attr, NETLINK_TABLE);
	mnl_attr_put_strz(nlh, name_attr, name);
	netlink_added(nl, nlh);
}

static void
put_chain(struct netlink *nl, const struct chain *c)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	struct nlmsghdr *nlh;
	bool failed;

	if (chain == NULL) {
		netlink_fail(nl, -ENOMEM);
		return;
	}
	failed = nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, NETLINK_TABLE) != 0 ||
		 nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, c->name) != 0;
	if (c->type != NULL) {
		failed |= nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, c->type) != 0;
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, c->hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, c->priority);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	if (failed)
		netlink_fail(nl, -ENOMEM);
	nlh = netlink_add(nl, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	if (nlh != NULL) {
		nftnl_chain_nlmsg_build_payload(nlh, chain);
		netlink_added(nl, nlh);
	}
	nftnl_chain_free(chain);
}

/* Every rule of every chain of the table. */
static void
flush_rules(struct netlink *nl)
{
	struct nlmsghdr *nlh = netlink_add(nl, NFT_MSG_DELRULE, 0);

	if (nlh == NULL)
		return;
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NETLINK_TABLE);
	netlink_added(nl, nlh);
}

/* A table without an owner keeps the one flag that cannot be taken from it. */
static uint32_t
flags_for(const struct netlink *nl, const struct layout_found *found, bool own)
{
	if (own)
		return LAYOUT_OWNER | LAYOUT_PERSIST;
	if (layout_is_owned(nl, found))
		return found->flags & (LAYOUT_OWNER | LAYOUT_PERSIST);
	return found->exists ? found->flags & LAYOUT_PERSIST : 0;
}

void
layout_put_chain(struct netlink *nl, const char *name)
{
	const struct chain chain = {.name = name};

	put_chain(nl, &chain);
}

void
layout_flush_chain(struct netlink *nl, const char *name)
{
	delete_named(nl, NFT_MSG_DELRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, name);
}

void
layout_delete_chain(struct netlink *nl, const char *name)
{
	delete_named(nl, NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, name);
}

void
layout_put(struct netlink *nl, uint32_t set_size, const struct layout_found *found,
    const struct layout_way *way)
{
	const struct layout_found none = {0};
	uint32_t kept, size;

	if (found->exists && way->replace) {
		delete_table(nl);
		found = &none;
	}
	put_table(nl, flags_for(nl, found, way->own));
	flush_rules(nl);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		const struct set *s = &sets[i];

		kept = found->set_size[s->addr_type == TYPE_IP6ADDR];
		size = kept != 0 ? kept : set_size;
		put_set(nl, s, (uint32_t)i + 1, size);
		if (found->exists && is_dear_to_flush(s->kind)) {
			delete_named(
			    nl, NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME, s->name);
			put_set(nl, s, (uint32_t)i + 1, size);
		} else if (set_flags(s->kind) != NFT_SET_TIMEOUT) {
			element_flush(nl, s->name);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		put_chain(nl, &chains[i]);
}

int
layout_remove(void)
{
	struct layout_found found;
	struct netlink nl;
	int r = netlink_open(&nl);

	if (r < 0)
		return r;
	r = layout_find(&nl, &found);
	if (r == 0 && !found.exists)
		r = -ENOENT;
	if (r == 0 && (found.flags & LAYOUT_OWNER))
		r = -EBUSY;
	if (r == 0) {
		netlink_begin(&nl);
		delete_table(&nl);
		r = netlink_commit(&nl, NULL);
	}
	netlink_close(&nl);
	return r;
}

const char *
layout_set(uint8_t family, const char *four, const char *six)
{
	return family == AF_INET ? four : six;
}
