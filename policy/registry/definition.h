/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one namespace says of one host: its oldest entry for that host, and those that
 * agree with it and are merged into it.
 *
 * A Kubernetes Service goes before all entries. Entries are merged when resolution,
 * labels, workloadSelector and exportTo are equal, as Istio does; any other is shadowed
 * there by the oldest, with a warning.
 */
#ifndef POLICY_REGISTRY_DEFINITION_H
#define POLICY_REGISTRY_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/table.h"
#include "policy/finding.h"
#include "policy/intern.h"
#include "policy/memory.h"
#include "policy/object/service_entry.h"
#include "policy/registry/tree.h"
#include "policy/registry/way.h"

/* One entry's values as the registry keeps them. */
struct entry_image {
	struct registry_source source;
	const struct registry_port *ports;
	size_t port_count;
	const struct prefix *addresses;
	size_t address_count;
	const struct prefix *endpoints;
	size_t endpoint_count;
	const struct way_host *ways;        /* as the host's */
	const struct way_backend *backends; /* behind addresses, if there are any */
	size_t backend_count;
	bool leads;               /* some address leads elsewhere, on some port */
	const uint32_t *services; /* of each port, when it leads; fixed.h */
	const struct registry_target *targets;
	size_t target_count;
};

struct definition_part {
	struct service_entry *entry;
	struct definition_part *next;
};

/* The host of a definition as some scope sees it: whole, or with fewer ports. */
struct definition_host {
	struct table_link link;          /* in the table of those with fewer ports */
	struct registry_host *host;      /* in the image */
	struct audience_entry *audience; /* audience.h; NULL: nobody sees it */
	struct definition *definition;
	struct definition_host *next; /* of this definition, the whole one first */
};

struct definition {
	struct table_link link;
	struct definition *next; /* the oldest first */
	struct tree_node *node;
	const struct interned *namespace;
	const struct entry_host *entry_host; /* in the oldest entry */
	bool wildcard;
	struct definition_part *parts, *last;
	size_t part_count;
	struct registry_host *host; /* in the image */
	struct definition_host *hosts, *last_host;
	uint32_t order; /* in the list */
	/* policy/registry/catalog.h */
	const char *key;
	struct site *site;
	uint32_t excluded;
};

struct definitions {
	struct hash_key key;
	struct memory *image;
	struct memory *scratch; /* definitions, until the builder goes */
	struct findings *findings;
	struct tree *tree;
	struct intern *namespaces;
	struct intern *words; /* names and protocols of ports */
	struct table table;
	struct definition *list, **end;
	size_t count;
	struct definition_host **hosts; /* by the id of the registry_host; on the heap */
	size_t host_count, host_size;
};

/* All fields up to table are set. limit: of definitions. -ENOMEM. */
MUST_CHECK int definitions_init(struct definitions *d, size_t limit);
void definitions_done(struct definitions *d);

/* Entries come in the order of their age. -ENOMEM, -ENOSPC. */
MUST_CHECK int definitions_add(struct definitions *d, struct service_entry *entry);
/* After all were added: makes their hosts. */
MUST_CHECK int definitions_finish(struct definitions *d);

/* Is it a Kubernetes Service's? */
bool definition_is_service(const struct definition *def);
/* Does a workload of that namespace (NULL: one that is not known) see it, if exportTo
 * alone says so? */
bool definition_is_visible(
    const struct definition *def, const struct interned *namespace);
/* Does a go before b, the same host of another namespace, for a workload of that
 * namespace? Both are visible to it. */
bool definition_goes_before(const struct definition *a, const struct definition *b,
    const struct interned *namespace);
/* Whose host it is. */
struct definition *definition_of(
    const struct definitions *d, const struct registry_host *host);
/* Gives host, which lies in the image, its id. */
MUST_CHECK int definition_add_host(
    struct definitions *d, struct definition *def, struct registry_host *host);

/* NULL when that namespace says nothing of the host. */
struct definition *definitions_find(const struct definitions *d,
    const struct tree_node *node, bool wildcard, const struct interned *namespace);

#endif
