/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exportTo: which namespaces see an entry.
 *
 * The namespaces lie in the reader's memory, sorted, so that equal exports compare equal.
 */
#ifndef POLICY_EXPORT_H
#define POLICY_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/reader.h"

struct export
{
	bool public;  /* "*", or nothing stated */
	size_t count; /* of namespaces, when not public; 0: nobody ("~") */
	const char *const *namespaces; /* "." stands here as the entry's own */
};

/* Reads and checks spec.exportTo (NULL: public) of an entry in namespace own. What is
 * refused is an error finding. */
void export_read(struct reader *rd, const struct node *export_to, const char *own,
    struct export *ret_export);
bool export_equal(const struct export *a, const struct export *b);
/* Is namespace among those listed? */
bool export_lists(const struct export *e, const char *namespace);

#endif
