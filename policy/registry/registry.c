/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/registry.h"

#include <assert.h>

#include "policy/registry/image.h"
#include "policy/registry/range.h"

/* What a walk from the root towards a name has met, with a workload's eyes. */
struct walk {
	const struct tree_node *node;         /* the name's own; NULL: not in the tree */
	struct tree_view view;                /* of node */
	const struct registry_host *wildcard; /* the most specific visible one */
	const struct registry_host *hidden;   /* one that is out of sight */
	uint32_t zone;                        /* the innermost */
	bool in_service;                      /* a Service of that zone is on the way */
	const struct registry_host *service;  /* what is visible in its place */
};

struct registry *
registry_ref(struct registry *r)
{
	r->refs++;
	return r;
}

void
registry_unref(struct registry *r)
{
	struct memory memory;

	if (r == NULL)
		return;
	assert(r->refs > 0);
	if (--r->refs > 0)
		return;
	memory = r->memory; /* r lies in it */
	memory_done(&memory);
}

enum outbound_mode
registry_mode(const struct registry *r)
{
	return r->mode;
}

struct registry_counts
registry_counts(const struct registry *r)
{
	return r->counts;
}

const struct kept *
registry_kept(const struct registry *r)
{
	return r != NULL ? r->kept : NULL;
}

const struct shelf *
registry_shelf(const struct registry *r)
{
	return r != NULL ? r->shelf : NULL;
}

const struct workload *
registry_workload(const struct registry *r, const struct addr *source)
{
	return workloads_find(&r->workloads, source);
}

bool
registry_address(const struct registry *r, size_t i, struct addr *ret_addr)
{
	return workloads_address(&r->workloads, i, ret_addr);
}

static void
step(const struct registry *r, uint32_t scope_id, const struct tree_node *node,
    struct walk *walk)
{
	walk->node = node;
	if (node->zone != TREE_NO_ZONE) {
		walk->zone = node->zone;
		walk->in_service = false;
	}
	walk->view = tree_view(&r->tree, node, scope_id);
	if (node->service && walk->zone != TREE_NO_ZONE) {
		walk->in_service = true;
		walk->service = walk->view.exact;
		walk->hidden = node->exact;
	}
}

/* node is a proper ancestor of the name: its wildcard covers it. */
static void
pass(struct walk *walk)
{
	if (walk->view.wildcard != NULL)
		walk->wildcard = walk->view.wildcard;
	else if (walk->node->wildcard != NULL)
		walk->hidden = walk->node->wildcard;
}

static void
walk_name(
    const struct registry *r, uint32_t scope_id, const struct name *n, struct walk *walk)
{
	uint8_t offsets[NAME_LABELS_MAX];
	const struct tree_node *node = r->tree.root;
	size_t labels = 0;

	*walk = (struct walk){.zone = TREE_NO_ZONE};
	for (size_t pos = 0; n->bytes[pos] != 0; pos += n->bytes[pos] + 1u)
		offsets[labels++] = (uint8_t)pos;
	step(r, scope_id, node, walk);
	while (labels > 0) {
		pass(walk);
		node = tree_child(&r->tree, node, n->bytes + offsets[--labels]);
		if (node == NULL) {
			walk->node = NULL;
			return;
		}
		step(r, scope_id, node, walk);
	}
	if (walk->view.exact == NULL && node->exact != NULL)
		walk->hidden = node->exact;
}

static const struct registry_host *
found(const struct walk *walk)
{
	if (walk->in_service)
		return walk->service;
	if (walk->node != NULL && walk->view.exact != NULL)
		return walk->view.exact;
	return walk->wildcard;
}

/* With the eyes of its namespace, as if there were no Sidecar. */
static bool
not_imported(const struct registry *r, const struct workload *w, const struct name *n,
    struct verdict *v)
{
	uint32_t without = w != NULL ? w->namespace_id : TREE_PUBLIC;
	struct walk walk;

	if (without == (w != NULL ? w->scope_id : r->unknown))
		return false;
	walk_name(r, without, n, &walk);
	v->host = found(&walk);
	v->reason = REASON_NOT_IMPORTED;
	v->sidecar = w != NULL ? w->sidecar : r->unknown_sidecar;
	return v->host != NULL;
}

