/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

size_t
addr_len(const struct addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

struct addr
addr_make(uint8_t family, const void *bytes)
{
	struct addr a = {.family = family};

	memcpy(a.bytes, bytes, addr_len(&a));
	return a;
}

int
addr_parse(const char *text, size_t len, struct addr *ret_addr)
{
	char buf[INET6_ADDRSTRLEN];
	struct addr a = {0};

	if (len == 0 || len >= sizeof(buf) || memchr(text, '\0', len) != NULL)
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	a.family = strchr(buf, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(a.family, buf, a.bytes) != 1)
		return -EINVAL;
	*ret_addr = a;
	return 0;
}

/* Decimal without sign or leading zero, at most max. */
static int
number_parse(const char *text, size_t len, unsigned max, unsigned *ret_value)
{
	unsigned value = 0;

	if (len == 0 || len > 5 || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	if (value > max)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

static void
prefix_mask(struct prefix *p)
{
	size_t total = addr_len(&p->addr);
	size_t whole = p->len / 8;

	if (p->len % 8 != 0) {
		p->addr.bytes[whole] &= (uint8_t)(0xff << (8 - p->len % 8));
		whole++;
	}
	memset(p->addr.bytes + whole, 0, total - whole);
}

int
prefix_parse(const char *text, size_t len, struct prefix *ret_prefix)
{
	const char *slash = memchr(text, '/', len);
	size_t head = slash != NULL ? (size_t)(slash - text) : len;
	struct prefix p;
	unsigned bits;
	int r;

	r = addr_parse(text, head, &p.addr);
	if (r < 0)
		return r;
	bits = (unsigned)addr_len(&p.addr) * 8;
	if (slash != NULL) {
		r = number_parse(slash + 1, len - head - 1, bits, &bits);
		if (r < 0)
			return r;
	}
	p.len = (uint8_t)bits;
	prefix_mask(&p);
	*ret_prefix = p;
	return 0;
}

int
endpoint_parse(
    const char *text, size_t len, uint16_t default_port, struct endpoint *ret_endpoint)
{
	struct endpoint e = {.port = default_port};
	const char *host = text;
	size_t host_len = len;
	const char *port = NULL;
	const char *colon = memchr(text, ':', len);
	unsigned number;
	int r;

	if (len > 0 && text[0] == '[') {
		const char *end = memchr(text, ']', len);

		if (end == NULL)
			return -EINVAL;
		host = text + 1;
		host_len = (size_t)(end - host);
		if (end + 1 < text + len) {
			if (end[1] != ':')
				return -EINVAL;
			port = end + 2;
		}
	} else if (colon != NULL &&
		   memchr(colon + 1, ':', len - (size_t)(colon + 1 - text)) == NULL) {
		host_len = (size_t)(colon - text);
		port = colon + 1;
	}
	r = addr_parse(host, host_len, &e.addr);
	if (r < 0)
		return r;
	if (len > 0 && text[0] == '[' && e.addr.family != AF_INET6)
		return -EINVAL;
	if (port != NULL) {
		r = number_parse(port, (size_t)(text + len - port), 65535, &number);
		if (r < 0 || number == 0)
			return -EINVAL;
		e.port = (uint16_t)number;
	}
	*ret_endpoint = e;
	return 0;
}

bool
prefix_contains(const struct prefix *p, const struct addr *a)
{
	size_t whole = p->len / 8;
	uint8_t mask = (uint8_t)(0xff << (8 - p->len % 8));

	if (p->addr.family != a->family)
		return false;
	/* most differ in the first byte: no call for those */
	if (whole > 0 && (p->addr.bytes[0] != a->bytes[0] ||
			     memcmp(p->addr.bytes, a->bytes, whole) != 0))
		return false;
	return p->len % 8 == 0 || (a->bytes[whole] & mask) == p->addr.bytes[whole];
}

bool
prefixes_contain(const struct prefix *list, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_contains(&list[i], a))
			return true;
	return false;
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

char *
addr_format(const struct addr *a, char *buf)
{
	if ((a->family != AF_INET && a->family != AF_INET6) ||
	    inet_ntop(a->family, a->bytes, buf, ADDR_TEXT_MAX) == NULL)
		(void)snprintf(buf, ADDR_TEXT_MAX, "none"); /* fits by definition */
	return buf;
}

char *
prefix_format(const struct prefix *p, char *buf)
{
	size_t len;

	addr_format(&p->addr, buf);
	len = strlen(buf);
	(void)snprintf(
	    buf + len, ADDR_TEXT_MAX - len, "/%u", p->len); /* fits: see ADDR_TEXT_MAX */
	return buf;
}

char *
endpoint_format(const struct endpoint *e, char *buf)
{
	char host[ADDR_TEXT_MAX];

	addr_format(&e->addr, host);
	if (e->addr.family == AF_INET6)
		(void)snprintf(
		    buf, ADDR_TEXT_MAX, "[%.45s]:%u", host, e->port); /* fits */
	else
		(void)snprintf(buf, ADDR_TEXT_MAX, "%.45s:%u", host, e->port); /* fits */
	return buf;
}

int
endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *ret_endpoint)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		ret_endpoint->addr = addr_make(AF_INET, &in->sin_addr);
		ret_endpoint->port = ntohs(in->sin_port);
		return 0;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);

		ret_endpoint->addr = mapped
					 ? addr_make(AF_INET, in6->sin6_addr.s6_addr + 12)
					 : addr_make(AF_INET6, &in6->sin6_addr);
		ret_endpoint->port = ntohs(in6->sin6_port);
		return 0;
	}
	return -EAFNOSUPPORT;
}

socklen_t
endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (e->addr.family == AF_INET) {
		struct sockaddr_in *in = (void *)ss;

		in->sin_family = AF_INET;
		in->sin_port = htons(e->port);
		memcpy(&in->sin_addr, e->addr.bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (void *)ss;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(e->port);
	memcpy(&in6->sin6_addr, e->addr.bytes, 16);
	return sizeof(*in6);
}
