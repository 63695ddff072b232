/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/resolv_conf.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/file.h"

#define DNS_PORT 53
#define KEYWORD "nameserver"
#define BLANKS " \t\r"

struct reading {
	const char *path;
	const struct endpoint *skip;
	size_t skip_count;
	struct findings *findings;
	struct endpoint *list;
	size_t max;
	size_t count;
};

static bool
is_among(const struct endpoint *e, const struct endpoint *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (endpoint_equal(&list[i], e))
			return true;
	return false;
}

static void
take_nameserver(struct reading *r, unsigned line, const char *text, size_t len)
{
	static const uint8_t zero[16];
	struct endpoint e = {.port = DNS_PORT};
	char quoted[FINDING_QUOTE_MAX];

	if (addr_parse(text, len, &e.addr) < 0 ||
	    memcmp(e.addr.bytes, zero, sizeof(zero)) == 0) {
		findings_add(r->findings, FINDING_WARNING, r->path, line, 1,
		    "nameserver %s is passed over: it is no address that can be asked",
		    finding_quote(text, len, quoted));
		return;
	}
	if (is_among(&e, r->skip, r->skip_count) || is_among(&e, r->list, r->count))
		return;
	if (r->count < r->max)
		r->list[r->count++] = e;
}

/* The keyword begins its line, and blanks follow it (resolv.conf(5)). */
static void
take_line(struct reading *r, unsigned line, const char *text, size_t len)
{
	size_t at = strlen(KEYWORD);
	size_t end;

	if (len <= at || memcmp(text, KEYWORD, at) != 0 ||
	    strchr(BLANKS, text[at]) == NULL || text[at] == '\0')
		return;
	while (at < len && text[at] != '\0' && strchr(BLANKS, text[at]) != NULL)
		at++;
	for (end = at; end < len; end++)
		if (text[end] != '\0' && strchr(BLANKS, text[end]) != NULL)
			break;
	take_nameserver(r, line, text + at, end - at);
}

int
resolv_conf_read(const char *path, const struct endpoint *skip, size_t skip_count,
    struct findings *findings, struct endpoint *list, size_t max)
{
	struct reading reading = {
	    .path = path,
	    .skip = skip,
	    .skip_count = skip_count,
	    .findings = findings,
	    .list = list,
	    .max = max,
	};
	struct file_identity id;
	unsigned line = 1;
	char *text;
	size_t len;
	int r;

	r = file_read(AT_FDCWD, path, FILE_ANY_OWNER, RESOLV_CONF_MAX, &id, &text, &len);
	if (r < 0)
		return r;
	for (size_t at = 0, step; at < len; at += step + 1, line++) {
		const char *end = memchr(text + at, '\n', len - at);

		step = end != NULL ? (size_t)(end - text) - at : len - at;
		take_line(&reading, line, text + at, step);
	}
	free(text);
	return (int)reading.count;
}
