/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of table `inet egressd`, put together from small words: each appends what nft
 * makes of the same words, so that `nft list` reads them back.
 *
 *	rule_begin(&r, nl, "egress");
 *	rule_from_interface(&r, "veth*");
 *	rule_goto(&r, "interface");
 *	rule_end(&r);
 *
 * Errors stay in the batch of nl and are told by its commit.
 */
#ifndef DAEMON_ENFORCER_RULE_H
#define DAEMON_ENFORCER_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "daemon/enforcer/netlink.h"

struct nftnl_expr;
struct nftnl_rule;

struct rule {
	struct netlink *nl;
	struct nftnl_rule *nftnl; /* NULL: out of memory, the words do nothing */
};

void rule_begin(struct rule *r, struct netlink *nl, const char *chain);
/* The rule goes to the end of its chain. */
void rule_end(struct rule *r);

/* What a packet must be. family: AF_INET or AF_INET6; sets have keys of that family. */
void rule_family(struct rule *r, uint8_t family);
void rule_from_interface(struct rule *r, const char *pattern); /* a name, or PREFIX* */
void rule_source_in(struct rule *r, uint8_t family, const char *set);
void rule_source_not_in(struct rule *r, uint8_t family, const char *set);
void rule_destination_in(struct rule *r, uint8_t family, const char *set);
void rule_destination(struct rule *r, const struct prefix *p);
void rule_destination_local(struct rule *r);
/* The way back to the source does not lead out where the packet came in. */
void rule_source_elsewhere(struct rule *r);
void rule_protocol(struct rule *r, uint8_t proto);
void rule_port(struct rule *r, uint16_t port);
/* On its way to this endpoint, or from it. */
void rule_to(struct rule *r, uint8_t proto, const struct endpoint *e);
void rule_from(struct rule *r, uint8_t proto, const struct endpoint *e);
/* Source, destination, protocol and port, as in leases4 and fixed4. */
void rule_flow_in(struct rule *r, uint8_t family, const char *set);
/* The same, and on to the chain that the map has for it. */
void rule_flow_goto(struct rule *r, uint8_t family, const char *map);
/* Destination, protocol and port, as in shared4, and on to the chain. */
void rule_service_goto(struct rule *r, uint8_t family, const char *map);
/* Destination and port, as in listen4. */
void rule_endpoint_in(struct rule *r, uint8_t family, const char *set);
void rule_icmpv6_type(struct rule *r, uint8_t type);
void rule_hop_limit(struct rule *r, uint8_t limit);
/* There is an IPv6 extension header, or an IPv4 option, of this number. */
void rule_header_exists(struct rule *r, uint8_t family, uint8_t number);
/* ct state: any of these bits, NF_CT_STATE_BIT() or NF_CT_STATE_UNTRACKED_BIT. */
void rule_state(struct rule *r, uint32_t states);
/* IP_CT_DIR_ORIGINAL: on its way there; IP_CT_DIR_REPLY: back. */
void rule_direction(struct rule *r, uint8_t direction);
/* To this port before any address translation. */
void rule_original_port(struct rule *r, uint16_t port);

/* Of so many packets so many, at random. */
void rule_chance(struct rule *r, uint32_t part, uint32_t whole);

/* What becomes of it. */
void rule_accept(struct rule *r);
void rule_drop(struct rule *r);
void rule_return(struct rule *r);
void rule_jump(struct rule *r, const char *chain);
void rule_goto(struct rule *r, const char *chain);
void rule_counter(struct rule *r);
void rule_log(struct rule *r, const char *prefix, uint16_t group, uint32_t snaplen);
void rule_reject_tcp(struct rule *r);
void rule_reject_admin(struct rule *r);
/* conntrack never sees it; the rule's chain must come before conntrack. */
void rule_notrack(struct rule *r);
void rule_redirect_to(struct rule *r, const struct endpoint *e);
void rule_redirect_port(struct rule *r, uint16_t port);
/* To another port of the same address; what the rule has must be TCP or UDP. */
void rule_lead_port(struct rule *r, uint8_t family, uint16_t port);
/* To the port that the map has for the flow, as in leaseports4; on when it has none. */
void rule_lead_flow(struct rule *r, uint8_t family, const char *map);

#endif
