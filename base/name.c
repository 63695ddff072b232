/* SPDX-License-Identifier: Apache-2.0 */
#include "base/name.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

uint8_t
name_fold(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* One byte of a label at text[*pos], escapes undone; moves pos behind it. */
static int
text_byte(const char *text, size_t len, size_t *pos, uint8_t *ret_byte)
{
	const uint8_t *p = (const uint8_t *)text + *pos;
	size_t left = len - *pos;
	unsigned value;

	if (p[0] != '\\') {
		*ret_byte = p[0];
		*pos += 1;
		return 0;
	}
	if (left < 2)
		return -EINVAL;
	if (p[1] < '0' || p[1] > '9') {
		*ret_byte = p[1];
		*pos += 2;
		return 0;
	}
	if (left < 4 || p[2] < '0' || p[2] > '9' || p[3] < '0' || p[3] > '9')
		return -EINVAL;
	value = (p[1] - '0') * 100u + (p[2] - '0') * 10u + (p[3] - '0');
	if (value > 255)
		return -EINVAL;
	*ret_byte = (uint8_t)value;
	*pos += 4;
	return 0;
}

/* The label at text[*pos] appended to n; moves pos behind its dot. */
static int
text_label(const char *text, size_t len, size_t *pos, struct name *n)
{
	size_t head = n->len;
	size_t label = 0;
	uint8_t byte;
	int r;

	while (*pos < len && text[*pos] != '.') {
		r = text_byte(text, len, pos, &byte);
		if (r < 0)
			return r;
		/* one byte stays free for the root label */
		if (++label > NAME_LABEL_MAX || head + label + 1 >= NAME_WIRE_MAX)
			return -EINVAL;
		n->bytes[head + label] = name_fold(byte);
	}
	if (label == 0)
		return -EINVAL;
	if (*pos < len)
		*pos += 1;
	n->bytes[head] = (uint8_t)label;
	n->len = (uint8_t)(head + label + 1);
	n->labels++;
	return 0;
}

int
name_parse(const char *text, size_t len, struct name *ret_name)
{
	struct name n = {0};
	size_t pos = 0;
	int r;

	if (len == 0)
		return -EINVAL;
	if (len == 1 && text[0] == '.')
		pos = len;
	while (pos < len) {
		r = text_label(text, len, &pos, &n);
		if (r < 0)
			return r;
	}
	n.bytes[n.len++] = 0;
	*ret_name = n;
	return 0;
}

void
name_from_wire(const uint8_t *wire, size_t len, struct name *ret_name)
{
	size_t pos = 0;

	assert(len >= 1 && len <= NAME_WIRE_MAX);
	ret_name->len = (uint8_t)len;
	ret_name->labels = 0;
	while (wire[pos] != 0) {
		size_t label = wire[pos];

		assert(label <= NAME_LABEL_MAX && pos + label + 1 < len);
		ret_name->bytes[pos++] = (uint8_t)label;
		for (; label > 0; label--, pos++)
			ret_name->bytes[pos] = name_fold(wire[pos]);
		ret_name->labels++;
	}
	ret_name->bytes[pos] = 0;
	assert(pos + 1 == len);
}

static char *
format_byte(uint8_t byte, char *out)
{
	if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
	    byte == '_' || byte == '*') {
		*out++ = (char)byte;
		return out;
	}
	*out++ = '\\';
	*out++ = (char)('0' + byte / 100);
	*out++ = (char)('0' + byte / 10 % 10);
	*out++ = (char)('0' + byte % 10);
	return out;
}

char *
name_format(const struct name *n, char *buf)
{
	const uint8_t *p = n->bytes;
	char *out = buf;

	if (n->labels == 0)
		*out++ = '.';
	while (*p != 0) {
		if (p != n->bytes)
			*out++ = '.';
		for (size_t left = *p++; left > 0; left--)
			out = format_byte(*p++, out);
	}
	*out = '\0';
	return buf;
}

bool
name_equal(const struct name *a, const struct name *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

void
name_parent(const struct name *n, struct name *ret_parent)
{
	size_t skip = n->bytes[0] + 1u;
	struct name parent = {
	    .len = (uint8_t)(n->len - skip), .labels = (uint8_t)(n->labels - 1)};

	assert(n->labels > 0);
	memcpy(parent.bytes, n->bytes + skip, parent.len);
	*ret_parent = parent;
}

bool
name_within(const struct name *n, const struct name *ancestor)
{
	size_t pos = 0;

	if (n->labels < ancestor->labels)
		return false;
	for (unsigned skip = n->labels - ancestor->labels; skip > 0; skip--)
		pos += n->bytes[pos] + 1u;
	return n->len - pos == ancestor->len &&
	       memcmp(n->bytes + pos, ancestor->bytes, ancestor->len) == 0;
}

uint64_t
name_hash(const struct hash_key *key, const struct name *n)
{
	return hash_bytes(key, n->bytes, n->len);
}
