/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP addresses, prefixes and endpoints of both families as plain values: compare, parse,
 * format.
 *
 * All are values without ownership. An IPv4 address lies in the first 4 bytes and the
 * rest is zero, so equal addresses have equal bytes. Nothing here resolves names or reads
 * files.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/macros.h"

/* "[" + INET6_ADDRSTRLEN + "]:65535", or an address with "/128". */
#define ADDR_TEXT_MAX 64

struct addr {
	uint8_t family; /* AF_INET, AF_INET6, or 0 for none */
	uint8_t bytes[16];
};

/* The bits of addr behind len are always zero. */
struct prefix {
	struct addr addr;
	uint8_t len;
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host order */
};

/* 4 or 16: the bytes of an address of this family. */
size_t addr_len(const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);
/* Address of family from its network-order bytes (4 or 16 of them). */
struct addr addr_make(uint8_t family, const void *bytes);

/*
 * Strict text forms: dotted quad without leading zeros, RFC 4291 for IPv6, no zone id.
 * -EINVAL for anything else. text need not end in NUL.
 */
MUST_CHECK int addr_parse(const char *text, size_t len, struct addr *ret_addr);
/* "ADDR/LEN" or a bare address (full length). Host bits may be set and are cleared. */
MUST_CHECK int prefix_parse(const char *text, size_t len, struct prefix *ret_prefix);
/* "ADDR:PORT", "[ADDR6]:PORT", or a bare address of either family, which gets
 * default_port. */
MUST_CHECK int endpoint_parse(
    const char *text, size_t len, uint16_t default_port, struct endpoint *ret_endpoint);

bool prefix_contains(const struct prefix *p, const struct addr *a);
/* Does one of them contain it? */
bool prefixes_contain(const struct prefix *list, size_t count, const struct addr *a);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* Write into buf (at least ADDR_TEXT_MAX bytes) and return it. */
char *addr_format(const struct addr *a, char *buf);
char *prefix_format(const struct prefix *p, char *buf);
char *endpoint_format(const struct endpoint *e, char *buf);

/*
 * The address and port of a socket address. An IPv4-mapped IPv6 address becomes the IPv4
 * one that it stands for. -EAFNOSUPPORT for another family.
 */
MUST_CHECK int endpoint_from_sockaddr(
    const struct sockaddr *sa, struct endpoint *ret_endpoint);
/* Fills ss and returns the length to pass with it. */
socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss);

#endif
