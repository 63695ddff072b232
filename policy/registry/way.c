/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/way.h"

#include "policy/registry/image.h"
#include "policy/registry/way_make.h"

uint16_t
way_port(const struct registry_host *host, const struct registry_port *port,
    const struct addr *address)
{
	const struct way_host *ways = host->ways;
	const struct way_override *own;

	if (ways == NULL)
		return port->to;
	own = way_find(ways->overrides, ways->override_count, port, address);
	if (ways->fronted &&
	    prefixes_contain(host->addresses, host->address_count, address))
		return 0; /* a service's, which is looked for by address */
	return own != NULL ? own->to : port->to;
}

uint16_t
way_target_port(const struct registry_target *target, const struct registry_port *port)
{
	const struct addr none = {0};
	const struct way_override *own =
	    way_find(target->ports, target->port_count, port, &none);

	return own != NULL ? own->to : port->to;
}

bool
way_differs(const struct registry_host *host)
{
	for (size_t i = 0; i < host->target_count; i++)
		if (host->targets[i].port_count > 0)
			return true;
	return false;
}

size_t
way_services(const struct registry *r)
{
	return r->fixed.service_count;
}

bool
way_get(const struct registry *r, size_t service, size_t i, struct way *ret_way)
{
	const struct fixed_service *s = &r->fixed.services[service - 1];
	struct way way = {.proto = s->port.proto, .weight = 1};
	const struct way_override *own = NULL;
	uint16_t to = s->port.to;

	if (i >= MAX_OF(s->backend_count, (size_t)1))
		return false;
	if (s->backend_count > 0) {
		way.addr = s->backends[i].addr;
		way.target = s->backends[i].target;
		way.weight = s->backends[i].weight;
	}
	if (way.target != NULL)
		to = way_target_port(way.target, &s->port);
	else if (s->backend_count > 0)
		own = way_find(
		    s->ways->overrides, s->ways->override_count, &s->port, &way.addr);
	if (own != NULL)
		to = own->to;
	way.port = to != 0 ? to : s->port.number;
	*ret_way = way;
	return true;
}

bool
way_is_named(const struct registry *r, size_t service)
{
	return r->fixed.services[service - 1].named;
}

bool
way_permits(const struct registry *r, size_t service, const struct addr *address)
{
	return registry_permits(r, r->fixed.services[service - 1].host, address);
}
