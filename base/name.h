/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domain names as values, in wire form (RFC 1035 section 3.1): uncompressed, with the
 * root label, and in lower case, because names compare without regard to the case of A-Z
 * (RFC 4343).
 *
 * A byte in a label is data: a dot or a NUL in it never splits it. No ownership anywhere.
 */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"

#define NAME_WIRE_MAX 255   /* RFC 1035 section 2.3.4 */
#define NAME_LABEL_MAX 63   /* RFC 1035 section 2.3.4 */
#define NAME_LABELS_MAX 127 /* as many one-byte labels as fit into NAME_WIRE_MAX */
#define NAME_TEXT_MAX 1017  /* 254 bytes, each escaped as \DDD, and a NUL */

struct name {
	uint8_t len;    /* of the wire form, the root label included: 1 to 255 */
	uint8_t labels; /* without the root label */
	uint8_t bytes[NAME_WIRE_MAX];
};

/*
 * From presentation form, with or without the last dot; \DDD and \X as in RFC 1035
 * section 5.1. -EINVAL when empty (the root is "."), a label is empty or above 63 bytes,
 * or the whole above 255.
 */
MUST_CHECK int name_parse(const char *text, size_t len, struct name *ret_name);
/* From len bytes of wire form that are known to be well formed, folding A-Z. */
void name_from_wire(const uint8_t *wire, size_t len, struct name *ret_name);
/* Into buf (NAME_TEXT_MAX bytes), without the last dot; bytes other than a-z 0-9 - _ *
 * are escaped. Returns buf. */
char *name_format(const struct name *n, char *buf);

bool name_equal(const struct name *a, const struct name *b);
/* The name without its first label. n must not be the root. */
void name_parent(const struct name *n, struct name *ret_parent);
/* Is n equal to ancestor or below it? */
bool name_within(const struct name *n, const struct name *ancestor);
uint64_t name_hash(const struct hash_key *key, const struct name *n);

/* A-Z to lower case, every other byte as it is. */
uint8_t name_fold(uint8_t byte);

#endif
