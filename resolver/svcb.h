/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RDATA of one SVCB or HTTPS record (RFC 9460): read strictly, and written again
 * without the addresses in it that somebody may not have.
 *
 * A struct svcb borrows the RDATA, whose TargetName is uncompressed. Nothing is
 * allocated. In AliasMode parameters mean nothing (section 2.4.2): they are read, there
 * are no hints, and none is written.
 */
#ifndef RESOLVER_SVCB_H
#define RESOLVER_SVCB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"

enum svcb_key { /* IANA "Service Parameter Keys (SvcParamKeys)" */
	SVCB_MANDATORY = 0,
	SVCB_ALPN = 1,
	SVCB_NO_DEFAULT_ALPN = 2,
	SVCB_PORT = 3,
	SVCB_IPV4HINT = 4,
	SVCB_ECH = 5,
	SVCB_IPV6HINT = 6,
	SVCB_INVALID = 65535,
};

/* The value of a parameter; len 0: there is none. */
struct svcb_value {
	size_t pos;
	uint16_t len;
};

struct svcb {
	const uint8_t *rdata;
	size_t len;
	uint16_t priority; /* 0: AliasMode */
	size_t params;     /* where they begin */
	struct svcb_value mandatory, v4, v6;
};

/*
 * -EBADMSG: a length lies, a key comes twice or out of order, a value is not what its key
 * asks for (sections 7 and 8), or a key of "mandatory" is absent.
 */
MUST_CHECK int svcb_parse(const uint8_t *rdata, size_t len, struct svcb *ret_svcb);

/* The hints, those of IPv4 first; i below the count. */
size_t svcb_hint_count(const struct svcb *s);
struct addr svcb_hint(const struct svcb *s, size_t i);

typedef bool (*svcb_keep_fn)(const void *ctx, const struct addr *addr);
/*
 * The RDATA with only those hints that keep says yes to, and without ech, which would
 * hide the name from who has to judge it. A parameter that goes leaves "mandatory" too.
 * out has room for s->len. Returns the length.
 */
size_t svcb_write(const struct svcb *s, svcb_keep_fn keep, const void *ctx, uint8_t *out);

#endif
