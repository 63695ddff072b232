/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/loss.h"

#include "daemon/lease/source.h"

static enum outbound_mode
mode_of(const struct registry *r, const struct workload *w)
{
	return w != NULL ? w->mode : registry_mode(r);
}

static bool
is_lost(const struct registry *before, const struct registry *now, const struct addr *pod)
{
	const struct workload *old = registry_workload(before, pod);
	const struct workload *new = registry_workload(now, pod);

	if (mode_of(now, new) != OUTBOUND_REGISTRY_ONLY)
		return false;
	return source_identity(old) != source_identity(new) ||
	       mode_of(before, old) == OUTBOUND_ALLOW_ANY;
}

void
loss_describe(struct change *c, const struct config *cfg, const struct registry *before,
    const struct registry *now)
{
	struct addr pod;

	if (registry_mode(now) != OUTBOUND_REGISTRY_ONLY)
		return;
	/* also who is not known; those that stay open the table lets pass */
	if (registry_mode(before) != OUTBOUND_REGISTRY_ONLY) {
		for (size_t i = 0; i < cfg->pod_range_count; i++)
			change_cut_pods(c, &cfg->pod_ranges[i]);
		return;
	}
	for (size_t i = 0; registry_address(before, i, &pod); i++)
		if (source_is_pod(cfg, &pod) && is_lost(before, now, &pod))
			change_cut_pods(c, &(struct prefix){.addr = pod,
					       .len = (uint8_t)(addr_len(&pod) * 8)});
}
