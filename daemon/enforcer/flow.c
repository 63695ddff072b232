/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/flow.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#define V4_HEADER_MIN 20         /* RFC 791 section 3.1 */
#define V4_OFFSET_MASK 0x1fff    /* RFC 791: of flags and fragment offset */
#define V6_HEADER_LEN 40         /* RFC 8200 section 3 */
#define V6_OFFSET_MASK 0xfff8    /* RFC 8200 section 4.5 */
#define V6_FRAGMENT_LEN 8        /* RFC 8200 section 4.5 */
#define V6_EXTENSION_MIN 8       /* RFC 6564 section 4: lengths are in units of 8 bytes */
#define V6_AUTHENTICATION_UNIT 4 /* RFC 4302 section 2.2: its own length is in these */
/* RFC 8200 section 4.1 knows seven at most; a chain that is longer is of somebody who
 * does not want it read. */
#define V6_EXTENSIONS_MAX 8

static uint16_t
u16_at(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* TCP, UDP and these begin with the two ports: RFC 9293, 768, 9260, 4340, 3828. */
static bool
has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_DCCP || proto == IPPROTO_UDPLITE;
}

static void
read_port(const uint8_t *packet, size_t len, size_t pos, struct enforcer_refused *flow)
{
	if (!has_ports(flow->proto) || pos > len || len - pos < 4)
		return;
	flow->port = u16_at(packet + pos + 2);
}

static int
parse_v4(const uint8_t *packet, size_t len, struct enforcer_refused *flow)
{
	size_t header_len;

	if (len < V4_HEADER_MIN)
		return -EBADMSG;
	header_len = (size_t)(packet[0] & 0xf) * 4;
	if (header_len < V4_HEADER_MIN)
		return -EBADMSG;
	flow->source = addr_make(AF_INET, packet + 12);
	flow->destination = addr_make(AF_INET, packet + 16);
	flow->proto = packet[9];
	if ((u16_at(packet + 6) & V4_OFFSET_MASK) == 0)
		read_port(packet, len, header_len, flow);
	return 0;
}

/* The length of the extension header at which proto and pos point; 0: it is none, or goes
 * beyond what was kept, or is a fragment behind which no header begins. */
static size_t
extension_len(const uint8_t *packet, size_t len, size_t pos, uint8_t proto)
{
	const uint8_t *at = packet + pos;

	if (len - pos < V6_EXTENSION_MIN)
		return 0;
	switch (proto) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
		return ((size_t)at[1] + 1) * V6_EXTENSION_MIN;
	case IPPROTO_FRAGMENT:
		return (u16_at(at + 2) & V6_OFFSET_MASK) == 0 ? V6_FRAGMENT_LEN : 0;
	case IPPROTO_AH:
		return ((size_t)at[1] + 2) * V6_AUTHENTICATION_UNIT;
	}
	return 0;
}

static int
parse_v6(const uint8_t *packet, size_t len, struct enforcer_refused *flow)
{
	size_t pos = V6_HEADER_LEN;
	size_t step;

	if (len < V6_HEADER_LEN)
		return -EBADMSG;
	flow->source = addr_make(AF_INET6, packet + 8);
	flow->destination = addr_make(AF_INET6, packet + 24);
	flow->proto = packet[6];
	for (int i = 0; i < V6_EXTENSIONS_MAX; i++) {
		step = extension_len(packet, len, pos, flow->proto);
		if (step == 0 || step > len - pos)
			break;
		flow->proto = packet[pos];
		pos += step;
	}
	/* an extension at which the walk ended has no ports */
	read_port(packet, len, pos, flow);
	return 0;
}

int
flow_parse(const uint8_t *packet, size_t len, struct enforcer_refused *ret_flow)
{
	struct enforcer_refused flow;
	int r = -EBADMSG;

	memset(&flow, 0, sizeof(flow));
	if (len > 0 && packet[0] >> 4 == 4)
		r = parse_v4(packet, len, &flow);
	else if (len > 0 && packet[0] >> 4 == 6)
		r = parse_v6(packet, len, &flow);
	if (r == 0)
		memcpy(ret_flow, &flow, sizeof(flow)); /* padding and all */
	return r;
}
