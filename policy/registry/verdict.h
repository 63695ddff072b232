/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the registry says: its mode, its hosts and ports, the pods it knows, and the
 * verdict on a name.
 *
 * Plain values and borrowed pointers; whatever is pointed at belongs to the registry that
 * gave it and lives as long.
 */
#ifndef POLICY_REGISTRY_VERDICT_H
#define POLICY_REGISTRY_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Istio's outboundTrafficPolicy.mode, with the enum's own values (istio/api): the zero
 * value is what `outboundTrafficPolicy: {}` means. */
enum outbound_mode {
	OUTBOUND_REGISTRY_ONLY = 0,
	OUTBOUND_ALLOW_ANY = 1,
};

/* Where an entry stands. */
struct registry_source {
	const char *kind;
	const char *namespace;
	const char *name;
	const char *file;
	unsigned line;
};

/* An Istio Sidecar, as far as it is told to people. */
struct registry_sidecar {
	struct registry_source source;
	bool states_mode;    /* by its outboundTrafficPolicy */
	const char *imports; /* "nothing", or its hosts and "only"; NULL: everything */
};

/* A known pod. */
struct workload {
	const char *namespace;
	const char *name;
	uint32_t namespace_id;   /* of this registry only */
	uint32_t scope_id;       /* what it sees; of this registry only */
	enum outbound_mode mode; /* its own: pods of one registry may differ */
	const struct registry_sidecar *sidecar; /* that applies to it; may be NULL */
	struct addr v4, v6; /* its own, of each family; family 0: it has none */
	/* Of namespace, name and metadata.uid: in every registry that is built with the
	 * same hash key a pod has the same, and another pod another. Never 0. */
	uint64_t identity;
};

struct registry_port {
	uint16_t number;
	uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t to;   /* the port that it leads to, targetPort; 0: itself */
	const char *name;
	const char *protocol; /* as written, "" when absent */
};

enum registry_resolution { /* as in networking/v1alpha3/service_entry.proto */
	RESOLUTION_NONE = 0,
	RESOLUTION_STATIC = 1,
	RESOLUTION_DNS = 2,
	RESOLUTION_DNS_ROUND_ROBIN = 3,
	RESOLUTION_DYNAMIC_DNS = 4,
};

/* Names asked in one host's stead, each a question that the answer waits for. */
#define REGISTRY_TARGETS_MAX 16
#define REGISTRY_NO_ZONE UINT32_MAX

struct registry_target {
	const uint8_t *name; /* wire form, in lower case */
	uint8_t len;
	uint32_t zone; /* it lies in: index into settings' zones, or REGISTRY_NO_ZONE */
	const struct way_override *ports; /* its own, way.h */
	size_t port_count;
};

/* One host of the registry as one namespace defines it: what all its entries for that
 * host say together. */
struct registry_host {
	struct registry_source source;     /* of the oldest of the entries */
	uint32_t id;                       /* of this registry only */
	const struct registry_host *whole; /* NULL: it is; else what a Sidecar's listeners
					      left this of, which has more ports */
	const char *host; /* as written, "*.example.com" for a wildcard */
	bool wildcard;
	bool internal; /* location MESH_INTERNAL: may lead inside */
	enum registry_resolution resolution;
	const struct registry_port *ports; /* united, each (number, proto) once */
	size_t port_count;
	const struct prefix *addresses; /* as listed: open without a lookup, and never
					   forbidden in an answer */
	size_t address_count;
	const struct prefix *endpoints; /* never forbidden, but open by a lookup only */
	size_t endpoint_count;
	const struct way_host *ways;           /* of ports, way.h; NULL: as these say */
	const struct registry_target *targets; /* endpoints' names: asked in its stead */
	size_t target_count;
	uint64_t origin;  /* hash of targets and endpoints, 0: no targets; where it
			     differs, addresses may be a former target's */
	bool listed_only; /* nothing is asked: STATIC, or endpoints without a name among
			     them; only what addresses and endpoints list may pass */
	bool service, in_zone; /* a Kubernetes Service's; in a zone, and asked there */
	uint32_t zone;         /* of in_zone: index into the settings' zones */
	bool exported_to_all;  /* exportTo: every namespace, or these only */
	const char *const *exported_to;
	size_t exported_count; /* 0: nobody */
};

enum verdict_kind {
	VERDICT_REFUSED, /* no such name, as far as this workload may know */
	VERDICT_PARENT,  /* only names below it are registered: it has no records */
	VERDICT_HOST, /* registered: host says what opens; one in_zone is asked there */
	VERDICT_ZONE, /* in an internal zone: zone says which; nothing opens by it */
	VERDICT_OPEN, /* ALLOW_ANY: answered, nothing recorded */
};

enum verdict_reason { /* of VERDICT_REFUSED; for the operator, never for the client */
	REASON_NONE,
	REASON_NOT_REGISTERED,
	REASON_NOT_EXPORTED, /* registered, but not for this workload's namespace */
	REASON_NOT_IMPORTED, /* seen by its namespace, but not imported by its Sidecar */
};

struct verdict {
	enum verdict_kind kind;
	enum verdict_reason reason;
	/* VERDICT_HOST; REASON_NOT_EXPORTED and _NOT_IMPORTED: the one out of sight */
	const struct registry_host *host;
	const struct registry_sidecar *sidecar; /* REASON_NOT_IMPORTED: whose doing */
	size_t zone; /* VERDICT_ZONE: index into the settings' zones */
};

/* What may be reached without a lookup. */
struct registry_fixed {
	struct prefix pods; /* of the destination's family; length 0: every pod */
	struct prefix destination;
	uint16_t port;
	uint8_t proto;
	uint32_t service; /* where it leads, way_get; 0: to itself */
	const struct registry_host *host;
};

#endif
