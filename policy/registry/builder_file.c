/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file of manifests taken in.
 */
#include "policy/registry/builder.h"

#include <errno.h>
#include <string.h>

#include "policy/registry/documents.h"
#include "policy/yaml/node.h"
#include "policy/yaml/place.h"

/* What one call of registry_builder_add works with. */
struct file {
	struct registry_builder *b;
	struct reader reader;
};

static int
take_object(void *ctx, struct reader *rd, const struct manifest *object)
{
	struct file *f = ctx;

	return builder_take(f->b, rd, object);
}

static int
take_document(void *ctx, const struct node *root)
{
	struct file *f = ctx;
	int r = manifest_each(&f->reader, root, take_object, f);

	arena_clear(f->b->scratch); /* the tree goes, its memory serves the next one */
	return r;
}

/* Nothing of a text that is damaged is believed. Its findings are for people. */
static int
take_nothing(void *ctx, const struct node *root)
{
	(void)ctx;
	(void)root;
	return 0;
}

/* What is read of a file: either. */
struct content {
	const char *text;
	size_t len;
	const struct documents *documents;
};

static int
read_text(struct file *f, const struct content *c)
{
	struct registry_builder *b = f->b;
	bool damaged = b->admission.skip && !place_readable(c->text, c->len);
	int r;

	r = node_read(f->reader.file, c->text, c->len, b->scratch, b->findings,
	    damaged ? take_nothing : take_document, f);
	arena_clear(b->scratch); /* of a document that was not taken */
	return r == -EINVAL ? 0 : r;
}

static int
read_documents(struct file *f, const struct documents *documents)
{
	int r = 0;

	for (const struct document *d = documents->first; d != NULL && r >= 0;
	     d = d->next)
		r = manifest_each(&f->reader, d->root, take_object, f);
	if (r >= 0 && f->b->shelf != NULL) {
		shelf_add(f->b->shelf, &f->b->image, documents);
		r = f->b->image.lack;
	}
	return MIN_OF(r, 0);
}

static int
add_content(struct registry_builder *b, const char *file, const struct content *c)
{
	const struct admission *a = &b->admission;
	size_t errors = b->findings->errors - a->told - a->fatal;
	/* in the image: a registry tells where its entries stand */
	char *copy = memory_text(&b->image, file, strlen(file));
	struct file f = {.b = b};
	int r;

	if (copy == NULL)
		return b->image.lack;
	f.reader = (struct reader){
	    .file = copy,
	    .findings = b->findings,
	    .memory = &b->build,
	};
	r = c->documents != NULL ? read_documents(&f, c->documents) : read_text(&f, c);
	if (r < 0)
		return r;
	errors = b->findings->errors - a->told - a->fatal - errors;
	return admission_lose(b, copy, errors);
}

int
registry_builder_add(
    struct registry_builder *b, const char *file, const char *text, size_t len)
{
	struct content c = {.text = text, .len = len};

	return add_content(b, file, &c);
}

int
registry_builder_add_documents(
    struct registry_builder *b, const char *file, const struct documents *documents)
{
	struct content c = {.documents = documents};

	return add_content(b, file, &c);
}

int
registry_builder_lose(struct registry_builder *b, const char *file, const char *what)
{
	char *copy = memory_text(&b->build, file, strlen(file));

	if (copy == NULL)
		return b->build.lack;
	findings_add(b->findings, FINDING_ERROR, file, 0, 0, "%s", what);
	return admission_lose(b, copy, 1);
}
