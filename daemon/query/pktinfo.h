/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control message of a packet of UDP that names our address of it: IP_PKTINFO of
 * ip(7), IPV6_PKTINFO of RFC 3542 section 6. A socket that is bound to the unspecified
 * address needs it, to reply from the address that was asked.
 */
#ifndef DAEMON_QUERY_PKTINFO_H
#define DAEMON_QUERY_PKTINFO_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

#define PKTINFO_SIZE 64 /* an in6_pktinfo with its header; aligned to 8 */

/* Where a packet was sent to; no address when it has no such message. */
struct addr pktinfo_read(const struct msghdr *msg);
/* Have msg sent from there; control (of PKTINFO_SIZE) is msg's until then. */
void pktinfo_write(struct msghdr *msg, uint8_t *control, const struct addr *local);

#endif
