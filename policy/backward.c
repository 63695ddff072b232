/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/backward.h"

#include <string.h>

#include "base/name.h"

/* The label at from, up to end, and a dot. */
static char *
put_label(char *at, const char *from, const char *end)
{
	while (from < end)
		*at++ = (char)name_fold((uint8_t)*from++);
	*at++ = '.';
	return at;
}

const char *
backward_text(struct memory *m, const char *host)
{
	const char *end;
	char *text, *at;

	if (host[0] == '*')
		host += host[1] == '.' ? 2 : 1;
	end = host + strlen(host);
	if (end > host && end[-1] == '.')
		end--;
	text = memory_alloc(m, (size_t)(end - host) + 2);
	if (text == NULL)
		return NULL;
	at = text;
	while (end > host) {
		const char *from = end;

		while (from > host && from[-1] != '.')
			from--;
		at = put_label(at, from, end);
		end = from > host ? from - 1 : host;
	}
	return text;
}
