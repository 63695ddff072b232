/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/layout_found.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include "daemon/enforcer/layout.h"

/* "egressd 1" to 1, anything else to 0. */
static uint32_t
parse_version(const char *comment, size_t len)
{
	const size_t skip = strlen(LAYOUT_COMMENT);
	uint32_t version = 0;

	if (len <= skip + 1 || len > skip + 9 || comment[len - 1] != '\0' ||
	    memcmp(comment, LAYOUT_COMMENT, skip) != 0)
		return 0;
	for (size_t i = skip; i + 1 < len; i++) {
		if (comment[i] < '0' || comment[i] > '9')
			return 0;
		version = version * 10 + (uint32_t)(comment[i] - '0');
	}
	return version;
}

/* User data is a row of type, length, value. */
static uint32_t
read_version(const uint8_t *data, size_t left)
{
	size_t len;

	for (; left > 2; data += 2 + len, left -= 2 + len) {
		len = data[1];
		if (len > left - 2)
			break;
		if (data[0] == NFTNL_UDATA_TABLE_COMMENT)
			return parse_version((const char *)data + 2, len);
	}
	return 0;
}

static int
read_table(void *ctx, const struct nlmsghdr *nlh)
{
	struct layout_found *found = ctx;
	struct nftnl_table *t = nftnl_table_alloc();
	const void *data;
	uint32_t len = 0;
	int r = -EPROTO;

	if (t == NULL)
		return -ENOMEM;
	if (nftnl_table_nlmsg_parse(nlh, t) == 0) {
		found->exists = true;
		found->flags = nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS);
		if (nftnl_table_is_set(t, NFTNL_TABLE_OWNER))
			found->owner = nftnl_table_get_u32(t, NFTNL_TABLE_OWNER);
		data = nftnl_table_get_data(t, NFTNL_TABLE_USERDATA, &len);
		if (data != NULL)
			found->version = read_version(data, len);
		r = 0;
	}
	nftnl_table_free(t);
	return r;
}

static int
read_set_size(void *ctx, const struct nlmsghdr *nlh)
{
	uint32_t *size = ctx;
	struct nftnl_set *s = nftnl_set_alloc();
	int r = -EPROTO;

	if (s == NULL)
		return -ENOMEM;
	if (nftnl_set_nlmsg_parse(nlh, s) == 0) {
		*size = nftnl_set_get_u32(s, NFTNL_SET_DESC_SIZE);
		r = 0;
	}
	nftnl_set_free(s);
	return r;
}

static int
find_set_size(struct netlink *nl, const char *name, uint32_t *size)
{
	struct nlmsghdr *nlh = netlink_question(nl, NFT_MSG_GETSET, 0);
	int r;

	if (nlh != NULL) {
		mnl_attr_put_strz(nlh, NFTA_SET_TABLE, NETLINK_TABLE);
		mnl_attr_put_strz(nlh, NFTA_SET_NAME, name);
	}
	r = netlink_ask(nl, nlh, read_set_size, size);
	return r == -ENOENT ? 0 : r;
}

/* "service12" to 12, anything else to 0. */
static uint32_t
parse_service(const char *name)
{
	const size_t skip = strlen(LAYOUT_SERVICE);
	uint32_t number = 0;

	if (strncmp(name, LAYOUT_SERVICE, skip) != 0 || strlen(name) > skip + 9)
		return 0;
	for (name += skip; *name != '\0'; name++) {
		if (*name < '0' || *name > '9')
			return 0;
		number = number * 10 + (uint32_t)(*name - '0');
	}
	return number;
}

static int
read_chain(void *ctx, const struct nlmsghdr *nlh)
{
	uint32_t *highest = ctx;
	struct nftnl_chain *c = nftnl_chain_alloc();
	const char *table, *name;
	int r = -EPROTO;

	if (c == NULL)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(nlh, c) == 0) {
		table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
		name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);
		if (table != NULL && name != NULL && strcmp(table, NETLINK_TABLE) == 0)
			*highest = MAX_OF(*highest, parse_service(name));
		r = 0;
	}
	nftnl_chain_free(c);
	return r;
}

/* A list that changes while it is read is another table's: nobody else has our chains. */
static int
find_services(struct netlink *nl, uint32_t *highest)
{
	struct nlmsghdr *nlh = netlink_question(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP);
	int r = netlink_ask(nl, nlh, read_chain, highest);

	return r == -EINTR ? 0 : r;
}

int
layout_find(struct netlink *nl, struct layout_found *ret_found)
{
	struct layout_found found = {0};
	struct nlmsghdr *nlh = netlink_question(nl, NFT_MSG_GETTABLE, 0);
	int r;

	if (nlh != NULL)
		mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NETLINK_TABLE);
	r = netlink_ask(nl, nlh, read_table, &found);
	if (r == 0)
		r = find_set_size(nl, "leases4", &found.set_size[0]);
	if (r == 0)
		r = find_set_size(nl, "leases6", &found.set_size[1]);
	if (r == 0)
		r = find_services(nl, &found.services);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_found = found;
	return 0;
}

bool
layout_is_owned(const struct netlink *nl, const struct layout_found *found)
{
	return found->exists && (found->flags & LAYOUT_OWNER) && found->owner == nl->port;
}

int
layout_check(const struct netlink *nl, const struct layout_found *found)
{
	if (found->version > LAYOUT_VERSION)
		return -EPROTONOSUPPORT;
	if (found->owner != 0 && found->owner != nl->port)
		return -EPERM;
	return 0;
}
