/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/local.h"

#include <assert.h>
#include <string.h>

#include "resolver/wire.h"

#define QUESTION_POINTER 0xc00c /* to the name at offset 12 */
#define RECORD_MAX 28           /* pointer, type, class, TTL, length, 16 bytes */
#define MESSAGE_MAX                                                                      \
	(WIRE_HEADER_LEN + NAME_WIRE_MAX + 4 + ANSWER_ADDRESSES_MAX * RECORD_MAX)

static size_t
put_question(uint8_t *msg, const struct name *name, uint16_t type)
{
	size_t pos = WIRE_HEADER_LEN;

	memset(msg, 0, WIRE_HEADER_LEN);
	wire_put_u16(msg + 2, WIRE_QR | WIRE_RD | WIRE_RA);
	wire_put_u16(msg + 4, 1);
	memcpy(msg + pos, name->bytes, name->len);
	pos += name->len;
	wire_put_u16(msg + pos, type);
	wire_put_u16(msg + pos + 2, CLASS_IN);
	return pos + 4;
}

static size_t
put_address(uint8_t *msg, size_t pos, uint16_t type, uint32_t ttl_s, const struct addr *a)
{
	size_t len = addr_len(a);

	wire_put_u16(msg + pos, QUESTION_POINTER);
	wire_put_u16(msg + pos + 2, type);
	wire_put_u16(msg + pos + 4, CLASS_IN);
	wire_put_u32(msg + pos + 6, ttl_s);
	wire_put_u16(msg + pos + 10, (uint16_t)len);
	memcpy(msg + pos + 12, a->bytes, len); /* RECORD_MAX counts 16 */
	return pos + 12 + len;
}

int
local_answer(const struct name *name, uint16_t type, const struct addr *list, size_t len,
    uint32_t ttl_s, int64_t now_ms, struct answer **ret_answer)
{
	uint8_t family = type == TYPE_AAAA ? AF_INET6 : AF_INET;
	uint8_t msg[MESSAGE_MAX];
	size_t pos = put_question(msg, name, type);
	uint16_t count = 0;

	assert(type == TYPE_A || type == TYPE_AAAA);
	for (size_t i = 0; i < len && count < ANSWER_ADDRESSES_MAX; i++) {
		if (list[i].family != family)
			continue;
		pos = put_address(msg, pos, type, ttl_s, &list[i]);
		count++;
	}
	wire_put_u16(msg + 6, count);
	return answer_examine(msg, pos, name, type, now_ms, ret_answer);
}
