/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/finding.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTE_TAIL 5 /* the closing quote, "..." and the NUL */

void
findings_init(struct findings *f, size_t limit)
{
	*f = (struct findings){.limit = limit};
}

void
findings_done(struct findings *f)
{
	for (size_t i = 0; i < f->len; i++) {
		free(f->list[i].file);
		free(f->list[i].text);
	}
	free(f->list);
	*f = (struct findings){.limit = f->limit};
}

/* Room for one more; false at the limit or out of memory. */
static bool
make_room(struct findings *f)
{
	size_t size = f->size == 0 ? 16 : f->size * 2;
	struct finding *list;

	if (f->len >= f->limit)
		return false;
	if (f->len < f->size)
		return true;
	list = reallocarray(f->list, size, sizeof(*list));
	if (list == NULL)
		return false;
	f->list = list;
	f->size = size;
	return true;
}

void
findings_addv(struct findings *f, enum finding_severity severity, const char *file,
    unsigned line, unsigned column, const char *fmt, va_list args)
{
	struct finding one = {.severity = severity, .line = line, .column = column};

	if (severity == FINDING_ERROR)
		f->errors++;
	if (severity == FINDING_WARNING)
		f->warnings++;
	if (!make_room(f)) {
		f->dropped++;
		return;
	}
	one.file = strdup(file);
	if (vasprintf(&one.text, fmt, args) < 0)
		one.text = NULL;
	if (one.file == NULL || one.text == NULL) {
		free(one.file);
		free(one.text);
		f->dropped++;
		return;
	}
	f->list[f->len++] = one;
}

void
findings_add(struct findings *f, enum finding_severity severity, const char *file,
    unsigned line, unsigned column, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	findings_addv(f, severity, file, line, column, fmt, args);
	va_end(args);
}

static const char *
severity_word(enum finding_severity severity)
{
	switch (severity) {
	case FINDING_ERROR:
		return "error";
	case FINDING_WARNING:
		return "warning";
	case FINDING_NOTE:
		return "note";
	}
	return "note";
}

char *
finding_format(const struct finding *f)
{
	const char *word = severity_word(f->severity);
	char *text;
	int r;

	if (f->line == 0)
		r = asprintf(&text, "%s: %s: %s", f->file, word, f->text);
	else
		r = asprintf(&text, "%s:%u:%u: %s: %s", f->file, f->line, f->column, word,
		    f->text);
	return r < 0 ? NULL : text;
}

/* One byte as it stands between quotes, at most 4 of them; returns how many. Bytes above
 * ASCII are escaped too: a terminal must not be told to do anything by them. */
static size_t
quote_byte(unsigned char byte, char out[4])
{
	static const char hex[] = "0123456789abcdef";

	if (byte == '"' || byte == '\\') {
		out[0] = '\\';
		out[1] = (char)byte;
		return 2;
	}
	if (byte >= 0x20 && byte < 0x7f) {
		out[0] = (char)byte;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[byte >> 4];
	out[3] = hex[byte & 15];
	return 4;
}

char *
finding_quote(const char *text, size_t len, char *buf)
{
	char piece[4];
	size_t used = 1;
	size_t size;
	size_t i;

	buf[0] = '"';
	for (i = 0; i < len; i++) {
		size = quote_byte((unsigned char)text[i], piece);
		if (used + size + QUOTE_TAIL > FINDING_QUOTE_MAX)
			break;
		memcpy(buf + used, piece, size);
		used += size;
	}
	memcpy(buf + used, i < len ? "\"..." : "\"", i < len ? 5 : 2);
	return buf;
}
