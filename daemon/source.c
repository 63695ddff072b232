/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source.h"

bool
source_is_pod(const struct config *cfg, const struct addr *source)
{
	for (size_t i = 0; i < cfg->pod_range_count; i++)
		if (prefix_contains(&cfg->pod_ranges[i], source))
			return true;
	return false;
}

struct addr
source_address(const struct addr *source, const struct workload *w, uint8_t family)
{
	if (source->family == family)
		return *source;
	if (w == NULL)
		return (struct addr){0};
	return family == AF_INET6 ? w->v6 : w->v4;
}
