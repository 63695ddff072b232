/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "daemon/config/quantity.h"
#include "daemon/config/setting.h"
#include "daemon/control/control.h"

#define S 1
#define M (60 * S)
#define H (60 * M)
#define MS 1
#define KIB ((uint64_t)1024)
#define GIB (1024 * 1024 * KIB)
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

#define AT(field) offsetof(struct config, field)
#define LIST_AT(field, count) AT(field), AT(count)

/* The longest lease is what the enforcer takes (daemon/enforcer/enforcer.h), the
 * longest TTL a week (RFC 8767 section 4). */
static const struct option options[] = {
    {"meshConfig", OPTION_MESH, 0, 0, "{}",
	"the mesh's policy; a manifest in the registry overrides it, field by field", 0,
	0},
    {"listen", OPTION_LISTEN, 1, CONFIG_LISTEN_MAX,
	"[\"169.254.20.10:53\", \"[fd00:a9fe:140a::10]:53\", "
	"\"169.254.20.10:54\", \"[fd00:a9fe:140a::10]:54\"]",
	"where the pods find us, and on another port than 53 where intercept leads them; "
	"one address of this node each, port 53 unless given",
	LIST_AT(listen, listen_count)},
    {"upstreams", OPTION_UPSTREAMS, 1, CONFIG_UPSTREAMS_MAX, NULL,
	"the DNS servers that we ask; default: the nameservers of /etc/resolv.conf",
	LIST_AT(upstreams, upstream_count)},
    {"zones", OPTION_ZONES, 0, CONFIG_ZONES_MAX, "[]",
	"internal zones: visible to every pod, and asked at their own servers",
	LIST_AT(zones, zone_count)},
    {"clusterDomain", OPTION_DOMAIN, 1, CONFIG_DOMAIN_MAX, "cluster.local",
	"the cluster's domain: a Service is SERVICE.NAMESPACE.svc.DOMAIN",
	AT(cluster_domain), 0},
    {"registry", OPTION_FOLDERS, 1, CONFIG_REGISTRY_MAX, "[" CONFIG_DEFAULT_REGISTRY "]",
	"the folders of the manifests", LIST_AT(registry, registry_count)},
    {"registryErrors", OPTION_ERRORS, 0, 0, "refuse",
	"what happens to all other manifests when one is broken", AT(skip_broken), 0},
    {"pods.cidrs", OPTION_PREFIXES, 1, CONFIG_RANGES_MAX,
	"[\"10.244.0.0/16\", \"fd00:10:244::/56\"]", "the pods' addresses on this node",
	LIST_AT(pod_ranges, pod_range_count)},
    {"pods.interfaces", OPTION_INTERFACES, 1, CONFIG_INTERFACES_MAX,
	"[\"veth*\", \"cali*\", \"cni0\"]",
	"the interfaces from which pods' packets come",
	LIST_AT(interfaces, interface_count)},
    {"pods.queriesPerSecond", OPTION_NUMBER, 0, 1000000, "10000",
	"queries of one pod in a second; what is above is dropped; 0: no limit",
	AT(pod_rate), 0},
    {"pods.wildcardNamesPerMinute", OPTION_NUMBER, 0, 1000000, "1000",
	"names of wildcard hosts that one pod may ask for in a minute; 0: no limit",
	AT(wildcard_names), 0},
    {"pods.wildcardBytesPerMinute", OPTION_BYTES, 0, 1 * GIB, "64KiB",
	"and the bytes of all of them; 0: no limit", AT(wildcard_bytes), 0},
    {"internal", OPTION_PREFIXES, 0, CONFIG_RANGES_MAX,
	"[\"10.244.0.0/16\", \"10.96.0.0/12\", \"fd00:10:244::/56\", "
	"\"fd00:10:96::/112\"]",
	"what pods may reach without a lookup", LIST_AT(internal, internal_count)},
    {"lease.floor", OPTION_SECONDS, 1 * S, 1 * H, "30s",
	"a lease lives at least this long", AT(lease_floor_s), 0},
    {"lease.grace", OPTION_SECONDS, 1 * S, 1 * H, "30s",
	"and this much longer than the TTL that the pod was told", AT(lease_grace_s), 0},
    {"lease.cap", OPTION_SECONDS, 2 * S, 24 * H, "1h", "but never longer than this",
	AT(lease_cap_s), 0},
    {"lease.flows", OPTION_SECONDS, 0, 7 * 24 * H, "12h",
	"while flows live it is renewed for this long behind that; 0s: never",
	AT(lease_flows_s), 0},
    {"lease.perName", OPTION_NUMBER, 1, 1000000, "1000",
	"leases of one pod by one name, at most", AT(lease_per_name), 0},
    {"lease.perPod", OPTION_NUMBER, 1, 10000000, "20000",
	"leases of one pod, counted for each name, at most", AT(lease_per_pod), 0},
    {"lease.size", OPTION_NUMBER, 1, 16777216, "1000000", "leases in all, at most",
	AT(lease_size), 0},
    {"cache.size", OPTION_BYTES, 64 * KIB, 16 * GIB, "32MiB", "memory for answers",
	AT(cache_bytes), 0},
    {"cache.maxTTL", OPTION_SECONDS, 1 * S, 7 * 24 * H, "1h",
	"an answer is good for at most this long", AT(cache_ttl_max_s), 0},
    {"cache.stale", OPTION_SECONDS, 0, 72 * H, "1h",
	"and serves this much longer while the upstreams fail; 0s: never",
	AT(cache_old_s), 0},
    {"cache.staleAfter", OPTION_MILLISECONDS, 0, 30000 * MS, "1800ms",
	"it serves when the upstreams have kept silent for so long; 0s: when all have "
	"failed",
	AT(cache_patience_ms), 0},
    {"refused.rcode", OPTION_RCODE, 0, 0, "NXDOMAIN",
	"the answer to a lookup that is refused", AT(refused_rcode), 0},
    {"refused.ttl", OPTION_SECONDS, 0, 1 * H, "5s",
	"how long a pod may remember that answer", AT(refused_ttl_s), 0},
    {"httpsRecords", OPTION_HTTPS, 0, 0, "nodata",
	"the answer to a lookup of a listed name's HTTPS or SVCB records",
	AT(https_lease), 0},
    {"unlisted", OPTION_UNLISTED, 0, 0, "reject",
	"what happens to a packet towards an unlisted destination", AT(unlisted_drop), 0},
    {"revoke", OPTION_REVOKE, 0, 0, "flows",
	"what a reload takes from a pod that may reach something no more",
	AT(revoke_flows), 0},
    {"autopath", OPTION_BOOL, 0, 1, "false",
	"answer a registered name at the first domain of the pod's search list",
	AT(autopath), 0},
    {"intercept", OPTION_BOOL, 0, 1, "true",
	"lead the pods' packets to any port 53 to us", AT(intercept), 0},
    {"deadline.commit", OPTION_MILLISECONDS, 10 * MS, 10000 * MS, "1s",
	"wait this long for the kernel, then answer SERVFAIL", AT(commit_deadline_ms), 0},
    {"deadline.query", OPTION_MILLISECONDS, 100 * MS, 30000 * MS, "4s",
	"answer within this time, whatever the upstreams do", AT(query_deadline_ms), 0},
    {"control", OPTION_PATH, 1, SOCKET_PATH_MAX, CONTROL_DEFAULT_PATH,
	"the socket on which egressctl finds us", AT(control), 0},
    {"metrics", OPTION_PORT, 0, 0, "\"127.0.0.1:9153\"",
	"where /metrics, /healthz and /readyz are answered over HTTP; \"\": nowhere",
	AT(metrics), 0},
};

