/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/syntax.h"

#include <string.h>

#define LABEL_MAX 63
#define DOMAIN_MAX 255 /* Istio counts the text, dots included */
#define OBJECT_MAX 253

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* Letters and digits at both ends, and between them also the bytes of inner. */
static bool
is_word(const char *text, size_t len, const char *inner)
{
	if (len == 0 || len > LABEL_MAX || !is_alnum(text[0]) || !is_alnum(text[len - 1]))
		return false;
	for (size_t i = 1; i + 1 < len; i++)
		if (!is_alnum(text[i]) &&
		    (text[i] == '\0' || strchr(inner, text[i]) == NULL))
			return false;
	return true;
}

bool
syntax_label(const char *text, size_t len)
{
	return is_word(text, len, "-");
}

bool
syntax_namespace(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			return false;
	return syntax_label(text, len);
}

static size_t
label_end(const char *text, size_t len)
{
	const char *dot = memchr(text, '.', len);

	return dot != NULL ? (size_t)(dot - text) : len;
}

bool
syntax_object(const char *text, size_t len)
{
	size_t end;

	if (len == 0 || len > OBJECT_MAX)
		return false;
	for (;;) {
		end = label_end(text, len);
		if (!syntax_namespace(text, end))
			return false;
		if (end == len)
			return true;
		text += end + 1;
		len -= end + 1;
	}
}

static bool
all_digits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(text[i]))
			return false;
	return true;
}

/* Plain labels to the end. first: no label came before these. */
static bool
plain_labels(const char *text, size_t len, bool first)
{
	size_t end;

	for (;; first = false) {
		end = label_end(text, len);
		if (!syntax_label(text, end))
			return false;
		if (end == len)
			return first || !all_digits(text, len);
		text += end + 1;
		len -= end + 1;
	}
}

static size_t
without_dot(const char *text, size_t len)
{
	return len > 1 && text[len - 1] == '.' ? len - 1 : len;
}

bool
syntax_fqdn(const char *text, size_t len)
{
	if (len == 0 || len > DOMAIN_MAX)
		return false;
	return plain_labels(text, without_dot(text, len), true);
}

/* "*", "*x", "*-x" */
static bool
wildcard_label(const char *text, size_t len)
{
	if (len == 0 || len > LABEL_MAX || text[0] != '*')
		return false;
	if (len == 1)
		return true;
	text++;
	len--;
	if (text[0] == '-' && len > 1) {
		text++;
		len--;
	}
	return syntax_label(text, len);
}

bool
syntax_wildcard(const char *text, size_t len)
{
	size_t end;

	if (len == 0 || len > DOMAIN_MAX)
		return false;
	if (text[0] != '*')
		return syntax_fqdn(text, len);
	len = without_dot(text, len);
	end = label_end(text, len);
	if (!wildcard_label(text, end))
		return false;
	return end == len || plain_labels(text + end + 1, len - end - 1, false);
}

bool
syntax_label_key(const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);

	if (slash != NULL) {
		if (!syntax_object(text, (size_t)(slash - text)))
			return false;
		len -= (size_t)(slash + 1 - text);
		text = slash + 1;
	}
	return is_word(text, len, "-_.");
}

bool
syntax_label_value(const char *text, size_t len)
{
	return len == 0 || is_word(text, len, "-_.");
}
