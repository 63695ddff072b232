/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Istio's WorkloadEntry: an endpoint of a ServiceEntry, or an object of its own that a
 * workloadSelector may select.
 *
 * What it points at lies in the reader's memory.
 */
#ifndef POLICY_OBJECT_WORKLOAD_ENTRY_H
#define POLICY_OBJECT_WORKLOAD_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "policy/object/labels.h"
#include "policy/object/manifest.h"
#include "policy/registry/verdict.h"
#include "policy/yaml/reader.h"

#define WORKLOAD_ENTRY_PORTS_MAX 128

struct entry_port;

enum entry_endpoint_kind {
	ENDPOINT_NONE, /* a network without an address */
	ENDPOINT_ADDRESS,
	ENDPOINT_NAME,
};

struct entry_endpoint_port {
	const char *name; /* of the entry's port */
	uint16_t number;
};

struct entry_endpoint {
	enum entry_endpoint_kind kind;
	struct addr address; /* ENDPOINT_ADDRESS */
	const char *name;    /* ENDPOINT_NAME */
	unsigned line;
	uint32_t weight; /* 0: not stated, which is 1 */
	size_t port_count;
	struct entry_endpoint_port *ports;
};

/* What the rules for an endpoint depend on: the entry around it. */
struct workload_entry_rules {
	enum registry_resolution resolution;
	size_t port_count;
	const struct entry_port *ports;
	bool alone; /* an object of its own: there is no entry */
};

struct workload_entry {
	struct registry_source source;
	struct labels labels; /* its own and the object's, which go first */
	struct entry_endpoint endpoint;
	struct workload_entry *next; /* in the builder's list */
};

/* Error findings tell what is refused; false then. */
bool workload_entry_read(struct reader *rd, const struct node *n,
    const struct workload_entry_rules *rules, struct entry_endpoint *ret_endpoint);
/* An object. NULL after error findings or when memory lacks. */
struct workload_entry *workload_entry_read_object(
    struct reader *rd, const struct manifest *m);

#endif
