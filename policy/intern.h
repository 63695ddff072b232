/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts kept once each, with a number.
 *
 * The texts lie in the memory given; the table is on the heap until intern_done.
 */
#ifndef POLICY_INTERN_H
#define POLICY_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"
#include "policy/memory.h"

struct interned {
	struct table_link link;
	uint32_t id; /* from 0, without gaps */
	char text[];
};

struct intern {
	struct memory *memory;
	struct hash_key key;
	struct table table;
};

/* Room for limit texts. -ENOMEM. */
MUST_CHECK int intern_init(
    struct intern *i, struct memory *memory, const struct hash_key *key, size_t limit);
void intern_done(struct intern *i);
/* NULL when memory lacks. */
const struct interned *intern_text(struct intern *i, const char *text);
/* NULL when not there. */
const struct interned *intern_find(const struct intern *i, const char *text);

#endif
