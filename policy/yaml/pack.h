/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's tree as a row of bytes, with its places: as small as the text that it was read
 * from, and read back without a parser.
 *
 * The bytes are ours alone: what pack_read gets has come from pack_node.
 */
#ifndef POLICY_YAML_PACK_H
#define POLICY_YAML_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "policy/memory.h"
#include "policy/yaml/node.h"

struct pack {
	const uint8_t *bytes;
	size_t len;
};

/* How many bytes the tree takes. */
size_t pack_size(const struct node *root);
/* So many, into out, which has room for them; their number again. */
size_t pack_write(const struct node *root, uint8_t *out);
/* Into memory; bytes NULL when that lacks. */
MUST_CHECK struct pack pack_node(const struct node *root, struct memory *m);
/* The tree again, in memory; its texts lie in the pack or
 * are words (policy/yaml/word.h). NULL when memory lacks. */
MUST_CHECK const struct node *pack_read(const struct pack *p, struct memory *m);

#endif
