/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of an IP packet, as far as the witness needs them, and the addresses in a
 * DNS reply. Written for themselves: the witness shares no parser with what it watches.
 * Packets are borrowed.
 */
#ifndef TESTS_WITNESS_PACKET_H
#define TESTS_WITNESS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"

#define PACKET_FIN 0x01
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_ACK 0x10
#define PACKET_ANSWERS_MAX 128

struct packet {
	struct addr src, dst;
	uint8_t proto;
	uint8_t flags;         /* TCP's */
	bool later_fragment;   /* no ports in it */
	uint16_t sport, dport; /* 0 but for TCP and UDP */
	const uint8_t *payload;
	size_t payload_len;
};

struct packet_answer {
	struct addr addr;
	uint32_t ttl_s;
};

/* -EINVAL: no IP packet, or one with headers that nobody sends here. */
MUST_CHECK int packet_parse(const uint8_t *data, size_t len, struct packet *ret_packet);
/* The A and AAAA records of a DNS message's answer section; how many, or -EINVAL. */
MUST_CHECK int packet_answers(const uint8_t *message, size_t len,
    struct packet_answer ret_answers[PACKET_ANSWERS_MAX]);

#endif
