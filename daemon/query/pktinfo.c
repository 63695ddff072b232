/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/pktinfo.h"

#include <netinet/in.h>
#include <string.h>

_Static_assert(PKTINFO_SIZE >= CMSG_SPACE(sizeof(struct in6_pktinfo)), "it fits");

struct addr
pktinfo_read(const struct msghdr *msg)
{
	struct addr none = {0};
	struct msghdr *m =
	    (struct msghdr *)(uintptr_t)msg; /* CMSG_NXTHDR takes no const */

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return addr_make(AF_INET, &info.ipi_addr);
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return addr_make(AF_INET6, &info.ipi6_addr);
		}
	}
	return none;
}

void
pktinfo_write(struct msghdr *msg, uint8_t *control, const struct addr *local)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;
	struct in6_pktinfo info6 = {0};
	struct in_pktinfo info = {0};
	bool v4 = local->family == AF_INET;
	size_t len = v4 ? sizeof(info) : sizeof(info6);

	memset(control, 0, PKTINFO_SIZE);
	c->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(&info.ipi_spec_dst, local->bytes, sizeof(info.ipi_spec_dst));
	memcpy(&info6.ipi6_addr, local->bytes, sizeof(info6.ipi6_addr));
	memcpy(CMSG_DATA(c), v4 ? (void *)&info : (void *)&info6, len);
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(len);
}
