/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places in a YAML text: lines, characters and bytes, counted as libyaml counts them.
 */
#ifndef POLICY_YAML_PLACE_H
#define POLICY_YAML_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* Line breaks in the text: LF, CR, CR LF, NEL, LS and PS (YAML 1.1 section 5.4). */
unsigned place_lines(const char *text, size_t len);
/* The byte at which character number index begins, len when there are fewer. */
size_t place_offset(const char *text, size_t len, size_t index);
/* The first line "---" that begins at or behind pos and not at 0; false when there is
 * none. */
bool place_document(const char *text, size_t len, size_t pos, size_t *ret_pos);

/* Is it UTF-8 without bytes that YAML 1.1 (section 5.1) has no use for? Of anything else
 * libyaml gives up some way before the place. */
bool place_readable(const char *text, size_t len);

#endif
