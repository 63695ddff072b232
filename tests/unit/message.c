/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/message.h"

#include <arpa/inet.h>
#include <string.h>

#include "resolver/wire.h"

static size_t rdlength_at; /* of the record begun last */

void
message_start(struct message *m, uint16_t id, uint16_t flags)
{
	memset(m->bytes, 0, WIRE_HEADER_LEN);
	m->len = WIRE_HEADER_LEN;
	message_put16(m, 0, id);
	message_put16(m, 2, flags);
}

void
message_bytes(struct message *m, const void *bytes, size_t len)
{
	assert_true(len <= sizeof(m->bytes) - m->len);
	if (len > 0)
		memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

void
message_u16(struct message *m, uint16_t value)
{
	message_bytes(m, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

void
message_u32(struct message *m, uint32_t value)
{
	message_u16(m, (uint16_t)(value >> 16));
	message_u16(m, (uint16_t)value);
}

void
message_put16(struct message *m, size_t pos, uint16_t value)
{
	m->bytes[pos] = (uint8_t)(value >> 8);
	m->bytes[pos + 1] = (uint8_t)value;
}

void
message_name(struct message *m, const char *text)
{
	if (strcmp(text, "@") == 0) {
		message_u16(m, 0xc00c);
		return;
	}
	while (*text != '\0' && *text != '.') {
		size_t len = strcspn(text, ".");

		message_bytes(m, (uint8_t[]){(uint8_t)len}, 1);
		message_bytes(m, text, len);
		text += len + (text[len] == '.');
	}
	message_bytes(m, "", 1);
}

static void
count(struct message *m, enum message_section section)
{
	size_t pos = 4 + 2 * (size_t)section;

	message_put16(m, pos, (uint16_t)((m->bytes[pos] << 8 | m->bytes[pos + 1]) + 1));
}

void
message_question(struct message *m, const char *name, uint16_t type, uint16_t class)
{
	message_name(m, name);
	message_u16(m, type);
	message_u16(m, class);
	count(m, QUESTION);
}

void
message_begin(struct message *m, enum message_section section, const char *owner,
    uint16_t type, uint32_t ttl_s)
{
	message_name(m, owner);
	message_u16(m, type);
	message_u16(m, CLASS_IN);
	message_u32(m, ttl_s);
	rdlength_at = m->len;
	message_u16(m, 0);
	count(m, section);
}

void
message_end(struct message *m)
{
	message_put16(m, rdlength_at, (uint16_t)(m->len - rdlength_at - 2));
}

void
message_record(struct message *m, enum message_section section, const char *owner,
    uint16_t type, uint32_t ttl_s, const void *rdata, size_t len)
{
	message_begin(m, section, owner, type, ttl_s);
	message_bytes(m, rdata, len);
	message_end(m);
}

static void
address(
    struct message *m, const char *owner, uint16_t type, uint32_t ttl_s, const char *text)
{
	uint8_t bytes[16];

	assert_int_equal(inet_pton(type == TYPE_A ? AF_INET : AF_INET6, text, bytes), 1);
	message_record(m, ANSWER, owner, type, ttl_s, bytes, type == TYPE_A ? 4 : 16);
}

void
message_a(struct message *m, const char *owner, uint32_t ttl_s, const char *addr)
{
	address(m, owner, TYPE_A, ttl_s, addr);
}

void
message_aaaa(struct message *m, const char *owner, uint32_t ttl_s, const char *addr)
{
	address(m, owner, TYPE_AAAA, ttl_s, addr);
}

void
message_alias(struct message *m, const char *owner, uint32_t ttl_s, const char *target)
{
	message_begin(m, ANSWER, owner, TYPE_CNAME, ttl_s);
	message_name(m, target);
	message_end(m);
}

void
message_soa(struct message *m, const char *owner, uint32_t ttl_s, uint32_t minimum_s)
{
	message_begin(m, AUTHORITY, owner, TYPE_SOA, ttl_s);
	message_name(m, "ns.example");
	message_name(m, "hostmaster.example");
	for (uint32_t i = 1; i <= 4; i++)
		message_u32(m, i);
	message_u32(m, minimum_s);
	message_end(m);
}

void
message_opt(
    struct message *m, uint16_t size, uint32_t ttl, const void *options, size_t len)
{
	message_record(m, ADDITIONAL, ".", TYPE_OPT, ttl, options, len);
	message_put16(m, rdlength_at - 6, size);
}

void
message_query(struct message *m, const char *name, uint16_t type)
{
	message_start(m, 0x1234, MESSAGE_QUERY);
	message_question(m, name, type, CLASS_IN);
}

void
message_reply(struct message *m, const char *name, uint16_t type)
{
	message_start(m, 0x1234, MESSAGE_REPLY);
	message_question(m, name, type, CLASS_IN);
}

struct name
message_parsed(const char *text)
{
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	return name;
}
