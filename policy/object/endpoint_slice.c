/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/endpoint_slice.h"

#include <netinet/in.h>
#include <string.h>

#include "policy/syntax.h"

/* AF_UNSPEC: nothing of the slice is used. */
static uint8_t
read_family(struct reader *rd, const struct node *at, const struct node *type)
{
	if (type == NULL)
		reader_error(rd, at, "addressType is missing: IPv4, IPv6 or FQDN");
	if (!reader_text(rd, type, "addressType"))
		return AF_UNSPEC;
	if (strcmp(type->text, "IPv4") == 0)
		return AF_INET;
	if (strcmp(type->text, "IPv6") == 0)
		return AF_INET6;
	if (strcmp(type->text, "FQDN") == 0)
		reader_note(rd, type,
		    "an EndpointSlice of names says nothing here, and is passed over");
	else
		reader_refuse(
		    rd, type, "addressType", "is unknown: one of IPv4, IPv6 and FQDN");
	return AF_UNSPEC;
}

static bool
read_address(
    struct reader *rd, const struct node *n, uint8_t family, struct addr *ret_address)
{
	struct addr a;

	if (!reader_text(rd, n, "an endpoint's address")) {
		if (node_is_null(n))
			reader_error(rd, n, "an empty address: remove it");
		return false;
	}
	if (addr_parse(n->text, n->len, &a) < 0 || a.family != family) {
		reader_refuse(rd, n, "an endpoint's address",
		    family == AF_INET ? "is no IPv4 address" : "is no IPv6 address");
		return false;
	}
	*ret_address = a;
	return true;
}

/* hostname and conditions.ready: what all addresses of an endpoint share. */
static struct slice_endpoint
read_common(struct reader *rd, const struct node *n)
{
	const struct node *hostname = reader_get(n, "hostname");
	const struct node *conditions = reader_get(n, "conditions");
	struct slice_endpoint e = {.ready = true};

	if (reader_text(rd, hostname, "hostname") && hostname->len > 0) {
		if (syntax_namespace(hostname->text, hostname->len))
			e.hostname = reader_copy(rd, hostname);
		else
			reader_refuse(
			    rd, hostname, "hostname", "is no label in lower case");
	}
	if (reader_mapping(rd, conditions, "conditions"))
		(void)reader_bool(rd, reader_get(conditions, "ready"), "ready",
		    &e.ready); /* absent: true */
	return e;
}

static void
read_endpoint(
    struct reader *rd, const struct node *n, uint8_t family, struct endpoint_slice *slice)
{
	const struct node *addresses = reader_get(n, "addresses");
	struct slice_endpoint e;

	if (!reader_mapping(rd, n, "an endpoint")) {
		if (node_is_null(n))
			reader_error(rd, n, "an empty endpoint: remove it");
		return;
	}
	e = read_common(rd, n);
	if (addresses == NULL || addresses->len == 0)
		reader_error(rd, n, "an endpoint without addresses: add one");
	if (!reader_sequence(rd, addresses, "addresses", SLICE_ADDRESSES_MAX))
		return;
	for (const struct node *c = addresses->child; c != NULL; c = c->next)
		if (read_address(rd, c, family, &e.address))
			slice->endpoints[slice->endpoint_count++] = e;
}

static size_t
count_addresses(const struct node *list)
{
	size_t count = 0;

	for (const struct node *c = list->child; c != NULL; c = c->next) {
		const struct node *addresses = reader_get(c, "addresses");

		if (addresses != NULL && addresses->kind == NODE_SEQUENCE)
			count += MIN_OF(addresses->len, (size_t)SLICE_ADDRESSES_MAX);
	}
	return count;
}

static void
read_endpoints(struct reader *rd, const struct node *list, uint8_t family,
    struct endpoint_slice *slice)
{
	if (!reader_sequence(rd, list, "endpoints", SLICE_ENDPOINTS_MAX))
		return;
	slice->endpoints =
	    memory_array(rd->memory, count_addresses(list), sizeof(*slice->endpoints));
	if (slice->endpoints == NULL)
		return;
	for (const struct node *c = list->child; c != NULL; c = c->next)
		read_endpoint(rd, c, family, slice);
}

struct endpoint_slice *
endpoint_slice_read(struct reader *rd, const struct manifest *m)
{
	const struct node *service = reader_get(m->labels, SLICE_SERVICE_LABEL);
	struct endpoint_slice *slice = memory_alloc(rd->memory, sizeof(*slice));
	size_t errors = rd->errors;
	uint8_t family;

	if (slice == NULL)
		return NULL;
	slice->namespace = memory_text(rd->memory, m->namespace, strlen(m->namespace));
	if (reader_text(rd, service, "metadata.labels " SLICE_SERVICE_LABEL))
		slice->service = reader_copy(rd, service);
	if (service == NULL)
		reader_note(rd, m->at,
		    "an EndpointSlice without the label " SLICE_SERVICE_LABEL
		    " is no Service's, and is passed over");
	family = read_family(rd, m->at, reader_get(m->at, "addressType"));
	if (family != AF_UNSPEC)
		read_endpoints(rd, reader_get(m->at, "endpoints"), family, slice);
	service_port_read(rd, reader_get(m->at, "ports"), false, &slice->ports);
	return rd->errors == errors && rd->memory->lack == 0 ? slice : NULL;
}
