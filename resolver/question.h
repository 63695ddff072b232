/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client asks: one query message, checked and taken apart without allocation.
 *
 * A struct question is a value and refers to nothing outside of itself: it outlives the
 * packet.
 */
#ifndef RESOLVER_QUESTION_H
#define RESOLVER_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/name.h"

#define QUESTION_MESSAGE_MAX                                                             \
	4096 /* a longer query is FORMERR unread: none is needed, and parsing costs */
#define QUESTION_UDP_MIN 512  /* RFC 1035 section 4.2.1, RFC 6891 section 6.2.3 */
#define QUESTION_UDP_MAX 1232 /* DNS flag day 2020 */

enum question_outcome {
	QUESTION_OK,
	QUESTION_DROP,    /* shorter than a header, or a response: never answered */
	QUESTION_FORMERR, /* the parts that could be read are in ret_question */
	QUESTION_NOTIMP,  /* an opcode other than QUERY */
	QUESTION_BADVERS, /* EDNS version above 0 */
	QUESTION_REFUSED, /* a class other than IN; a meta type that is never served
			     (AXFR, IXFR, MAILA, MAILB, OPT, TSIG, TKEY); a signed query
			     (TSIG, SIG(0)) */
};

struct question {
	struct name name; /* folded */
	uint16_t type;
	uint16_t class;
	uint16_t id;
	uint16_t flags; /* the query's header flags */
	uint16_t
	    udp_size; /* what a UDP reply may have: 512 without EDNS, else 512 to 1232 */
	bool has_question; /* false: name, type, class and raw are not set */
	bool edns;         /* the query had an OPT: the reply gets one */
	bool dnssec_ok;
	uint16_t raw_len; /* name in the client's own letters, type and class, to be
			     echoed octet for octet */
	uint8_t raw[NAME_WIRE_MAX + 4];
};

/* msg is borrowed for the call. */
enum question_outcome question_parse(
    const uint8_t *msg, size_t len, struct question *ret_question);

#endif
