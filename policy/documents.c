/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/documents.h"

#include <errno.h>

/* Of what libyaml makes of DOCUMENTS_BYTES_MAX bytes, far more than can come. */
#define ARENA_MAX (DOCUMENTS_BYTES_MAX * 256)

int
documents_init(struct documents *d)
{
	*d = (struct documents){.arena = arena_new(ARENA_MAX)};
	d->end = &d->first;
	return d->arena != NULL ? 0 : -ENOMEM;
}

void
documents_done(struct documents *d)
{
	arena_free(d->arena);
	*d = (struct documents){0};
}

static void
clear(struct documents *d)
{
	arena_clear(d->arena);
	d->first = NULL;
	d->end = &d->first;
}

static int
keep(void *ctx, const struct node *root)
{
	struct documents *d = ctx;
	struct document *document = arena_alloc(d->arena, sizeof(*document));

	if (document == NULL)
		return -ENOMEM;
	document->root = root;
	*d->end = document;
	d->end = &document->next;
	return 0;
}

int
documents_read(struct documents *d, const char *text, size_t len)
{
	struct findings findings;
	int r;

	clear(d);
	if (len > DOCUMENTS_BYTES_MAX)
		return -EFBIG;
	findings_init(&findings, 0); /* counted, not kept */
	r = node_read("", text, len, d->arena, &findings, keep, d);
	if (r == 0 && findings.dropped > 0)
		r = -EINVAL;
	findings_done(&findings);
	if (r < 0)
		clear(d);
	return r;
}
