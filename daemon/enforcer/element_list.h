/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements of one set of table `inet egressd`, in messages of one type that are opened
 * one after another as they fill.
 *
 *	struct element_list l = element_list_add(nl, "open4");
 *	struct nlattr *nest = element_list_next(&l);	NULL: the batch has failed
 *	element_list_key(&l, NFTA_SET_ELEM_KEY, bytes, len);
 *	mnl_attr_nest_end(l.nlh, nest);
 *	element_list_close(&l);
 *
 * Errors stay in the batch of nl.
 */
#ifndef DAEMON_ENFORCER_ELEMENT_LIST_H
#define DAEMON_ENFORCER_ELEMENT_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/enforcer/netlink.h"

struct nlattr;

struct element_list {
	struct netlink *nl;
	const char *set;
	uint16_t type;
	uint16_t flags;
	struct nlmsghdr *nlh; /* NULL: none open */
	struct nlattr *elements;
	uint32_t start;
};

struct element_list element_list_add(struct netlink *nl, const char *set);
struct element_list element_list_delete(struct netlink *nl, const char *set);
/* Start an element; NULL when the batch has failed. */
struct nlattr *element_list_next(struct element_list *l);
/* A value of the element that was started: its key, or a map's data. */
void element_list_key(
    struct element_list *l, uint16_t attribute, const void *key, size_t len);
void element_list_close(struct element_list *l);

#endif
