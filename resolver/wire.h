/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading DNS messages (RFC 1035 section 4) byte by byte without ever leaving them.
 *
 * struct wire is a cursor with a sticky error: after a read past the end every read gives
 * 0 and failed stays true: read in peace and ask once. Values come out in host order.
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
#define WIRE_POINTER 0xc000 /* RFC 1035 section 4.1.4 */
#define WIRE_RECORD_LEN 12  /* with a pointer as its owner, up to its RDATA */
/* Pointers followed in one name: one before each label is the most that says anything. */
#define WIRE_HOPS_MAX 127
#define WIRE_FOLLOWED_MAX 262144 /* bytes: the longest message four times over */
#define WIRE_RECORDS_MAX 4096    /* in one message: 65,535 bytes hold 4,095 A records */

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
#define CLASS_IN 1
#define WIRE_DO 0x8000 /* in the TTL field of an OPT: RFC 6891 section 6.1.4 */

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
	TYPE_SIG = 24,
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
	EDE_STALE_NXDOMAIN = 19,
	EDE_NO_REACHABLE_AUTHORITY = 22,
	EDE_NETWORK_ERROR = 23,
};

struct wire {
	const uint8_t *msg;
	size_t len;
	size_t pos;
	size_t followed; /* bytes of pointers and behind them, read so far */
	bool failed;
};

void wire_init(struct wire *w, const uint8_t *msg, size_t len);
uint8_t wire_u8(struct wire *w);
uint16_t wire_u16(struct wire *w);
uint32_t wire_u32(struct wire *w);
void wire_skip(struct wire *w, size_t len);

struct wire_header {
	uint16_t id;
	uint16_t flags;
	uint16_t counts[4]; /* question, answer, authority, additional */
};
void wire_header(struct wire *w, struct wire_header *ret_header); /* from its start */
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
/* The same but for the owner, which is only passed. */
void wire_record_past(struct wire *w, struct wire_record *ret_record);
/* The length of its RDATA with the names uncompressed; 0, and the cursor failed, when it
 * is not what the type asks for. The cursor is not moved. */
size_t wire_rdata(struct wire *w, const struct wire_record *record);
/* May RDATA of this type hold names, so that it cannot be copied as it stands? */
bool wire_has_names(uint16_t type);

/*
 * Walk a whole message as a server sends it: one question; every record in bounds, with
 * the RDATA that its type asks for (A 4 bytes, AAAA 16, names and strings ending where it
 * ends); at most one OPT, additional, owned by the root; at most one TSIG, last; no bytes
 * behind the last record. 0 or -EBADMSG.
 */
MUST_CHECK int wire_check(const uint8_t *msg, size_t len);

/* Writing, into room that the caller has checked; a record up to its RDATA. */
void wire_put_u16(uint8_t *at, uint16_t value);
void wire_put_u32(uint8_t *at, uint32_t value);
void wire_put_record(
    uint8_t *at, size_t owner, uint16_t type, uint32_t ttl_s, size_t rdata_len);

#endif
