/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exportTo: which namespaces see an entry.
 *
 * The namespaces lie in the reader's memory, sorted, so that equal exports compare equal.
 */
#ifndef POLICY_OBJECT_EXPORT_H
#define POLICY_OBJECT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/yaml/reader.h"

struct export
{
	bool stated;  /* false: nothing, and the mesh's default may still replace it */
	bool public;  /* "*", or nothing stated */
	size_t count; /* of namespaces, when not public; 0: nobody ("~") */
	const char *const *namespaces; /* "." stands here as the entry's own */
};

/* The words as written, sorted, each once, for a list that is not for one namespace. */
struct export_words {
	size_t count;
	const char *const *list;
};

/* Reads and checks a list of exportTo's words that stands under what. NULL after error
 * findings, when there are none, or when memory lacks. */
const struct export_words *export_read_words(
    struct reader *rd, const struct node *list, const char *what);
bool export_words_equal(const struct export_words *a, const struct export_words *b);
/* What they say of an object in namespace own; in m. */
void export_make(struct memory *m, const struct export_words *words, const char *own,
    struct export *ret_export);

/* Reads and checks spec.exportTo (NULL: public) of an entry in namespace own. What is
 * refused is an error finding. */
void export_read(struct reader *rd, const struct node *export_to, const char *own,
    struct export *ret_export);
/* The same, of a text as Istio's annotation of Services has it: elements parted by
 * commas, blanks round them trimmed. */
void export_read_text(struct reader *rd, const struct node *text, const char *own,
    struct export *ret_export);
bool export_equal(const struct export *a, const struct export *b);
/* Is namespace among those listed? */
bool export_lists(const struct export *e, const char *namespace);

#endif
