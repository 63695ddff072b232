/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing buffer of bytes, born with a ceiling.
 *
 * The owner of the struct calls buf_done. What would pass the ceiling, or does not get
 * memory, is left out whole and sets failed, which stays set until buf_clear: append in
 * peace and look once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct buf {
	char *bytes; /* always followed by a NUL once anything was appended */
	size_t len;
	size_t size;
	size_t limit;
	bool failed;
};

void buf_init(struct buf *b, size_t limit);
void buf_done(struct buf *b);
void buf_clear(struct buf *b);

void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* text as a JSON string in its quotes; bytes that are no valid UTF-8 become U+FFFD (RFC
 * 8259 section 8.1). */
void buf_json(struct buf *b, const char *text, size_t len);
/* Removes len bytes from the front; len is at most b->len. */
void buf_consume(struct buf *b, size_t len);

#endif
