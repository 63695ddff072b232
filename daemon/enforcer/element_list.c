/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/element_list.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>

/* A list is an attribute, of at most 65535 bytes; one element with the longest comment
 * takes less than the rest. */
#define LIST_MAX (65535 - 512)

void
element_list_close(struct element_list *l)
{
	if (l->nlh == NULL)
		return;
	mnl_attr_nest_end(l->nlh, l->elements);
	netlink_added(l->nl, l->nlh);
	l->nlh = NULL;
}

static void
list_open(struct element_list *l)
{
	l->nlh = netlink_add(l->nl, l->type, l->flags);
	if (l->nlh == NULL)
		return;
	mnl_attr_put_strz(l->nlh, NFTA_SET_ELEM_LIST_TABLE, NETLINK_TABLE);
	mnl_attr_put_strz(l->nlh, NFTA_SET_ELEM_LIST_SET, l->set);
	l->start = l->nlh->nlmsg_len;
	l->elements = mnl_attr_nest_start(l->nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
}

struct nlattr *
element_list_next(struct element_list *l)
{
	if (l->nlh != NULL && l->nlh->nlmsg_len - l->start > LIST_MAX)
		element_list_close(l);
	if (l->nlh == NULL)
		list_open(l);
	return l->nlh != NULL ? mnl_attr_nest_start(l->nlh, NFTA_LIST_ELEM) : NULL;
}

struct element_list
element_list_add(struct netlink *nl, const char *set)
{
	return (struct element_list){
	    .nl = nl, .set = set, .type = NFT_MSG_NEWSETELEM, .flags = NLM_F_CREATE};
}

struct element_list
element_list_delete(struct netlink *nl, const char *set)
{
	return (struct element_list){.nl = nl, .set = set, .type = NFT_MSG_DELSETELEM};
}

void
element_list_key(struct element_list *l, uint16_t attribute, const void *key, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(l->nlh, attribute);

	mnl_attr_put(l->nlh, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(l->nlh, nest);
}
