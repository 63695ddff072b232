/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/tree.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define GRANTS_FIRST 1024 /* room that the table begins with */

struct child_key {
	const struct tree_node *parent;
	const uint8_t *label;
};

struct grant_key {
	const struct tree_node *node;
	uint32_t scope_id;
};

static bool
child_matches(const struct table_link *link, const void *key)
{
	const struct tree_node *n = CONTAINER_OF(link, struct tree_node, link);
	const struct child_key *k = key;

	return n->parent == k->parent &&
	       memcmp(n->label, k->label, k->label[0] + 1u) == 0;
}

static bool
grant_matches(const struct table_link *link, const void *key)
{
	const struct tree_grant *g = CONTAINER_OF(link, struct tree_grant, link);
	const struct grant_key *k = key;

	return g->node == k->node && g->scope_id == k->scope_id;
}

/* The parent's hash becomes part of the key: the hash of a path, without hashing what is
 * above once more. */
static uint64_t
child_hash(const struct tree *t, const struct tree_node *parent, const uint8_t *label)
{
	struct hash_key key = {{t->key.k[0] ^ parent->link.hash, t->key.k[1]}};

	return hash_bytes(&key, label, label[0] + 1u);
}

static uint64_t
grant_hash(const struct tree *t, const struct grant_key *k)
{
	uint64_t words[2] = {k->node->link.hash, k->scope_id};

	return hash_bytes(&t->key, words, sizeof(words));
}

int
tree_table(struct table *t, struct memory *image, size_t limit)
{
	struct table_bucket *buckets =
	    memory_array(image, table_buckets(limit), sizeof(*buckets));

	if (buckets == NULL)
		return image->lack;
	table_over(t, buckets, MAX_OF(limit, 1));
	return 0;
}

/* Into to, which has room for all. */
static void
move_all(struct table *from, struct table *to)
{
	struct table_link *next;
	int r;

	for (struct table_link *l = table_first(from); l != NULL; l = next) {
		next = table_next(from, l);
		r = table_add(to, l->hash, l);
		assert(r == 0); /* sized for all of them */
	}
	table_done(from);
	*from = *to;
}

int
tree_table_move(struct table *from, struct memory *image)
{
	struct table to;
	int r;

	r = tree_table(&to, image, from->len);
	if (r == 0)
		move_all(from, &to);
	return r;
}

int
tree_table_grow(struct table *t)
{
	struct table larger;
	int r;

	if (t->len < t->limit)
		return 0;
	r = table_init(&larger, 2 * t->limit);
	if (r == 0)
		move_all(t, &larger);
	return r;
}

static struct tree_node *
make_node(struct memory *image, struct tree_node *parent, const uint8_t *label)
{
	struct tree_node *n = memory_alloc(image, sizeof(*n) + label[0] + 1u);

	if (n == NULL)
		return NULL;
	n->parent = parent;
	n->zone = TREE_NO_ZONE;
	memcpy(n->label, label, label[0] + 1u);
	return n;
}

int
tree_init(
    struct tree *t, struct memory *image, const struct hash_key *key, size_t node_limit)
{
	static const uint8_t nothing[1];

	*t = (struct tree){.key = *key};
	t->root = make_node(image, NULL, nothing);
	if (t->root == NULL)
		return image->lack;
	return table_init(&t->nodes, MAX_OF(node_limit, 1));
}

int
tree_open_grants(struct tree *t, const uint32_t *bases)
{
	t->bases = bases;
	return table_init(&t->grants, GRANTS_FIRST);
}

void
tree_done(struct tree *t)
{
	if (t->sealed)
		return;
	table_done(&t->nodes);
	table_done(&t->grants);
}

int
tree_seal(struct tree *t, struct memory *image)
{
	struct table nodes = t->nodes;
	struct table grants = t->grants;
	int r;

	r = tree_table_move(&nodes, image);
	if (r < 0)
		return r;
	t->nodes = nodes;
	r = tree_table_move(&grants, image);
	if (r < 0) {
		/* the nodes' buckets are the image's already */
		t->nodes.buckets = NULL;
		return r;
	}
	t->grants = grants;
	t->sealed = true;
	return 0;
}

const struct tree_node *
tree_child(const struct tree *t, const struct tree_node *parent, const uint8_t *label)
{
	struct child_key key = {.parent = parent, .label = label};
	struct table_link *link =
	    table_find(&t->nodes, child_hash(t, parent, label), child_matches, &key);

	return link != NULL ? CONTAINER_OF(link, struct tree_node, link) : NULL;
}

