/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/tunnel.h"

#include <netinet/in.h>

#include "base/macros.h"
#include "daemon/enforcer/rule.h"

static const uint8_t protocols[] = {IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_GRE};
static const uint16_t ports[] = {
    4789 /* VXLAN, RFC 7348 */,
    8472 /* VXLAN as Linux has it by default */,
    6081 /* Geneve, RFC 8926 */,
};

bool
tunnel_is(uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (proto == protocols[i])
			return true;
	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		if (proto == IPPROTO_UDP && port == ports[i])
			return true;
	return false;
}

void
tunnel_put(struct netlink *nl, const char *chain, const char *to)
{
	struct rule r;

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		rule_begin(&r, nl, chain);
		rule_protocol(&r, protocols[i]);
		rule_goto(&r, to);
		rule_end(&r);
	}
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		rule_begin(&r, nl, chain);
		rule_protocol(&r, IPPROTO_UDP);
		rule_port(&r, ports[i]);
		rule_goto(&r, to);
		rule_end(&r);
	}
}
