/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading DNS messages (RFC 1035 section 4) byte by byte without ever leaving them.
 *
 * struct wire is a cursor with a sticky error: after a read past the end every read gives
 * 0 and failed stays true, so a parser reads in peace and asks once. Values come out in
 * host order. Nothing is allocated.
 */
#ifndef RESOLVER_WIRE_H
#define RESOLVER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/name.h"

#define WIRE_HEADER_LEN 12
#define WIRE_MESSAGE_MAX 65535
/* Pointers followed in one name: every one costs two bytes of the name's own 255 at
 * least. */
#define WIRE_HOPS_MAX 127
/* Pointers followed in one message: a ladder of pointers may not cost more than a message
 * of real names. */
#define WIRE_MESSAGE_HOPS_MAX 16384
#define WIRE_RECORDS_MAX                                                                 \
	4096 /* in one message: the most 65,535 bytes of A records hold is 4,095 */

/* Header flag bits, in host order. RFC 1035 section 4.1.1, RFC 4035 section 3.1.6. */
#define WIRE_QR 0x8000
#define WIRE_OPCODE 0x7800
#define WIRE_AA 0x0400
#define WIRE_TC 0x0200
#define WIRE_RD 0x0100
#define WIRE_RA 0x0080
#define WIRE_AD 0x0020
#define WIRE_CD 0x0010
#define WIRE_RCODE 0x000f

enum wire_type { /* IANA "Resource Record (RR) TYPEs" */
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_NULL = 10,
	TYPE_PTR = 12,
	TYPE_HINFO = 13,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_RRSIG = 46,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_TKEY = 249,
	TYPE_TSIG = 250,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_MAILB = 253,
	TYPE_MAILA = 254,
	TYPE_ANY = 255,
};

#define CLASS_IN 1

enum wire_rcode { /* IANA "DNS RCODEs" */
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_BADVERS = 16,
};

enum wire_ede { /* IANA "Extended DNS Error Codes", RFC 8914; EDE_NONE is ours */
	EDE_NONE = -1,
	EDE_OTHER = 0,
	EDE_STALE = 3,
	EDE_NOT_READY = 14,
	EDE_BLOCKED = 15,
	EDE_PROHIBITED = 18,
	EDE_NO_REACHABLE_AUTHORITY = 22,
	EDE_NETWORK_ERROR = 23,
};

struct wire {
	const uint8_t *msg;
	size_t len;
	size_t pos;
	unsigned hops; /* followed so far in this message */
	bool failed;
};

void wire_init(struct wire *w, const uint8_t *msg, size_t len);
uint8_t wire_u8(struct wire *w);
uint16_t wire_u16(struct wire *w);
uint32_t wire_u32(struct wire *w);
void wire_skip(struct wire *w, size_t len);
/*
 * A name at the cursor, compression undone (pointers only backwards), case folded. The
 * cursor ends behind it. ret_name may be NULL. On failure ret_name is not written.
 */
void wire_name(struct wire *w, struct name *ret_name);

/* A record at the cursor; the cursor ends behind it. rdata is an offset into msg. */
struct wire_record {
	struct name owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl_s;
	size_t ttl_pos;
	size_t start;
	size_t rdata;
	uint16_t rdata_len;
};
void wire_record(struct wire *w, struct wire_record *ret_record);

/*
 * Walk a whole message as a server sends it: one question; every record's names and
 * lengths in bounds (A 4 bytes, AAAA 16, names inside of the RDATA of the types of RFC
 * 1035 and DNAME, SRV end where RDATA ends); at most one OPT, in the additional section,
 * owned by the root; at most one TSIG, last; no bytes behind the last record. 0 or
 * -EBADMSG. What it passes is safe to hand to ldns.
 */
MUST_CHECK int wire_check(const uint8_t *msg, size_t len);

#endif
