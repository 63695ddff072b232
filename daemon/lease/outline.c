/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/outline.h"

#include "daemon/lease/gate.h"
#include "daemon/lease/plan.h"
#include "daemon/lease/source.h"

uint32_t
outline_timeout_max_ms(const struct config *cfg)
{
	return (plan_cap_s(cfg) + 1) * 1000;
}

static void
describe_open(struct change *c, const struct config *cfg, const struct registry *r)
{
	struct addr pod;

	/* what lies outside of the pods' ranges is dropped whatever the mode */
	for (size_t i = 0; registry_open(r, i, &pod); i++)
		if (source_is_pod(cfg, &pod))
			change_open(c, &pod);
}

static void
describe_ranges(struct change *c, const struct config *cfg, const struct registry *r)
{
	struct registry_fixed fixed;

	for (size_t i = 0; i < cfg->interface_count; i++)
		change_interface(c, cfg->interfaces[i]);
	for (size_t i = 0; i < cfg->pod_range_count; i++)
		change_range(c, ENFORCER_PODS, &cfg->pod_ranges[i]);
	for (size_t i = 0; i < cfg->internal_count; i++)
		change_range(c, ENFORCER_INTERNAL, &cfg->internal[i]);
	for (size_t i = 0; registry_fixed(r, i, &fixed); i++)
		change_fixed(c, &(struct enforcer_fixed){
				    .pods = fixed.pods,
				    .destination = fixed.destination,
				    .port = fixed.port,
				    .proto = fixed.proto,
				    .service = fixed.service,
				});
}

void
outline_describe(struct change *c, bool adopt, const struct config *cfg,
    const struct registry *r, const struct endpoint *listen, size_t listen_count)
{
	struct enforcer_table table = {
	    .enforce = registry_mode(r) == OUTBOUND_REGISTRY_ONLY,
	    .intercept = cfg->intercept,
	    .drop = cfg->unlisted_drop,
	    .adopt = adopt,
	    .own = 1,
	    /* the kernel counts what has ended until it collects it: leave it room */
	    .set_size = cfg->lease_size + cfg->lease_size / 8 + 1024,
	    .timeout_max_ms = outline_timeout_max_ms(cfg),
	    .query_rate = cfg->pod_rate,
	    .query_burst = config_pod_burst(cfg),
	    .log_group = GATE_LOG_GROUP,
	};

	change_begin(c, &table);
	describe_ranges(c, cfg, r);
	for (size_t i = 0; i < listen_count; i++)
		change_listen(c, &listen[i]);
	describe_open(c, cfg, r);
}
