/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/witness/packet.h"

#include <errno.h>
#include <string.h>

#define IP4_HEADER 20
#define IP6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8
#define DNS_HEADER 12
#define DNS_QR 0x80
#define TYPE_A 1
#define TYPE_AAAA 28
#define POINTER 0xc0

static unsigned
get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static int
parse_ports(struct packet *p, const uint8_t *data, size_t len)
{
	size_t header = UDP_HEADER;

	if (p->later_fragment || (p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP))
		return 0;
	if (p->proto == IPPROTO_TCP) {
		if (len < TCP_HEADER)
			return -EINVAL;
		header = (size_t)(data[12] >> 4) * 4;
		p->flags = data[13];
	}
	if (len < header)
		return -EINVAL;
	p->sport = (uint16_t)get16(data);
	p->dport = (uint16_t)get16(data + 2);
	p->payload = data + header;
	p->payload_len = len - header;
	return 0;
}

static int
parse4(struct packet *p, const uint8_t *data, size_t len)
{
	size_t header = (size_t)(data[0] & 15) * 4;

	if (len < IP4_HEADER || header < IP4_HEADER || len < header)
		return -EINVAL;
	p->src = addr_make(AF_INET, data + 12);
	p->dst = addr_make(AF_INET, data + 16);
	p->proto = data[9];
	p->later_fragment = (get16(data + 6) & 0x1fff) != 0;
	return parse_ports(p, data + header, len - header);
}

/* Extension headers are left as the protocol: what has them is nothing that we send. */
static int
parse6(struct packet *p, const uint8_t *data, size_t len)
{
	if (len < IP6_HEADER)
		return -EINVAL;
	p->src = addr_make(AF_INET6, data + 8);
	p->dst = addr_make(AF_INET6, data + 24);
	p->proto = data[6];
	return parse_ports(p, data + IP6_HEADER, len - IP6_HEADER);
}

int
packet_parse(const uint8_t *data, size_t len, struct packet *ret_packet)
{
	struct packet p = {0};
	int err = -EINVAL;

	if (len > 0 && data[0] >> 4 == 4)
		err = parse4(&p, data, len);
	else if (len > 0 && data[0] >> 4 == 6)
		err = parse6(&p, data, len);
	if (err == 0)
		*ret_packet = p;
	return err;
}

/* Behind a name, which may end in a pointer; 0: it ends outside. */
static size_t
skip_name(const uint8_t *message, size_t len, size_t pos)
{
	while (pos < len && message[pos] != 0 && (message[pos] & POINTER) == 0)
		pos += 1u + message[pos];
	if (pos >= len)
		return 0;
	return pos + ((message[pos] & POINTER) != 0 ? 2 : 1);
}

int
packet_answers(const uint8_t *message, size_t len,
    struct packet_answer ret_answers[PACKET_ANSWERS_MAX])
{
	size_t pos = DNS_HEADER;
	unsigned questions, answers;
	int count = 0;

	if (len < DNS_HEADER || (message[2] & DNS_QR) == 0)
		return -EINVAL;
	questions = get16(message + 4);
	answers = get16(message + 6);
	while (questions-- > 0) {
		pos = skip_name(message, len, pos);
		if (pos == 0)
			return -EINVAL;
		pos += 4;
	}
	while (answers-- > 0) {
		unsigned type, size;

		pos = skip_name(message, len, pos);
		if (pos == 0 || pos + 10 > len)
			return -EINVAL;
		type = get16(message + pos);
		size = get16(message + pos + 8);
		if (pos + 10 + size > len || count == PACKET_ANSWERS_MAX)
			return -EINVAL;
		if ((type == TYPE_A && size == 4) || (type == TYPE_AAAA && size == 16)) {
			ret_answers[count++] = (struct packet_answer){
			    .addr = addr_make(
				type == TYPE_A ? AF_INET : AF_INET6, message + pos + 10),
			    .ttl_s = get32(message + pos + 4),
			};
		}
		pos += 10 + size;
	}
	return count;
}
