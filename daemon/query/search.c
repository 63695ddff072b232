/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/search.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LABELS_MIN 2

bool
search_strip(const char *namespace, const char *domain, const struct name *n,
    struct name *ret_name)
{
	uint8_t wire[NAME_WIRE_MAX];
	char text[NAME_TEXT_MAX];
	struct name suffix;
	size_t len;
	int r = snprintf(text, sizeof(text), "%s.svc.%s", namespace, domain);

	if (r < 0 || (size_t)r >= sizeof(text) ||
	    name_parse(text, (size_t)r, &suffix) < 0 || !name_within(n, &suffix) ||
	    n->labels < suffix.labels + LABELS_MIN)
		return false;
	len = (size_t)n->len - suffix.len;
	memcpy(wire, n->bytes, len); /* less than a name */
	wire[len] = 0;
	name_from_wire(wire, len + 1, ret_name);
	return true;
}
