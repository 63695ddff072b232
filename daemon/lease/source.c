/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/source.h"

bool
source_is_pod(const struct config *cfg, const struct addr *source)
{
	return prefixes_contain(cfg->pod_ranges, cfg->pod_range_count, source);
}

bool
source_same_pods(const struct config *a, const struct config *b)
{
	bool same = a->pod_range_count == b->pod_range_count;

	for (size_t i = 0; i < a->pod_range_count && same; i++)
		same = a->pod_ranges[i].len == b->pod_ranges[i].len &&
		       addr_equal(&a->pod_ranges[i].addr, &b->pod_ranges[i].addr);
	return same;
}

uint64_t
source_identity(const struct workload *w)
{
	return w != NULL ? w->identity : 0;
}

void
source_judge(const struct registry *now, const struct workload *w,
    const struct registry *before, const struct addr *source, const struct name *name,
    struct verdict *ret_verdict)
{
	struct verdict earlier;

	registry_judge(now, w, name, ret_verdict);
	if (ret_verdict->kind != VERDICT_OPEN || before == NULL)
		return;
	registry_judge(before, registry_workload(before, source), name, &earlier);
	/* a zone's number is the old configuration's, and it took no lease but for
	 * Services, whose zone is gone */
	if (earlier.kind != VERDICT_ZONE &&
	    !(earlier.kind == VERDICT_HOST && earlier.host->in_zone))
		*ret_verdict = earlier;
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