const struct option *
option_at(size_t i)
{
	return i < ARRAY_LEN(options) ? &options[i] : NULL;
}

/* Append the len bytes of name unless they are the last that was appended. */
static void
append_name(char *buf, const char **last, size_t *last_len, const char *name, size_t len)
{
	size_t used = strlen(buf);

	if (*last != NULL && *last_len == len && memcmp(*last, name, len) == 0)
		return;
	(void)snprintf(buf + used, OPTION_NAMES_MAX - used, "%s%.*s",
	    used > 0 ? ", " : "", (int)len, name); /* a test holds that all fit */
	*last = name;
	*last_len = len;
}

char *
option_names(const char *group, char *buf)
{
	size_t group_len = strlen(group);
	const char *last = NULL;
	size_t last_len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const char *name = options[i].name;

		if (group_len == 0) {
			append_name(buf, &last, &last_len, name, strcspn(name, "."));
			continue;
		}
		if (strncmp(name, group, group_len) == 0 && name[group_len] == '.')
			append_name(buf, &last, &last_len, name + group_len + 1,
			    strlen(name + group_len + 1));
	}
	return buf;
}

static char *
range_text(const struct option *o, const char *what,
    char *(*format)(uint64_t value, char *buf), uint64_t factor, char *buf)
{
	char low[QUANTITY_TEXT_MAX], high[QUANTITY_TEXT_MAX];

	(void)snprintf(buf, OPTION_RANGE_MAX, "%s from %s to %s", what,
	    format(o->min * factor, low), format(o->max * factor, high)); /* fits */
	return buf;
}

