/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS messages for tests, written piece by piece, right or wrong as the test wants them.
 *
 * Nothing is checked but the room. A record is counted in the section that it is said to
 * be in; counts can be made to lie with message_put16.
 */
#ifndef TESTS_UNIT_MESSAGE_H
#define TESTS_UNIT_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/name.h"

#define MESSAGE_QUERY 0x0100 /* RD */
#define MESSAGE_REPLY 0x8180 /* QR, RD and RA */

enum message_section { QUESTION, ANSWER, AUTHORITY, ADDITIONAL };

struct message {
	size_t len;
	uint8_t bytes[65535];
};

/* A header without records. */
void message_start(struct message *m, uint16_t id, uint16_t flags);
void message_bytes(struct message *m, const void *bytes, size_t len);
void message_u16(struct message *m, uint16_t value);
void message_u32(struct message *m, uint32_t value);
/* Into what is there already. */
void message_put16(struct message *m, size_t pos, uint16_t value);
/* Uncompressed and in the letters given. "@" is a pointer to the question's name. */
void message_name(struct message *m, const char *text);

void message_question(struct message *m, const char *name, uint16_t type, uint16_t class);
/* A record of class IN, up to its RDLENGTH; message_end gives that its value. */
void message_begin(struct message *m, enum message_section section, const char *owner,
    uint16_t type, uint32_t ttl_s);
void message_end(struct message *m);

/* Whole records. */
void message_record(struct message *m, enum message_section section, const char *owner,
    uint16_t type, uint32_t ttl_s, const void *rdata, size_t len);
void message_a(struct message *m, const char *owner, uint32_t ttl_s, const char *addr);
void message_aaaa(struct message *m, const char *owner, uint32_t ttl_s, const char *addr);
void message_alias(
    struct message *m, const char *owner, uint32_t ttl_s, const char *target);
void message_soa(
    struct message *m, const char *owner, uint32_t ttl_s, uint32_t minimum_s);
/* An OPT: its TTL field is extended rcode, version and flags. */
void message_opt(
    struct message *m, uint16_t size, uint32_t ttl, const void *options, size_t len);

/* A header and one question of class IN. */
void message_query(struct message *m, const char *name, uint16_t type);
void message_reply(struct message *m, const char *name, uint16_t type);

struct name message_parsed(const char *text);

#endif
