/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address translation in table `inet egressd`: what a pod sends is judged as the pod
 * named it (chain egress), and what was let pass then leads where its entry says, as
 * kube-proxy's nftables mode does for Services. conntrack keeps a flow's translation for
 * as long as the flow lasts, whatever becomes of the maps.
 *
 * leaseports4: pod . destination . protocol . port to port, beside leases4
 *	(daemon/enforcer/element.h).
 * services4: the same key, by ranges of destinations, to the chain of a service; shared4
 *	without the pod, for what holds for every pod. Of two destinations the longer
 *	prefix holds, of two that are the same the one that came first.
 * service1, ...: a chain a service: one rule for each way, taken by its weight. With no
 *	way of its family a flow is refused, in chain nowhere.
 *
 * Chain lead, of type nat, comes in front of kube-proxy's and ends what these would do: a
 * way that leads to a Service's address leads nowhere.
 */
#ifndef DAEMON_ENFORCER_TRANSLATION_H
#define DAEMON_ENFORCER_TRANSLATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/enforcer/netlink.h"
#include "daemon/enforcer/ruleset.h"

/* The highest number of a service, each up to which has its chain. */
uint32_t translation_services(const struct ruleset *rs);
/* Chains, rules and elements, to the batch of nl, in which the frame was declared anew.
 * standing: chains of services that the table has from before. -ENOMEM. */
MUST_CHECK int translation_put(
    struct netlink *nl, const struct ruleset *rs, uint32_t standing);

/* All ways that a service leads from now on, to the batch of nl; its chain stands.
 * enforce: of the table. */
void translation_lead(struct netlink *nl, bool enforce, uint32_t service,
    const struct enforcer_way *ways, size_t count);

#endif