static struct verdict
refused(const struct registry *r, const struct workload *w, const struct name *n,
    const struct walk *walk)
{
	struct verdict v = {.kind = VERDICT_REFUSED};

	if (walk->hidden == NULL)
		v.reason = REASON_NOT_REGISTERED;
	else if (!not_imported(r, w, n, &v))
		v = (struct verdict){
		    .kind = VERDICT_REFUSED,
		    .reason = REASON_NOT_EXPORTED,
		    .host = walk->hidden,
		};
	return v;
}

/* Everything in a zone is asked there, but a Service of it, and what lies below its name,
 * by those only who see it. An entry in its place changes nothing of the zone's. */
static struct verdict
in_zone(const struct registry *r, const struct workload *w, const struct name *n,
    const struct walk *walk)
{
	enum outbound_mode mode = w != NULL ? w->mode : r->mode;

	if (walk->in_service && mode != OUTBOUND_ALLOW_ANY) {
		if (walk->service == NULL)
			return refused(r, w, n, walk);
		if (walk->service->in_zone)
			return (struct verdict){
			    .kind = VERDICT_HOST, .host = walk->service};
	}
	return (struct verdict){.kind = VERDICT_ZONE, .zone = walk->zone};
}

void
registry_judge(const struct registry *r, const struct workload *w, const struct name *n,
    struct verdict *ret_verdict)
{
	enum outbound_mode mode = w != NULL ? w->mode : r->mode;
	const struct registry_host *host;
	struct walk walk;

	walk_name(r, w != NULL ? w->scope_id : r->unknown, n, &walk);
	host = found(&walk);
	if (walk.zone != TREE_NO_ZONE)
		*ret_verdict = in_zone(r, w, n, &walk);
	else if (mode == OUTBOUND_ALLOW_ANY)
		*ret_verdict = (struct verdict){.kind = VERDICT_OPEN};
	else if (host != NULL)
		*ret_verdict = (struct verdict){.kind = VERDICT_HOST, .host = host};
	else if (walk.node != NULL && walk.view.below)
		*ret_verdict = (struct verdict){.kind = VERDICT_PARENT};
	else
		*ret_verdict = refused(r, w, n, &walk);
}

const struct registry_port *
registry_port(
    const struct registry_port *ports, size_t count, uint16_t number, uint8_t proto)
{
	for (size_t i = 0; i < count; i++)
		if (ports[i].number == number && ports[i].proto == proto)
			return &ports[i];
	return NULL;
}

bool
registry_lists(const struct registry_host *host, const struct addr *address)
{
	return prefixes_contain(host->addresses, host->address_count, address) ||
	       prefixes_contain(host->endpoints, host->endpoint_count, address);
}

bool
registry_permits(const struct registry *r, const struct registry_host *host,
    const struct addr *address)
{
	struct addr inner = range_unwrap(address);
	enum range_kind kind = range_of(address);

	if (host == NULL || registry_lists(host, address) || registry_lists(host, &inner))
		return true;
	if (host->listed_only || kind == RANGE_NEVER)
		return false;
	if (host->internal)
		return true;
	return kind == RANGE_PUBLIC && !prefixes_contain(r->own, r->own_count, address) &&
	       !prefixes_contain(r->own, r->own_count, &inner);
}

bool
registry_fixed(const struct registry *r, size_t i, struct registry_fixed *ret_fixed)
{
	if (r->mode == OUTBOUND_ALLOW_ANY && r->fixed.service_count == 0)
		return false;
	return fixed_get(&r->fixed, &r->workloads, i, ret_fixed);
}

bool
registry_open(const struct registry *r, size_t i, struct addr *ret_addr)
{
	if (i >= r->open_count)
		return false;
	*ret_addr = r->open[i];
	return true;
}

/* The prefixes that are one address each. */
static size_t
single_addresses(const struct prefix *list, size_t len, struct addr *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < max; i++)
		if (list[i].len == addr_len(&list[i].addr) * 8)
			out[n++] = list[i].addr;
	return n;
}

size_t
registry_static(const struct registry_host *host, struct addr *list, size_t max)
{
	size_t n = 0;

	if (host->resolution == RESOLUTION_STATIC)
		n = single_addresses(host->addresses, host->address_count, list, max);
	return n > 0 ? n
		     : single_addresses(host->endpoints, host->endpoint_count, list, max);
}