static struct tree_node *
add_child(
    struct tree *t, struct memory *image, struct tree_node *parent, const uint8_t *label)
{
	struct child_key key = {.parent = parent, .label = label};
	uint64_t hash = child_hash(t, parent, label);
	struct table_link *link = table_find(&t->nodes, hash, child_matches, &key);
	struct tree_node *n;

	if (link != NULL)
		return CONTAINER_OF(link, struct tree_node, link);
	n = make_node(image, parent, label);
	if (n != NULL && table_add(&t->nodes, hash, &n->link) < 0)
		image->lack = -ENOSPC;
	return image->lack == 0 ? n : NULL;
}

struct tree_node *
tree_add(struct tree *t, struct memory *image, const struct name *n)
{
	uint8_t offsets[NAME_LABELS_MAX];
	struct tree_node *node = t->root;
	size_t labels = 0;

	for (size_t pos = 0; n->bytes[pos] != 0; pos += n->bytes[pos] + 1u)
		offsets[labels++] = (uint8_t)pos;
	while (labels > 0 && node != NULL)
		node = add_child(t, image, node, n->bytes + offsets[--labels]);
	return node;
}

uint32_t
tree_zone(const struct tree *t, const struct name *n)
{
	uint8_t offsets[NAME_LABELS_MAX];
	const struct tree_node *node = t->root;
	uint32_t zone = node->zone;
	size_t labels = 0;

	for (size_t pos = 0; n->bytes[pos] != 0; pos += n->bytes[pos] + 1u)
		offsets[labels++] = (uint8_t)pos;
	while (labels > 0) {
		node = tree_child(t, node, n->bytes + offsets[--labels]);
		if (node == NULL)
			break;
		if (node->zone != TREE_NO_ZONE)
			zone = node->zone;
	}
	return zone;
}

const struct tree_grant *
tree_grant(const struct tree *t, const struct tree_node *node, uint32_t scope_id)
{
	struct grant_key key = {.node = node, .scope_id = scope_id};
	struct table_link *link;

	if (node->grants == NULL)
		return NULL;
	link = table_find(&t->grants, grant_hash(t, &key), grant_matches, &key);
	return link != NULL ? CONTAINER_OF(link, struct tree_grant, link) : NULL;
}

struct tree_grant *
tree_add_grant(
    struct tree *t, struct memory *image, struct tree_node *node, uint32_t scope_id)
{
	struct grant_key key = {.node = node, .scope_id = scope_id};
	uint64_t hash = grant_hash(t, &key);
	struct table_link *link = table_find(&t->grants, hash, grant_matches, &key);
	struct tree_grant *g;

	if (link != NULL)
		return CONTAINER_OF(link, struct tree_grant, link);
	g = memory_alloc(image, sizeof(*g));
	if (g == NULL)
		return NULL;
	g->node = node;
	g->scope_id = scope_id;
	if (tree_table_grow(&t->grants) < 0 ||
	    table_add(&t->grants, hash, &g->link) < 0) {
		image->lack = -ENOMEM;
		return NULL;
	}
	g->next = node->grants;
	node->grants = g;
	return g;
}

static void
add_view(struct tree_view *view, const struct tree_view *more)
{
	if (more->exact != NULL)
		view->exact = more->exact;
	if (more->wildcard != NULL)
		view->wildcard = more->wildcard;
	view->below = view->below || more->below;
}

static void
add_grant(const struct tree *t, const struct tree_node *node, uint32_t scope_id,
    struct tree_view *view)
{
	const struct tree_grant *g = tree_grant(t, node, scope_id);

	if (g != NULL)
		add_view(view, &g->view);
}

struct tree_view
tree_view(const struct tree *t, const struct tree_node *node, uint32_t scope_id)
{
	uint32_t base = scope_id != TREE_PUBLIC ? t->bases[scope_id] : TREE_PUBLIC;
	struct tree_view view = {.below = node->zone_below};

	if (base == TREE_PUBLIC)
		add_view(&view, &node->public);
	else if (base != TREE_NOTHING)
		add_grant(t, node, base, &view);
	if (scope_id != TREE_PUBLIC)
		add_grant(t, node, scope_id, &view);
	return view;
}
