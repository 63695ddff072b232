/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/witness/notice.h"

#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#define TABLE "egressd"
#define NS_PER_MS 1000000ull

static const char *const SET_NAMES[] = {
    "leases4", "leases6", "fixed4", "fixed6", "open4", "open6"};

/* A value within a key's attribute, padded with zeros; -EPROTO for another length. */
static int
take_key(const struct nlattr *attr, size_t len, uint8_t out[SETS_KEY_MAX])
{
	struct nlattr *inner;

	mnl_attr_for_each_nested(inner, attr)
	{
		if (mnl_attr_get_type(inner) != NFTA_DATA_VALUE)
			continue;
		if (mnl_attr_get_payload_len(inner) != len)
			return -EPROTO;
		memcpy(out, mnl_attr_get_payload(inner), len);
		return 0;
	}
	return -EPROTO;
}

static int
take_element(
    struct sets *s, const struct nlattr *element, uint8_t set, size_t key_len, bool add)
{
	struct change_seen c = {.set = set, .add = add, .left_ns = SETS_NEVER};
	bool has_key = false, has_high = false;
	struct nlattr *attr;
	int err = 0;

	mnl_attr_for_each_nested(attr, element)
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_ELEM_KEY:
			err = take_key(attr, key_len, c.low);
			has_key = true;
			break;
		case NFTA_SET_ELEM_KEY_END:
			err = take_key(attr, key_len, c.high);
			has_high = true;
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			c.left_ns = be64toh(mnl_attr_get_u64(attr)) * NS_PER_MS;
			break;
		}
		if (err != 0)
			return err;
	}
	if (!has_key)
		return -EPROTO;
	if (!has_high)
		memcpy(c.high, c.low, sizeof(c.high));
	return sets_change(s, &c);
}

static int
take_elements(struct sets *s, const struct nlmsghdr *h, bool add)
{
	struct nlattr *attr, *elements = NULL, *element;
	const char *table = "", *name = "";
	size_t key_len = 0;
	int set, err = 0;

	mnl_attr_for_each(attr, h, sizeof(struct nfgenmsg))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_ELEM_LIST_TABLE:
			table = mnl_attr_get_str(attr);
			break;
		case NFTA_SET_ELEM_LIST_SET:
			name = mnl_attr_get_str(attr);
			break;
		case NFTA_SET_ELEM_LIST_ELEMENTS:
			elements = attr;
			break;
		}
	}
	set = sets_find(name, &key_len);
	if (strcmp(table, TABLE) != 0 || set < 0 || elements == NULL)
		return 0;
	mnl_attr_for_each_nested(element, elements)
	{
		err = take_element(s, element, (uint8_t)set, key_len, add);
		if (err != 0)
			break;
	}
	return err;
}

/* A table's messages name it by the same number as its sets'. */
_Static_assert(NFTA_TABLE_NAME == 1 && NFTA_SET_TABLE == 1, "one reader for both");

/* The end of the table, or of one set of it. */
static int
take_end(struct sets *s, const struct nlmsghdr *h, bool whole)
{
	const char *table = "", *name = "";
	struct nlattr *attr;
	int err = 0;

	mnl_attr_for_each(attr, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFTA_SET_TABLE)
			table = mnl_attr_get_str(attr);
		else if (!whole && mnl_attr_get_type(attr) == NFTA_SET_NAME)
			name = mnl_attr_get_str(attr);
	}
	if (strcmp(table, TABLE) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(SET_NAMES) && err == 0; i++) {
		struct change_seen c = {.all = true};
		size_t key_len;
		int set = sets_find(SET_NAMES[i], &key_len);

		c.set = (uint8_t)set;
		if (set >= 0 && (whole || strcmp(name, SET_NAMES[i]) == 0))
			err = sets_change(s, &c);
	}
	return err;
}

static int
take_generation(struct notices *n, const struct nlmsghdr *h, uint64_t at_ns)
{
	struct nlattr *attr;
	uint32_t id = 0;

	mnl_attr_for_each(attr, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID)
			id = be32toh(mnl_attr_get_u32(attr));
	}
	if (n->has_generation && id != n->generation + 1)
		return -EPIPE;
	n->has_generation = true;
	n->generation = id;
	return sets_apply(n->sets, at_ns);
}

int
notices_take(struct notices *n, uint64_t at_ns, const uint8_t *data, size_t len)
{
	const struct nlmsghdr *h = (const void *)data;
	int left = (int)len, err = 0;

	for (; mnl_nlmsg_ok(h, left) && err == 0; h = mnl_nlmsg_next(h, &left)) {
		if (NFNL_SUBSYS_ID(h->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
			continue;
		switch (NFNL_MSG_TYPE(h->nlmsg_type)) {
		case NFT_MSG_NEWSETELEM:
			err = take_elements(n->sets, h, true);
			break;
		case NFT_MSG_DELSETELEM:
			err = take_elements(n->sets, h, false);
			break;
		case NFT_MSG_DELTABLE:
			err = take_end(n->sets, h, true);
			break;
		case NFT_MSG_DELSET:
			err = take_end(n->sets, h, false);
			break;
		case NFT_MSG_NEWGEN:
			err = take_generation(n, h, at_ns);
			break;
		}
	}
	return err;
}
