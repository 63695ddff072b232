/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry: what may be reached, by which workload, under which name, on which ports.
 *
 * A registry is immutable once built, counted by references, and freed whole. Everything
 * that a function here returns by pointer lives as long as the registry. Nothing here has
 * a clock, a socket, a log or a global: manifests' text goes in through a builder,
 * findings and verdicts come out.
 *
 * A registry may be built in one thread and handed over to another; after that only one
 * thread may use it.
 */
#ifndef POLICY_REGISTRY_H
#define POLICY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "policy/finding.h"

/* Istio's outboundTrafficPolicy.mode; the values are the enum's own (istio/api
 * mesh/v1alpha1/config.proto): the zero value is what `outboundTrafficPolicy: {}` means.
 */
enum outbound_mode {
	OUTBOUND_REGISTRY_ONLY = 0,
	OUTBOUND_ALLOW_ANY = 1,
};

/* What the configuration, rather than a manifest, says. Borrowed during the build, copied
 * where kept. */
struct registry_settings {
	bool has_outbound; /* does the configuration's meshConfig name an
			      outboundTrafficPolicy? */
	enum outbound_mode outbound;
	const struct name
	    *zones; /* internal zones: every workload sees the names in them */
	size_t zone_count;
	const struct prefix *own; /* the pods', services' and nodes' ranges: no external
				     name may lead there */
	size_t own_count;
	struct hash_key hash_key; /* random */
	size_t bytes_max;         /* of memory for the whole image; 0: 1 GiB */
};

/* A known pod. Which Sidecar applies to it, and its labels, will be found here too. */
struct workload {
	const char *namespace;
	const char *name;
	uint32_t namespace_id; /* of this registry only */
};

struct registry_port {
	uint16_t number;
	uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
	const char *name;
	const char *protocol; /* as written, "" when absent */
};

/* Where an entry stands. */
struct registry_source {
	const char *kind;
	const char *namespace;
	const char *name;
	const char *file;
	unsigned line;
};

enum registry_resolution { /* values as in istio/api
			      networking/v1alpha3/service_entry.proto */
	RESOLUTION_NONE = 0,
	RESOLUTION_STATIC = 1,
	RESOLUTION_DNS = 2,
	RESOLUTION_DNS_ROUND_ROBIN = 3,
	RESOLUTION_DYNAMIC_DNS = 4,
};

/* One host of the registry as one namespace defines it: what all its entries for that
 * host say together. */
struct registry_host {
	struct registry_source source; /* of the oldest of the entries */
	const char *host;              /* as written, "*.example.com" for a wildcard */
	bool wildcard;
	bool internal; /* location MESH_INTERNAL: may lead inside */
	enum registry_resolution resolution;
	const struct registry_port *ports; /* united, each (number, proto) once */
	size_t port_count;
	const struct prefix *addresses; /* as listed: open without a lookup, and never
					   forbidden in an answer */
	size_t address_count;
};

enum verdict_kind {
	VERDICT_REFUSED, /* no such name, as far as this workload may know */
	VERDICT_PARENT, /* not registered itself, but something below it is: it exists and
			   has no records */
	VERDICT_HOST,   /* registered: host says what opens */
	VERDICT_ZONE,   /* in an internal zone: zone says which; nothing opens by it */
	VERDICT_OPEN,   /* ALLOW_ANY: answered, nothing recorded */
};

enum verdict_reason { /* of VERDICT_REFUSED; for the operator only, never told to the
			 client */
	REASON_NONE,
	REASON_NOT_REGISTERED,
	REASON_NOT_EXPORTED, /* registered, but not for this workload's namespace */
};

struct verdict {
	enum verdict_kind kind;
	enum verdict_reason reason;
	const struct registry_host *
	    host; /* VERDICT_HOST; for REASON_NOT_EXPORTED the one that is out of sight */
	size_t zone; /* VERDICT_ZONE: index into the settings' zones */
};

/* What may be reached without a lookup. */
struct registry_fixed {
	struct prefix pods; /* of the destination's family; length 0: every pod */
	struct prefix destination;
	uint16_t port;
	uint8_t proto;
	const struct registry_host *host;
};

struct registry;
struct registry_builder;

/*
 * Building. settings and findings are borrowed until the builder is finished or freed.
 * NULL when out of memory.
 */
struct registry_builder *registry_builder_new(
    const struct registry_settings *settings, struct findings *findings);
void registry_builder_free(struct registry_builder *b);
/*
 * Take in all documents of one file; text is borrowed for the call. What is wrong goes to
 * the findings; the result is negative only for a lack of memory (-ENOMEM) or of room
 * under bytes_max (-ENOSPC).
 */
MUST_CHECK int registry_builder_add(
    struct registry_builder *b, const char *file, const char *text, size_t len);
/* Ends the builder whatever the result. -EINVAL when the findings hold an error, -ENOMEM,
 * -ENOSPC. */
MUST_CHECK int registry_builder_finish(
    struct registry_builder *b, struct registry **ret_registry);

struct registry *registry_ref(struct registry *r);
void registry_unref(struct registry *r);

/* The mesh's mode. */
enum outbound_mode registry_mode(const struct registry *r);
/* Entries accepted; hosts they define; pods known. */
struct registry_counts {
	size_t entries;
	size_t hosts;
	size_t pods;
	size_t bytes; /* of memory */
};
struct registry_counts registry_counts(const struct registry *r);

/* The pod with this address, NULL when no manifest tells. */
const struct workload *registry_workload(
    const struct registry *r, const struct addr *source);

/* The registry's word. w is NULL for a pod that is not known: it sees what is public.
 * Cost: one pass over the name and one table look-up for each of its labels, whatever the
 * size of the registry. */
void registry_judge(const struct registry *r, const struct workload *w,
    const struct name *n, struct verdict *ret_verdict);

/*
 * May an answer for host (NULL: VERDICT_ZONE or VERDICT_OPEN, everything) hold this
 * address? An external host's must not lead inside: policy/range.h.
 */
bool registry_permits(const struct registry *r, const struct registry_host *host,
    const struct addr *address);

/* All that is open without a lookup; i from 0 until it returns false. Empty under
 * ALLOW_ANY. */
bool registry_fixed(const struct registry *r, size_t i, struct registry_fixed *ret_fixed);

#endif
