/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/element_dump.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <libnftnl/udata.h>

#include "daemon/enforcer/element.h"

/* A dump is asked for again so often when somebody changed some table meanwhile. After
 * that it is taken as it is: nobody but us changes these sets. */
#define DUMPS_MAX 4

struct dump {
	const struct element_form *form;
	uint8_t family;
	element_lease_fn lease;
	void *ctx;
};

struct attributes {
	const struct nlattr *of[NFTA_SET_ELEM_MAX + 1];
};

static int
note_attribute(const struct nlattr *attribute, void *ctx)
{
	struct attributes *a = ctx;

	if (mnl_attr_get_type(attribute) <= NFTA_SET_ELEM_MAX)
		a->of[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

/* The bytes of a key; NULL when it is no value. */
static const uint8_t *
find_value(const struct nlattr *key, size_t *ret_len)
{
	struct attributes a = {{NULL}};
	const struct nlattr *value;

	if (key == NULL)
		return NULL;
	(void)mnl_attr_parse_nested(key, note_attribute, &a); /* which never fails */
	value = a.of[NFTA_DATA_VALUE];
	if (value == NULL)
		return NULL;
	*ret_len = mnl_attr_get_payload_len(value);
	return mnl_attr_get_payload(value);
}

/* The comment into name; "" when there is none, or none that could be ours. */
static void
read_comment(const struct nlattr *user_data, char name[ENFORCER_NAME_MAX])
{
	const uint8_t *data;
	size_t left, size;

	name[0] = '\0';
	if (user_data == NULL)
		return;
	data = mnl_attr_get_payload(user_data);
	left = mnl_attr_get_payload_len(user_data);
	for (; left > 2; data += 2 + size, left -= 2 + size) {
		size = data[1];
		if (size > left - 2)
			return;
		if (data[0] == NFTNL_UDATA_SET_ELEM_COMMENT && size != 0 &&
		    size <= ENFORCER_NAME_MAX && data[2 + size - 1] == '\0') {
			memcpy(name, data + 2, size);
			return;
		}
	}
}

/* A number of 8 bytes; 0 when it is not there. */
static uint64_t
read_u64(const struct nlattr *attribute)
{
	if (attribute == NULL || mnl_attr_get_payload_len(attribute) != sizeof(uint64_t))
		return 0;
	return be64toh(mnl_attr_get_u64(attribute));
}

static int
read_lease(const struct nlattr *element, void *ctx)
{
	const struct dump *d = ctx;
	struct enforcer_lease lease;
	struct attributes a = {{NULL}};
	char name[ENFORCER_NAME_MAX];
	const uint8_t *key;
	uint64_t left_ms;
	size_t len = 0;
	int r;

	(void)mnl_attr_parse_nested(element, note_attribute, &a); /* which never fails */
	key = find_value(a.of[NFTA_SET_ELEM_KEY], &len);
	if (key == NULL || !d->form->read_key(key, len, d->family, &lease))
		return -EPROTO;
	left_ms = read_u64(a.of[NFTA_SET_ELEM_EXPIRATION]);
	if (left_ms == 0 && a.of[NFTA_SET_ELEM_EXPIRATION] != NULL)
		return MNL_CB_OK;
	lease.timeout_ms = (uint32_t)MIN_OF(left_ms, UINT32_MAX);
	read_comment(a.of[NFTA_SET_ELEM_USERDATA], name);
	r = d->lease(d->ctx, &lease, name);
	return r < 0 ? r : MNL_CB_OK;
}

static int
read_list(const struct nlattr *attribute, void *ctx)
{
	if (mnl_attr_get_type(attribute) != NFTA_SET_ELEM_LIST_ELEMENTS)
		return MNL_CB_OK;
	return mnl_attr_parse_nested(attribute, read_lease, ctx);
}

static int
read_message(void *ctx, const struct nlmsghdr *nlh)
{
	int r = mnl_attr_parse(nlh, sizeof(struct nfgenmsg), read_list, ctx);

	return r < 0 ? r : 0;
}

int
element_dump(struct netlink *nl, const struct element_form *form, const char *set,
    uint8_t family, element_lease_fn lease, void *ctx)
{
	struct dump d = {.form = form, .family = family, .lease = lease, .ctx = ctx};
	struct nlmsghdr *nlh = netlink_question(nl, NFT_MSG_GETSETELEM, NLM_F_DUMP);

	if (nlh != NULL) {
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, NETLINK_TABLE);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	}
	return netlink_ask(nl, nlh, read_message, &d);
}

int
element_dump_all(struct netlink *nl, const struct element_form *form,
    const char *const sets[2], element_lease_fn lease, void *ctx)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0; i++) {
		r = -EINTR;
		for (int n = 0; r == -EINTR && n < DUMPS_MAX; n++)
			r = element_dump(nl, form, sets[i], families[i], lease, ctx);
		if (r == -EINTR)
			r = 0;
	}
	return r;
}

static int
note_message(void *ctx, const struct nlmsghdr *nlh)
{
	(void)nlh;
	*(bool *)ctx = true;
	return 0;
}

bool
element_is_in(struct netlink *nl, const char *set, const struct enforcer_lease *lease)
{
	struct nlmsghdr *nlh = netlink_question(nl, NFT_MSG_GETSETELEM, 0);
	struct nlattr *list, *element, *key;
	uint8_t bytes[ELEMENT_KEY_MAX];
	const size_t len = element_key(lease, bytes);
	bool found = false;

	if (nlh != NULL) {
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, NETLINK_TABLE);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
		list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
		element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
		key = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
		mnl_attr_put(nlh, NFTA_DATA_VALUE, len, bytes);
		mnl_attr_nest_end(nlh, key);
		mnl_attr_nest_end(nlh, element);
		mnl_attr_nest_end(nlh, list);
	}
	return netlink_ask(nl, nlh, note_message, &found) == 0 && found;
}

bool
element_is_leased(struct netlink *nl, const struct enforcer_lease *lease)
{
	const bool six = lease->pod.family == AF_INET6;

	return element_is_in(nl, element_form_present()->leases[six], lease);
}
