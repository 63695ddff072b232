/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/interface.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdbool.h>

static bool
inside(const struct prefix *list, size_t len, const struct addr *a)
{
	for (size_t i = 0; i < len; i++)
		if (prefix_contains(&list[i], a))
			return true;
	return false;
}

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
		if (inside(known, known_len, &e.addr) || inside(list, n, &e.addr))
			continue;
		list[n++] = (struct prefix){
		    .addr = e.addr, .len = (uint8_t)(addr_len(&e.addr) * 8)};
	}
	freeifaddrs(all);
	return (int)n;
}
