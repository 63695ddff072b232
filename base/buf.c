/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void
buf_init(struct buf *b, size_t limit)
{
	*b = (struct buf){.limit = limit};
}

void
buf_done(struct buf *b)
{
	free(b->bytes);
	b->bytes = NULL;
	b->len = b->size = 0;
}

static void
truncate_to(struct buf *b, size_t len)
{
	b->len = len;
	if (b->bytes != NULL)
		b->bytes[len] = '\0';
}

void
buf_clear(struct buf *b)
{
	b->failed = false;
	truncate_to(b, 0);
}

/* Room for len more bytes and a NUL. */
static bool
reserve(struct buf *b, size_t len)
{
	size_t size = b->size != 0 ? b->size : 64;
	char *bytes;

	/* below half of all, so that doubling cannot overflow */
	if (b->failed || len > b->limit - b->len || len >= SIZE_MAX / 2 - b->len) {
		b->failed = true;
		return false;
	}
	while (size < b->len + len + 1)
		size *= 2;
	if (size != b->size) {
		bytes = realloc(b->bytes, size);
		if (bytes == NULL) {
			b->failed = true;
			return false;
		}
		b->bytes = bytes;
		b->size = size;
	}
	return true;
}

void
buf_append(struct buf *b, const void *bytes, size_t len)
{
	if (!reserve(b, len))
		return;
	memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
	b->bytes[b->len] = '\0';
}

void
buf_text(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0 || !reserve(b, (size_t)len)) {
		b->failed = true;
		return;
	}
	va_start(args, fmt);
	(void)vsnprintf(
	    b->bytes + b->len, (size_t)len + 1, fmt, args); /* measured above */
	va_end(args);
	b->len += (size_t)len;
}

void
buf_json(struct buf *b, const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t start = b->len;

	buf_append(b, "\"", 1);
	for (size_t i = 0, step; i < len; i += step) {
		step = utf8_len(p + i, len - i);
		if (step == 0) {
			buf_text(b, "\\ufffd");
			step = 1;
		} else if (p[i] == '"' || p[i] == '\\') {
			buf_printf(b, "\\%c", p[i]);
		} else if (p[i] < 0x20 || p[i] == 0x7f) {
			buf_printf(b, "\\u%04x", p[i]);
		} else {
			buf_append(b, p + i, step);
		}
	}
	buf_append(b, "\"", 1);
	if (b->failed)
		truncate_to(b, start);
}

void
buf_consume(struct buf *b, size_t len)
{
	assert(len <= b->len);
	if (len == 0)
		return;
	b->len -= len;
	memmove(b->bytes, b->bytes + len, b->len + 1);
}
