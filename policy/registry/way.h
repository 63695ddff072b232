/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an entry leads what was sent to one of its ports: to targetPort, to a port of an
 * endpoint's own, or from its addresses to its endpoints, and without endpoints, when its
 * resolution is DNS, to what its first host has.
 *
 * An endpoint's own port goes before targetPort, and that before the port itself, as in
 * Istio (pilot/pkg/serviceregistry/serviceentry/conversion.go). What an answer's address
 * leads to is asked by host; what is open without a lookup has the number of a service,
 * an entry's addresses on one of its ports. An endpoint that is a name leads to the
 * addresses that it has: whoever resolves it asks way_permits about each. All values live
 * as long as the registry.
 */
#ifndef POLICY_REGISTRY_WAY_H
#define POLICY_REGISTRY_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "policy/registry/verdict.h"

#define WAYS_MAX (256 * 1024) /* of all services: each is a rule of the kernel's */
#define WAY_ADDRESSES_MAX 8   /* that a name leads to, of each family */
#define WAY_NAMED_MAX 127     /* of a service, once its names are resolved */

struct registry;

/* Where one endpoint's own ports let a port of its host lead, when that is elsewhere than
 * registry_port says. Lists are sorted (policy/registry/way_make.h). */
struct way_override {
	struct addr endpoint; /* family 0: a target, whose list it is */
	uint16_t number;
	uint8_t proto;
	uint16_t to;    /* 0: itself */
	uint32_t order; /* of two for one endpoint's port the lower one holds */
};

/* What a host has beside its ports. */
struct way_host {
	const struct way_override *overrides;
	size_t override_count;
	bool fronted; /* its addresses lead to endpoints, whatever the port */
};

/* An endpoint behind the addresses of an entry. */
struct way_backend {
	struct addr addr;
	const struct registry_target *target; /* NULL: it is an address */
	uint32_t weight;                      /* at least 1 */
};

/* One of the ways that a service leads. */
struct way {
	struct addr addr; /* family 0: the address stays what it is, or target */
	const struct registry_target *target; /* to each address of this name */
	uint8_t proto;                        /* of the service */
	uint16_t port;
	uint32_t weight; /* among all ways, at least 1 */
};

/* Where a port of the host leads at an address that a lookup gave: 0, to itself. Cost:
 * log of the number of the endpoints' own ports. */
uint16_t way_port(const struct registry_host *host, const struct registry_port *port,
    const struct addr *address);

/* The same at an address that one of the host's targets gave. */
uint16_t way_target_port(
    const struct registry_target *target, const struct registry_port *port);
/* Has some target ports of its own? Then nothing but the answer tells where an address
 * leads that the host does not list. */
bool way_differs(const struct registry_host *host);

/* How many services there are; their numbers are from 1 on. */
size_t way_services(const struct registry *r);
/* i from 0 until it returns false: each way that the service leads, of both families. A
 * new flow takes one that is of its address's, or none when there is none. */
bool way_get(const struct registry *r, size_t service, size_t i, struct way *ret_way);
/* Is some endpoint of the service a name? */
bool way_is_named(const struct registry *r, size_t service);
/* May a name behind the service lead to this address? As registry_permits. */
bool way_permits(const struct registry *r, size_t service, const struct addr *address);

#endif
