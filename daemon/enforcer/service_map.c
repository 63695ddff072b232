/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's maps by ranges take no element that lies in another one. Prefixes are
 * disjoint or one holds the other, so those of one pod, protocol and port are walked in
 * the order of their addresses, each within the ones that are open around it, and every
 * piece of addresses goes to the innermost that holds it.
 */
#include "daemon/enforcer/service_map.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "daemon/enforcer/cover.h"
#include "daemon/enforcer/element.h"
#include "daemon/enforcer/element_list.h"
#include "daemon/enforcer/layout.h"

/* Prefixes around one another differ in length: 0 to 128. */
#define DEPTH_MAX 129

struct record {
	const struct enforcer_fixed *fixed;
	size_t order;
};

/* One that is open, of the pod, protocol and port that are walked. */
struct inside {
	const struct enforcer_fixed *fixed;
	struct cover_range range;
};

struct walk {
	struct element_list
	    list; /* into the map of every pod, then that of single ones */
	struct inside around[DEPTH_MAX];
	size_t depth;
	struct addr at; /* what comes before it is done */
	bool over;      /* it would be behind the last address */
};

char *
service_chain(uint32_t number, char chain[SERVICE_CHAIN_MAX])
{
	(void)snprintf(chain, SERVICE_CHAIN_MAX, LAYOUT_SERVICE "%u", number); /* fits */
	return chain;
}

static int
compare_bytes(const struct addr *a, const struct addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* The same pods, protocol and port? */
static int
compare_flows(const struct enforcer_fixed *x, const struct enforcer_fixed *y)
{
	int order = (x->pods.len != 0) - (y->pods.len != 0); /* every pod first */

	if (order == 0)
		order = memcmp(&x->pods, &y->pods, sizeof(x->pods));
	if (order == 0)
		order = x->proto - y->proto;
	return order != 0 ? order : x->port - y->port;
}

static int
compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = compare_flows(x->fixed, y->fixed);

	if (order == 0)
		order = compare_bytes(
		    &x->fixed->destination.addr, &y->fixed->destination.addr);
	if (order == 0)
		order = x->fixed->destination.len - y->fixed->destination.len;
	return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* One end of an element's key. Returns its length. */
static size_t
make_key(const struct enforcer_fixed *f, const struct addr *destination,
    uint8_t key[ELEMENT_KEY_MAX])
{
	const size_t size = addr_len(destination);
	uint8_t whole[ELEMENT_KEY_MAX];
	const size_t len =
	    element_make_key(&f->pods.addr, destination, f->proto, f->port, whole);

	if (f->pods.len != 0) {
		memcpy(key, whole, len);
		return len;
	}
	memcpy(key, whole + size, len - size);
	return len - size;
}

static void
put_goto(struct element_list *l, uint32_t service)
{
	char chain[SERVICE_CHAIN_MAX];
	struct nlattr *data = mnl_attr_nest_start(l->nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(l->nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(l->nlh, NFTA_VERDICT_CODE, htobe32((uint32_t)NFT_GOTO));
	mnl_attr_put_strz(l->nlh, NFTA_VERDICT_CHAIN, service_chain(service, chain));
	mnl_attr_nest_end(l->nlh, verdict);
	mnl_attr_nest_end(l->nlh, data);
}

/* The innermost holds up to this address; what is done already is none of it. */
static void
put_until(struct walk *w, const struct addr *last)
{
	const struct enforcer_fixed *f = w->around[w->depth - 1].fixed;
	struct element_list *l = &w->list;
	uint8_t key[ELEMENT_KEY_MAX];
	struct nlattr *nest;
	size_t len;

	if (w->over || compare_bytes(&w->at, last) > 0)
		return;
	nest = f->service != 0 ? element_list_next(l) : NULL;
	if (nest != NULL) {
		len = make_key(f, &w->at, key);
		element_list_key(l, NFTA_SET_ELEM_KEY, key, len);
		len = make_key(f, last, key);
		element_list_key(l, NFTA_SET_ELEM_KEY_END, key, len);
		put_goto(l, f->service);
		mnl_attr_nest_end(l->nlh, nest);
	}
	w->over = !cover_next(last, &w->at);
}

static void
leave(struct walk *w)
{
	put_until(w, &w->around[w->depth - 1].range.last);
	w->depth--;
}

static void
enter(struct walk *w, const struct enforcer_fixed *f)
{
	const struct inside in = {.fixed = f, .range = cover_range(&f->destination)};
	struct addr before;

	while (w->depth != 0 &&
	       compare_bytes(&w->around[w->depth - 1].range.last, &in.range.first) < 0)
		leave(w);
	if (w->depth != 0 && compare_bytes(&w->at, &in.range.first) < 0) {
		before = cover_previous(&in.range.first);
		put_until(w, &before);
	}
	w->around[w->depth++] = in;
	w->at = in.range.first;
	w->over = false;
}

/* The records of one flow, sorted; of the same destination the first one holds. */
static void
put_flow(struct walk *w, const struct record *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (i == 0 ||
		    memcmp(&list[i].fixed->destination, &list[i - 1].fixed->destination,
			sizeof(struct prefix)) != 0)
			enter(w, list[i].fixed);
	while (w->depth != 0)
		leave(w);
}

int
service_map_put(struct netlink *nl, const struct ruleset *rs, uint8_t family)
{
	struct record *list = calloc(rs->fixed_count + 1, sizeof(*list));
	struct walk *w = calloc(1, sizeof(*w));
	size_t len = 0, end;
	bool own = false;
	int r = -ENOMEM;

	if (list == NULL || w == NULL)
		goto out;
	for (size_t i = 0; i < rs->fixed_count; i++)
		if (rs->fixed[i].destination.addr.family == family)
			list[len++] = (struct record){.fixed = &rs->fixed[i], .order = i};
	qsort(list, len, sizeof(*list), compare_records);
	w->list = element_list_add(nl, layout_set(family, "shared4", "shared6"));
	for (size_t i = 0; i < len; i = end) {
		/* one message of a batch is made at a time */
		if (list[i].fixed->pods.len != 0 && !own) {
			element_list_close(&w->list);
			w->list = element_list_add(
			    nl, layout_set(family, "services4", "services6"));
			own = true;
		}
		for (end = i;
		     end < len && compare_flows(list[i].fixed, list[end].fixed) == 0;
		     end++)
			;
		put_flow(w, list + i, end - i);
	}
	element_list_close(&w->list);
	r = 0;
out:
	free(w);
	free(list);
	return r;
}
