/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/kept.h"

#include <assert.h>
#include <string.h>

#include "policy/registry/tree.h"

struct kept_file {
	struct table_link link;
	const char *name;
	struct kept_object *first, **end;
};

void
kept_init(struct kept *k, const struct hash_key *key)
{
	*k = (struct kept){.key = *key};
	k->end = &k->first;
}

static bool
fits(struct kept *k, const struct manifest *m)
{
	size_t size = sizeof(struct kept_object) + strlen(m->kind) +
		      strlen(m->namespace) + strlen(m->name) + strlen(m->api_version) + 4;

	size += pack_size(m->at);
	if (size > KEPT_BYTES_MAX - k->bytes)
		return false;
	k->bytes += size;
	return true;
}

void
kept_add(
    struct kept *k, struct memory *memory, const char *file, const struct manifest *m)
{
	struct kept_object *o;

	if (!fits(k, m)) {
		k->unkept++;
		return;
	}
	o = memory_alloc(memory, sizeof(*o));
	if (o == NULL)
		return;
	o->id = (struct object_id){
	    .kind = memory_text(memory, m->kind, strlen(m->kind)),
	    .namespace = memory_text(memory, m->namespace, strlen(m->namespace)),
	    .name = memory_text(memory, m->name, strlen(m->name)),
	};
	o->at = (struct object_place){file, m->at->line, m->at->column};
	o->api_version = memory_text(memory, m->api_version, strlen(m->api_version));
	o->pack = pack_node(m->at, memory);
	*k->end = o;
	k->end = &o->next;
	k->count++;
}

static bool
object_matches(const struct table_link *link, const void *key)
{
	return object_same(&CONTAINER_OF(link, struct kept_object, link)->id, key);
}

static bool
file_matches(const struct table_link *link, const void *key)
{
	return strcmp(CONTAINER_OF(link, struct kept_file, link)->name, key) == 0;
}

static struct kept_file *
find_file(const struct kept *k, const char *name, uint64_t *ret_hash)
{
	struct table_link *link;

	*ret_hash = hash_bytes(&k->key, name, strlen(name));
	link = table_find(&k->files, *ret_hash, file_matches, name);
	return link != NULL ? CONTAINER_OF(link, struct kept_file, link) : NULL;
}

/* Objects of one file mostly stand together; what was restored stands at the end. */
static struct kept_file *
file_of(struct kept *k, struct memory *memory, const char *name)
{
	uint64_t hash;
	struct kept_file *f = find_file(k, name, &hash);
	int r;

	if (f != NULL)
		return f;
	f = memory_alloc(memory, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->name = name;
	f->end = &f->first;
	r = table_add(&k->files, hash, &f->link);
	assert(r == 0); /* no more files than objects */
	return f;
}

int
kept_seal(struct kept *k, struct memory *memory)
{
	struct kept_file *f = NULL;
	int r = memory->lack;

	if (r == 0)
		r = tree_table(&k->objects, memory, k->count);
	if (r == 0)
		r = tree_table(&k->files, memory, k->count);
	for (struct kept_object *o = k->first; o != NULL && r == 0; o = o->next) {
		r = table_add(&k->objects, object_hash(&k->key, &o->id), &o->link);
		assert(r == 0); /* sized for all of them */
		if (f == NULL || strcmp(f->name, o->at.file) != 0)
			f = file_of(k, memory, o->at.file);
		if (f == NULL)
			return memory->lack;
		*f->end = o;
		f->end = &o->same_file;
	}
	return r;
}

const struct kept_object *
kept_find(const struct kept *k, const struct object_id *id)
{
	struct table_link *link;

	if (k == NULL)
		return NULL;
	link = table_find(&k->objects, object_hash(&k->key, id), object_matches, id);
	return link != NULL ? CONTAINER_OF(link, struct kept_object, link) : NULL;
}

const struct kept_object *
kept_of_file(const struct kept *k, const char *file)
{
	struct kept_file *f;
	uint64_t hash;

	if (k == NULL)
		return NULL;
	f = find_file(k, file, &hash);
	return f != NULL ? f->first : NULL;
}
