/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: /etc/egressd/egressd.yaml, every key optional, every default safe.
 * Unknown keys, wrong types and values out of range are errors with their place.
 *
 * A struct config owns what it points at; config_free releases all. Immutable once read.
 */
#ifndef DAEMON_CONFIG_CONFIG_H
#define DAEMON_CONFIG_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "base/name.h"
#include "policy/finding.h"
#include "policy/memory.h"
#include "policy/object/mesh.h"
#include "policy/registry/registry.h"

#define CONFIG_DEFAULT_PATH "/etc/egressd/egressd.yaml"
#define CONFIG_DEFAULT_REGISTRY "/etc/egressd/registry.d"
#define CONFIG_FILE_MAX (1024 * 1024) /* bytes */
#define CONFIG_LISTEN_MAX 8
#define CONFIG_UPSTREAMS_MAX 8
#define CONFIG_ZONES_MAX 63
#define CONFIG_RANGES_MAX 64
#define CONFIG_INTERFACES_MAX 32
#define CONFIG_POD_BURST 1000
#define CONFIG_REGISTRY_MAX 16
#define CONFIG_DOMAIN_MAX 200 /* bytes: a name of 253 needs room before it */

struct config_zone {
	struct name name;
	size_t upstream_count;
	struct endpoint upstreams[CONFIG_UPSTREAMS_MAX];
};

struct config {
	struct mesh mesh;          /* meshConfig */
	char *cluster_domain;      /* of the names of Services */
	struct memory mesh_memory; /* where it lies; no arena: nothing does */
	bool listen_is_default; /* nobody wrote it: an address of a family that the node
				   does not have may be passed over */
	size_t listen_count;
	struct endpoint listen[CONFIG_LISTEN_MAX];
	size_t upstream_count; /* from /etc/resolv.conf when the key is absent; never one
				  of listen */
	struct endpoint upstreams[CONFIG_UPSTREAMS_MAX];
	size_t zone_count;
	struct config_zone *zones;
	size_t registry_count;
	char *registry[CONFIG_REGISTRY_MAX]; /* folders */
	bool skip_broken;                    /* manifests, and load the others */
	size_t pod_range_count;
	struct prefix pod_ranges[CONFIG_RANGES_MAX];
	size_t interface_count;
	char interfaces[CONFIG_INTERFACES_MAX]
		       [IFNAMSIZ]; /* a name, or a prefix and "*" */
	uint32_t pod_rate;         /* queries of one pod in a second; 0: no limit */
	/* what one pod may ask for under wildcards in a minute; 0: no limit */
	uint32_t wildcard_names;
	size_t wildcard_bytes;
	size_t internal_count;
	struct prefix internal[CONFIG_RANGES_MAX];
	uint32_t lease_floor_s, lease_grace_s, lease_cap_s;
	uint32_t lease_flows_s; /* a lease outlives its answer's need so long; 0: never */
	uint32_t lease_per_name, lease_per_pod, lease_size;
	size_t cache_bytes;
	uint32_t cache_ttl_max_s;
	uint32_t cache_old_s, cache_patience_ms; /* cache.stale, cache.staleAfter */
	enum { CONFIG_NXDOMAIN, CONFIG_REFUSED } refused_rcode;
	uint32_t refused_ttl_s;
	bool https_lease; /* answer HTTPS and SVCB, their hints leased; else NODATA */
	bool unlisted_drop;
	bool intercept;
	bool revoke_flows; /* cut the flows of leases that a reload withdraws */
	bool autopath;
	uint32_t commit_deadline_ms;
	uint32_t query_deadline_ms;
	char *control;
	struct endpoint metrics; /* family 0: nowhere */
};

/*
 * Read the file; a missing one is an error unless path is NULL, which means
 * CONFIG_DEFAULT_PATH and defaults when that is not there. resolv_conf: where the node's
 * nameservers stand, /etc/resolv.conf. 0; -EINVAL after errors were added to the
 * findings; -ENOMEM.
 */
MUST_CHECK int config_read(const char *path, const char *resolv_conf,
    struct findings *findings, struct config **ret_config);
/* Every option at its default; no file is read, and so there are no upstreams. -ENOMEM.
 */
MUST_CHECK int config_defaults(struct config **ret_config);
void config_free(struct config *c);

/* A table of all options for people: one line each, name, type, range, default, what it
 * does. */
void config_print_options(void);

/*
 * How many queries one pod may send at once: as many as are answered within some
 * milliseconds, in which others wait, and no fewer than a pod that starts may need.
 */
static inline uint32_t
config_pod_burst(const struct config *cfg)
{
	return MAX_OF(MIN_OF(cfg->pod_rate, CONFIG_POD_BURST), cfg->pod_rate / 8);
}

#endif