static char *
format_number(uint64_t value, char *buf)
{
	(void)snprintf(buf, QUANTITY_TEXT_MAX, "%" PRIu64, value); /* 20 digits */
	return buf;
}

static char *
list_text(const struct option *o, const char *what, char *buf)
{
	(void)snprintf(buf, OPTION_RANGE_MAX, "a list of %" PRIu64 " to %" PRIu64 " %s",
	    o->min, o->max, what); /* fits */
	return buf;
}

static char *
plain_text(const char *text, char *buf)
{
	(void)snprintf(buf, OPTION_RANGE_MAX, "%s", text); /* fits */
	return buf;
}

char *
option_range(const struct option *o, char *buf)
{
	switch (o->kind) {
	case OPTION_MESH:
		return plain_text("a mapping, as Istio's meshConfig", buf);
	case OPTION_MILLISECONDS:
		return range_text(o, "a duration", quantity_format_ms, 1, buf);
	case OPTION_SECONDS:
		return range_text(
		    o, "a duration in whole seconds", quantity_format_ms, 1000, buf);
	case OPTION_NUMBER:
		return range_text(o, "a number", format_number, 1, buf);
	case OPTION_BYTES:
		return range_text(o, "a size", quantity_format_bytes, 1, buf);
	case OPTION_BOOL:
		return plain_text("true or false", buf);
	case OPTION_RCODE:
		return plain_text("NXDOMAIN or REFUSED", buf);
	case OPTION_HTTPS:
		return plain_text("nodata or lease", buf);
	case OPTION_UNLISTED:
		return plain_text("reject or drop", buf);
	case OPTION_ERRORS:
		return plain_text("refuse or skip", buf);
	case OPTION_REVOKE:
		return plain_text("flows or leases", buf);
	case OPTION_PATH:
		return range_text(o, "an absolute path, bytes", format_number, 1, buf);
	case OPTION_PORT:
		return plain_text("\"ADDRESS:PORT\", \"[ADDRESS6]:PORT\" or \"\"", buf);
	case OPTION_DOMAIN:
		return range_text(o, "a domain name, bytes", format_number, 1, buf);
	case OPTION_FOLDERS:
		return list_text(o, "absolute paths", buf);
	case OPTION_LISTEN:
	case OPTION_UPSTREAMS:
		return list_text(o, "\"ADDRESS:PORT\" or \"[ADDRESS6]:PORT\"", buf);
	case OPTION_PREFIXES:
		return list_text(o, "\"ADDRESS/LENGTH\"", buf);
	case OPTION_INTERFACES:
		return list_text(
		    o, "interface names, or beginnings of names with a * behind", buf);
	case OPTION_ZONES:
		return list_text(o, "{name: DOMAIN, upstreams: [\"ADDRESS:PORT\"]}", buf);
	}
	return plain_text("", buf);
}

static const setting_fn setters[] = {
    [OPTION_MESH] = setting_mesh,
    [OPTION_MILLISECONDS] = setting_milliseconds,
    [OPTION_SECONDS] = setting_seconds,
    [OPTION_NUMBER] = setting_number,
    [OPTION_BYTES] = setting_bytes,
    [OPTION_BOOL] = setting_bool,
    [OPTION_RCODE] = setting_rcode,
    [OPTION_HTTPS] = setting_https,
    [OPTION_UNLISTED] = setting_unlisted,
    [OPTION_ERRORS] = setting_errors,
    [OPTION_REVOKE] = setting_revoke,
    [OPTION_PATH] = setting_path,
    [OPTION_PORT] = setting_port,
    [OPTION_DOMAIN] = setting_domain,
    [OPTION_FOLDERS] = setting_folders,
    [OPTION_LISTEN] = setting_listen,
    [OPTION_UPSTREAMS] = setting_upstreams,
    [OPTION_PREFIXES] = setting_prefixes,
    [OPTION_INTERFACES] = setting_interfaces,
    [OPTION_ZONES] = setting_zones,
};

int
option_set(
    const struct option *o, const struct node *value, const struct option_target *target)
{
	return setters[o->kind](target, o, value);
}
