/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet that asks a server, and the judgement whether a message is the reply to it.
 *
 * Every packet has an id and a letter case of its own (RFC 5452 section 9.2,
 * draft-vixie-dnsext-dns0x20): what a forger must guess beside the port. A struct packet
 * is a value.
 */
#ifndef RESOLVER_PACKET_H
#define RESOLVER_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/name.h"
#include "resolver/entropy.h"
#include "resolver/wire.h"

#define PACKET_UDP_SIZE 1232 /* of a reply that we ask for: DNS flag day 2020 */
#define PACKET_OPT_LEN 11    /* RFC 6891 section 6.1.2, without options */
#define PACKET_MAX (WIRE_HEADER_LEN + NAME_WIRE_MAX + 4 + PACKET_OPT_LEN)

/* Two things that some servers cannot bear: what is asked without them is not guessed
 * less easily by much, and loses nothing but the size of the reply. */
struct packet_form {
	bool as_is; /* the letters stay small */
	bool bare;  /* no OPT */
};

struct packet {
	uint16_t len;
	uint16_t question_len; /* name, type and class, behind the header */
	bool mixed;            /* some letter is a capital */
	uint8_t bytes[PACKET_MAX];
};

enum packet_verdict {
	PACKET_RIGHT,
	PACKET_TRUNCATED, /* the reply to it, but cut: only good for asking over TCP */
	PACKET_FOLDED,    /* right but for the case of the letters */
	PACKET_WRONG,
};

/* RD set, one question of class IN, an OPT without DO. 0 or what the entropy's source
 * said. */
MUST_CHECK int packet_make(const struct name *name, uint16_t type,
    struct packet_form form, struct entropy *e, struct packet *ret_packet);

/*
 * Is msg the reply to p? full_len is the length that the message had on the wire; when it
 * is more than len, the message counts as cut.
 * A reply that is right or folded has passed wire_check.
 */
enum packet_verdict packet_judge(
    const struct packet *p, const uint8_t *msg, size_t len, size_t full_len);

#endif
