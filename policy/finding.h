/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong in a text that a person wrote, and where: the reader's side of every
 * parser in policy/.
 *
 * A struct findings owns its texts; the owner of the struct calls findings_done. It keeps
 * the first limit findings; further ones are only counted, so errors is right even when
 * the list is full.
 */
#ifndef POLICY_FINDING_H
#define POLICY_FINDING_H

#include <stdarg.h>
#include <stddef.h>

#include "base/macros.h"

#define FINDINGS_MAX 1000 /* the usual limit: more than anybody reads */

enum finding_severity {
	FINDING_ERROR,   /* the text is refused */
	FINDING_WARNING, /* the text is accepted; what happens instead is said */
	FINDING_NOTE,    /* of interest only to who asks for more */
};

struct finding {
	enum finding_severity severity;
	unsigned line;   /* from 1; 0: the file as a whole */
	unsigned column; /* from 1 */
	char *file;
	char *text; /* one line: what, and what to do */
};

struct findings {
	struct finding *list;
	size_t len;
	size_t size;
	size_t limit;
	size_t errors;
	size_t warnings;
	size_t dropped; /* found behind the limit, or lost to a lack of memory */
};

void findings_init(struct findings *f, size_t limit);
void findings_done(struct findings *f);

/* Bytes of user text in fmt's arguments must have been quoted by finding_quote. */
void findings_add(struct findings *f, enum finding_severity severity, const char *file,
    unsigned line, unsigned column, const char *fmt, ...) PRINTF_LIKE(6, 7);

void findings_addv(struct findings *f, enum finding_severity severity, const char *file,
    unsigned line, unsigned column, const char *fmt, va_list args) PRINTF_LIKE(6, 0);

/* "FILE:LINE:COLUMN: error: TEXT" (FILE: error: TEXT when line is 0). On the heap, the
 * caller frees; NULL when out of memory. */
char *finding_format(const struct finding *f);

#define FINDING_QUOTE_MAX 80
/* text in double quotes; control bytes, quotes and bytes above ASCII escaped; cut, with
 * "..." behind the closing quote, to fit; returns buf, which has FINDING_QUOTE_MAX bytes.
 */
char *finding_quote(const char *text, size_t len, char *buf);

#endif
