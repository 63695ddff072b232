/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of a text, read as trees but not yet taken into a registry: what one
 * thread may do while another builds the registry of those before.
 *
 * Only a text that there is nothing to say about comes out as documents. Anything else is
 * to be given to registry_builder_add as text, which says it.
 */
#ifndef POLICY_REGISTRY_DOCUMENTS_H
#define POLICY_REGISTRY_DOCUMENTS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/macros.h"
#include "policy/registry/shelf.h"
#include "policy/yaml/node.h"

/* Bytes of a text: a longer one is better read document by document. Its trees take up to
 * some 30 times as much. */
#define DOCUMENTS_BYTES_MAX ((size_t)32 * 1024)

struct document {
	const struct node *root;
	struct document *next;
};

/* The owner calls documents_done. Must not be moved. */
struct documents {
	struct arena *arena;
	struct document *first, **end;
	const struct shelf *before;
	struct hash_key key;
	struct shelf_digest digest;    /* of the text */
	const struct shelved *shelved; /* what they were made of; NULL: of the text */
};

/* before: where texts that were read earlier are looked up, NULL: nowhere; borrowed as
 * long as d lives. The key is that of its digests. -ENOMEM. */
MUST_CHECK int documents_init(
    struct documents *d, const struct shelf *before, const struct hash_key *key);
/* Of a zeroed one too. */
void documents_done(struct documents *d);

/*
 * Those of text, instead of what d held before; the text may go afterwards. -EINVAL when
 * there is a finding in it, -EFBIG when it is too long, -ENOMEM: d is empty then.
 */
MUST_CHECK int documents_read(struct documents *d, const char *text, size_t len);

#endif
