/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/entry_port.h"

#include <string.h>

#include "policy/syntax.h"

/* A field of the entry that slipped under a port says something there that nobody hears:
 * resolution would be NONE, which in Istio opens the port to every address. */
static void
check_fields(struct reader *rd, const struct node *n)
{
	static const char *const known[] = {"number", "protocol", "name", "targetPort",
	    "resolution", "location", "addresses", "endpoints", "exportTo", "hosts",
	    NULL};
	static const char *const slipped[] = {
	    "resolution", "location", "addresses", "endpoints", "exportTo", "hosts"};

	reader_known(rd, n, "a port", known);
	for (size_t i = 0; i < ARRAY_LEN(slipped); i++) {
		const struct node *field = node_get(n, slipped[i]);

		if (field != NULL)
			reader_warning(rd, field->key,
			    "%s STANDS UNDER A PORT AND IS IGNORED: it belongs one level "
			    "up, under spec",
			    slipped[i]);
	}
}

/* E13 */
static const char *
read_name(struct reader *rd, const struct node *port, const struct node *n)
{
	if (n == NULL) {
		reader_error(rd, port, "a port without name: add one");
		return NULL;
	}
	if (!reader_text(rd, n, "port name"))
		return NULL;
	if (!syntax_label(n->text, n->len)) {
		reader_refuse(rd, n, "port name",
		    "must be at most 63 letters, digits and inner '-'");
		return NULL;
	}
	return reader_copy(rd, n);
}

/* E14 */
static bool
read_protocol(struct reader *rd, const struct node *n, struct entry_port *p)
{
	p->protocol = protocol_find("");
	p->port.protocol = "";
	p->port.proto = p->protocol->proto;
	if (n == NULL)
		return true;
	if (!reader_text(rd, n, "protocol"))
		return false;
	p->protocol = protocol_find(n->text);
	if (p->protocol == NULL) {
		reader_refuse(rd, n, "protocol",
		    "is unknown: one of HTTP, HTTPS, GRPC, GRPC-Web, HTTP2, HTTP_PROXY, "
		    "TLS, TCP, UDP, MONGO, REDIS, MYSQL");
		return false;
	}
	p->port.proto = p->protocol->proto;
	p->port.protocol = reader_copy(rd, n);
	return p->port.protocol != NULL;
}

/* E12 */
static bool
read_target(struct reader *rd, const struct node *n, struct entry_port *p)
{
	uint64_t target;

	if (n == NULL)
		return true;
	if (!reader_number(rd, n, "targetPort", 1, 65535, &target))
		return false;
	p->port.to = target != p->port.number ? (uint16_t)target : 0;
	return true;
}

/* E15 */
static bool
read_number(struct reader *rd, const struct node *port, const struct node *n,
    struct entry_port *p)
{
	uint64_t number;

	if (n == NULL) {
		reader_error(rd, port, "a port without number: add one");
		return false;
	}
	if (!reader_number(rd, n, "the number of a port", 1, 65535, &number))
		return false;
	p->port.number = (uint16_t)number;
	return true;
}

static bool
read_port(struct reader *rd, const struct node *n, struct entry_port *ret_port)
{
	struct entry_port p = {.line = n->line, .column = n->column};
	size_t errors = rd->errors;
	bool good;

	if (!reader_mapping(rd, n, "a port")) {
		if (rd->errors == errors) /* E9 */
			reader_error(rd, n, "an empty port: remove it");
		return false;
	}
	check_fields(rd, n);
	p.port.name = read_name(rd, n, reader_get(n, "name"));
	good = read_number(rd, n, reader_get(n, "number"), &p);
	good = read_protocol(rd, reader_get(n, "protocol"), &p) && good;
	good = read_target(rd, reader_get(n, "targetPort"), &p) && good;
	if (!good || p.port.name == NULL)
		return false;
	*ret_port = p;
	return true;
}

/* E10, E11: the field's values, each once. */
static void
unique(const struct draft *d, const char *field, const char *what)
{
	struct reader_item items[SERVICE_ENTRY_PORTS_MAX];
	size_t n = 0;

	for (const struct node *c = d->ports->child; c != NULL; c = c->next) {
		const struct node *value = reader_get(c, field);

		if (value != NULL && value->kind == NODE_SCALAR)
			items[n++] =
			    (struct reader_item){.text = value->text, .at = value};
	}
	reader_unique(d->rd, items, n, what);
}

void
entry_port_read(const struct draft *d)
{
	struct service_entry *e = d->entry;

	if (!reader_sequence(d->rd, d->ports, "ports", SERVICE_ENTRY_PORTS_MAX))
		return;
	e->ports = memory_array(d->rd->memory, d->ports->len, sizeof(*e->ports));
	if (e->ports == NULL)
		return;
	for (const struct node *c = d->ports->child; c != NULL; c = c->next)
		if (read_port(d->rd, c, &e->ports[e->port_count]))
			e->port_count++;
	unique(d, "name", "port name");
	unique(d, "number", "port number");
}
