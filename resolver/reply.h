/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies to clients, written into the caller's buffer: no allocation, no ldns.
 *
 * Every reply echoes id, opcode, RD, CD and the question octet for octet, has QR and RA
 * set, AA and AD clear, and an OPT exactly when the query had one. Each function returns
 * the reply's length; size is at least REPLY_SIZE_MIN. An answer that does not fit into
 * limit is cut to TC=1 with an empty answer section; an Extended DNS Error (RFC 8914)
 * that does not fit is left out first.
 */
#ifndef RESOLVER_REPLY_H
#define RESOLVER_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "resolver/answer.h"
#include "resolver/question.h"
#include "resolver/wire.h"

#define REPLY_SIZE_MIN 512
#define REPLY_EDE_TEXT_MAX 64

/* An Extended DNS Error; code EDE_NONE for none. text is borrowed, UTF-8, at most
 * REPLY_EDE_TEXT_MAX bytes. */
struct reply_ede {
	enum wire_ede code;
	const char *text; /* may be NULL */
};

/* Header, question when there was one, OPT: an rcode and nothing else. rcode may be
 * RCODE_BADVERS. */
size_t reply_error(const struct question *q, enum wire_rcode rcode,
    const struct reply_ede *ede, uint8_t *out, size_t size);

/* NXDOMAIN or NOERROR without an answer, with a SOA of our own owned by the question's
 * name and of ttl_s as TTL and MINIMUM (RFC 2308 section 3). */
size_t reply_negative(const struct question *q, enum wire_rcode rcode, uint32_t ttl_s,
    const struct reply_ede *ede, uint8_t *out, size_t size);

/* RFC 8482 section 4.2: an ANY query gets HINFO "RFC8482". */
size_t reply_any(const struct question *q, uint32_t ttl_s, uint8_t *out, size_t size);

/*
 * The answer a with every TTL set to ttl_s, and of its addresses only those whose bit is
 * set in keep. limit is what the client's transport takes, at most size. Nothing kept of
 * an answer that had addresses: NOERROR without an answer.
 */
size_t reply_answer(const struct question *q, const struct answer *a, uint64_t keep,
    uint32_t ttl_s, const struct reply_ede *ede, size_t limit, uint8_t *out, size_t size);

/*
 * The same of an answer to another question, of type A or AAAA: the question's name is
 * led to a's name by a CNAME record, and a's addresses are a's name's own, however long
 * the chain to them was. Nothing kept: the CNAME alone.
 */
size_t reply_alias(const struct question *q, const struct answer *a, uint64_t keep,
    uint32_t ttl_s, const struct reply_ede *ede, size_t limit, uint8_t *out, size_t size);

#endif
