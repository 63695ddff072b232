/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Istio ServiceEntry: read, checked, and kept as values.
 *
 * All that an entry points at lies in the reader's memory and nothing in the tree, which
 * may go. Limits are those of the resource's own schema (istio/api
 * networking/v1alpha3/service_entry.proto).
 */
#ifndef POLICY_OBJECT_SERVICE_ENTRY_H
#define POLICY_OBJECT_SERVICE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "policy/object/export.h"
#include "policy/object/labels.h"
#include "policy/object/manifest.h"
#include "policy/object/protocol.h"
#include "policy/object/workload_entry.h"
#include "policy/registry/verdict.h"

#define SERVICE_ENTRY_HOSTS_MAX 256
#define SERVICE_ENTRY_ADDRESSES_MAX 256
#define SERVICE_ENTRY_PORTS_MAX 256
#define SERVICE_ENTRY_LABELS_MAX 256
#define SERVICE_ENTRY_ENDPOINTS_MAX 4096

struct definition;
struct entry_image;

struct entry_host {
	const char *text; /* as written */
	bool wildcard;    /* "*.rest" */
	bool partial;     /* "*rest", which matches nothing here */
	unsigned line;
};

struct entry_port {
	struct registry_port port;
	const struct protocol *protocol;
	unsigned line, column;
};

struct service_entry {
	struct registry_source source;
	unsigned column;
	int64_t created;
	size_t host_count;
	struct entry_host *hosts;
	size_t address_count; /* IPv4 before IPv6 */
	struct prefix *addresses;
	size_t port_count;
	struct entry_port *ports;
	enum registry_resolution resolution;
	bool internal;
	size_t endpoint_count;
	struct entry_endpoint *endpoints;
	struct export export;
	const char *labels;         /* in one comparable text, "" for none */
	const char *selector;       /* the same; NULL: no workloadSelector */
	struct labels selected;     /* what that selects */
	struct service_entry *next; /* in the builder's list */
	struct definition *
	    *definitions;          /* of each host, NULL where shadowed: when compiled */
	struct entry_image *image; /* when compiled */
};

/*
 * NULL after error findings, or when the reader's memory lacks. m has had its metadata
 * read. file is kept as the source's, and must live as long as the entry.
 */
struct service_entry *service_entry_read(struct reader *rd, const struct manifest *m);

/* Without endpoints an entry that is resolved by DNS has its host asked. */
bool service_entry_asks_host(const struct service_entry *e);

#endif
