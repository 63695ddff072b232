/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader/interface.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdbool.h>

int
interface_addresses(
    const struct prefix *known, size_t known_len, struct prefix *list, size_t max)
{
	struct ifaddrs *all;
	size_t n = 0;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (const struct ifaddrs *i = all; i != NULL && n < max; i = i->ifa_next) {
		struct endpoint e;

		if (i->ifa_addr == NULL || endpoint_from_sockaddr(i->ifa_addr, &e) < 0)
			continue;
		if (prefixes_contain(known, known_len, &e.addr) ||
		    prefixes_contain(list, n, &e.addr))
			continue;
		list[n++] = (struct prefix){
		    .addr = e.addr, .len = (uint8_t)(addr_len(&e.addr) * 8)};
	}
	freeifaddrs(all);
	return (int)n;
}
