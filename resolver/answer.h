/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An upstream's answer to one question, examined and made ours: only what hangs on the
 * CNAME chain that starts at the question, in order, with one TTL, ready to be sent many
 * times.
 *
 * Immutable once made but for its reference count; the caller of answer_examine holds the
 * first reference.
 */
#ifndef RESOLVER_ANSWER_H
#define RESOLVER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "base/name.h"

#define ANSWER_CHAIN_MAX 8 /* CNAME links; more is -ELOOP. Resolvers allow 8 to 12. */
#define ANSWER_ADDRESSES_MAX                                                             \
	64 /* A or AAAA records kept; further ones are left out of the answer */
#define ANSWER_TTL_MAX_S 604800         /* RFC 8767 section 4 */
#define ANSWER_NEGATIVE_TTL_MAX_S 10800 /* RFC 2308 section 5 */
#define ANSWER_BYTES_MAX 16384          /* of the image; a longer one is -EMSGSIZE */
/* Records of another type; more are -EMSGSIZE. Each is compared with all before it. */
#define ANSWER_RECORDS_MAX 256

struct answer_address {
	struct addr addr;
	uint16_t offset; /* of its record in the image; the records of addresses are the
			    image's last */
	uint16_t len;
};

struct answer {
	unsigned refs;
	size_t bytes; /* of memory, all told */
	uint16_t type;
	uint8_t rcode;   /* RCODE_NOERROR or RCODE_NXDOMAIN */
	bool negative;   /* no record of that type at the chain's end */
	uint32_t ttl_s;  /* the chain's minimum; of a negative answer min(SOA TTL,
			    MINIMUM), 0 without SOA */
	int64_t born_ms; /* when it was received, on the caller's clock */
	size_t address_count;
	const struct answer_address *addresses;
	size_t ttl_count;
	const uint16_t *ttl_offsets; /* of every record's TTL field in the image */
	uint16_t answer_records;     /* ANCOUNT: chain links and records of the type */
	uint16_t
	    authority_records; /* NSCOUNT: 1 when a negative answer has its SOA, else 0 */
	uint16_t len;
	const uint8_t
	    *image;       /* a message: header, question, answer, then the SOA; no OPT */
	struct name name; /* last: most of it is empty */
};

/*
 * Make an answer of a reply that has passed wire_check and whose id, question and server
 * have been found right. 0; -EBADMSG when it contradicts itself; -ELOOP for a chain that
 * is too long or bites its tail; -EMSGSIZE; -ENOMEM; -EREMOTEIO for an rcode other than
 * NOERROR and NXDOMAIN (the server failed, another one may not).
 */
MUST_CHECK int answer_examine(const uint8_t *msg, size_t len, const struct name *name,
    uint16_t type, int64_t now_ms, struct answer **ret_answer);

struct answer *answer_ref(struct answer *a);
void answer_unref(struct answer *a);

/* Seconds that are left of it at now_ms; 0 when over. */
uint32_t answer_ttl(const struct answer *a, int64_t now_ms);
/* When that is a second less. */
int64_t answer_ttl_end(const struct answer *a, int64_t now_ms);

#endif
