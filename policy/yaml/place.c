/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/yaml/place.h"

#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"

unsigned
place_lines(const char *text, size_t len)
{
	unsigned lines = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' ||
		    (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n')))
			lines++;
		else if (len - i >= 2 && memcmp(text + i, "\xc2\x85", 2) == 0)
			lines++;
		else if (len - i >= 3 && (memcmp(text + i, "\xe2\x80\xa8", 3) == 0 ||
					     memcmp(text + i, "\xe2\x80\xa9", 3) == 0))
			lines++;
	}
	return lines;
}

size_t
place_offset(const char *text, size_t len, size_t index)
{
	size_t pos = 0;

	while (pos < len && index > 0) {
		pos++;
		while (pos < len && ((unsigned char)text[pos] & 0xc0) == 0x80)
			pos++;
		index--;
	}
	return pos;
}

bool
place_document(const char *text, size_t len, size_t pos, size_t *ret_pos)
{
	const char *end = text + len;
	const char *at = text + MIN_OF(len, MAX_OF(pos, 1) - 1);

	for (;; at++) {
		at = memmem(at, (size_t)(end - at), "\n---", 4);
		if (at == NULL)
			return false;
		if (at + 4 == end || memchr(" \t\r\n", at[4], 4) != NULL)
			break;
	}
	*ret_pos = (size_t)(at - text) + 1;
	return true;
}

/* One character, of len bytes. */
static bool
is_printable(const char *c, size_t len)
{
	unsigned char byte = (unsigned char)c[0];

	if (len == 1)
		return byte == '\t' || byte == '\n' || byte == '\r' ||
		       (byte >= 0x20 && byte < 0x7f);
	if (len == 2 && byte == 0xc2) /* C1 controls but NEL */
		return (unsigned char)c[1] >= 0xa0 || (unsigned char)c[1] == 0x85;
	return len != 3 ||
	       (memcmp(c, "\xef\xbf\xbe", 3) != 0 && memcmp(c, "\xef\xbf\xbf", 3) != 0);
}

bool
place_readable(const char *text, size_t len)
{
	size_t step;

	for (size_t pos = 0; pos < len; pos += step) {
		step = utf8_len((const uint8_t *)text + pos, len - pos);
		if (step == 0 || !is_printable(text + pos, step))
			return false;
	}
	return true;
}
