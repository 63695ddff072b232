/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed values out of the nodes of one file, with a finding at the place of what is not
 * what it should be.
 *
 * A value that is absent or null is not a finding: the caller knows whether it is needed.
 * Everything is borrowed; copies come from memory, whose sticky lack tells of failures.
 */
#ifndef POLICY_YAML_READER_H
#define POLICY_YAML_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "policy/finding.h"
#include "policy/memory.h"
#include "policy/yaml/node.h"

struct reader {
	const char *file;
	struct findings *findings;
	struct memory *memory;
	size_t errors; /* of this reader */
};

/* at NULL: about the file as a whole. */
void reader_error(struct reader *rd, const struct node *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void reader_warning(struct reader *rd, const struct node *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void reader_note(struct reader *rd, const struct node *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* An error "WHAT VALUE MESSAGE", the value quoted. */
void reader_refuse(
    struct reader *rd, const struct node *at, const char *what, const char *message);

/* The value under key; NULL when absent or null. */
const struct node *reader_get(const struct node *map, const char *key);
/*
 * Is n there, and of that kind? Absent: false. Of another kind: false and an error. A
 * plain scalar that YAML 1.1 reads as a number or a boolean is no text, because the
 * cluster would refuse it.
 */
bool reader_text(struct reader *rd, const struct node *n, const char *what);
bool reader_mapping(struct reader *rd, const struct node *n, const char *what);
/* Of at most max elements, when max is not 0. */
bool reader_sequence(
    struct reader *rd, const struct node *n, const char *what, size_t max);
bool reader_number(struct reader *rd, const struct node *n, const char *what,
    uint64_t min, uint64_t max, uint64_t *ret_value);
bool reader_bool(
    struct reader *rd, const struct node *n, const char *what, bool *ret_value);
/* A warning for each key of map that is not among known, which ends with NULL. */
void reader_known(struct reader *rd, const struct node *map, const char *where,
    const char *const known[]);

/* A text that may stand only once, and where it stands. */
struct reader_item {
	const char *text;
	const struct node *at;
};
/* An error for each of the n items that repeats an earlier one; sorts items. */
void reader_unique(
    struct reader *rd, struct reader_item *items, size_t n, const char *what);

/* A copy of a scalar's text; NULL when memory lacks. */
char *reader_copy(struct reader *rd, const struct node *n);

#endif
