/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wanted to send what where: the first bytes of an IP packet, read.
 */
#ifndef DAEMON_ENFORCER_FLOW_H
#define DAEMON_ENFORCER_FLOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/enforcer.h"

/*
 * packet is what the kernel kept of a packet from its IP header on, cut anywhere. The
 * port is 0 where the protocol has none, where it was cut off, and in a fragment that is
 * not the first. The protocol is that of the first header that is none of IPv6's known
 * extensions. Padding of ret_flow is zero. -EBADMSG: no whole IP header.
 */
MUST_CHECK int flow_parse(
    const uint8_t *packet, size_t len, struct enforcer_refused *ret_flow);

#endif
