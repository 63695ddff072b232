/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/service_port.h"

#include <string.h>

#include "policy/syntax.h"

/* TCP when absent. False: nothing of the port is kept. */
static bool
read_protocol(struct reader *rd, const struct node *n, struct entry_port *p)
{
	const char *word = "TCP";

	if (n != NULL) {
		if (!reader_text(rd, n, "protocol"))
			return false;
		word = n->text;
	}
	if (strcmp(word, "SCTP") == 0) {
		reader_note(rd, n, "SCTP is not opened: the port is left out");
		return false;
	}
	if (strcmp(word, "TCP") != 0 && strcmp(word, "UDP") != 0) {
		reader_refuse(rd, n, "protocol", "is unknown: one of TCP, UDP and SCTP");
		return false;
	}
	p->protocol = protocol_find(word);
	p->port.proto = p->protocol->proto;
	p->port.protocol = strcmp(word, "UDP") == 0 ? "UDP" : "TCP";
	return true;
}

static bool
read_name(struct reader *rd, const struct node *n, struct entry_port *p)
{
	p->port.name = "";
	if (n == NULL || (n->kind == NODE_SCALAR && n->len == 0))
		return true;
	if (!reader_text(rd, n, "the name of a port"))
		return false;
	if (!syntax_namespace(n->text, n->len)) {
		reader_refuse(
		    rd, n, "the name of a port", "is no label in lower case (RFC 1123)");
		return false;
	}
	p->port.name = reader_copy(rd, n);
	return p->port.name != NULL;
}

static bool
read_port(struct reader *rd, const struct node *n, bool number_needed,
    struct entry_port *ret_port)
{
	const struct node *number = reader_get(n, "port");
	struct entry_port p = {.line = n->line, .column = n->column};
	uint64_t value = 0;
	bool good;

	if (!reader_mapping(rd, n, "a port")) {
		if (node_is_null(n))
			reader_error(rd, n, "an empty port: remove it");
		return false;
	}
	if (number == NULL && number_needed)
		reader_error(rd, n, "a port without number: add one");
	good = reader_number(rd, number, "the number of a port", 1, 65535, &value);
	p.port.number = (uint16_t)value;
	good = read_name(rd, reader_get(n, "name"), &p) && good;
	good = read_protocol(rd, reader_get(n, "protocol"), &p) && good;
	if (good)
		*ret_port = p;
	return good;
}

void
service_port_read(struct reader *rd, const struct node *list, bool number_needed,
    struct service_ports *ret_ports)
{
	struct service_ports ports = {0};

	*ret_ports = ports;
	if (!reader_sequence(rd, list, "ports", SERVICE_PORTS_MAX))
		return;
	ports.list = memory_array(rd->memory, list->len, sizeof(*ports.list));
	if (ports.list == NULL)
		return;
	for (const struct node *c = list->child; c != NULL; c = c->next)
		if (read_port(rd, c, number_needed, &ports.list[ports.count]))
			ports.count++;
	*ret_ports = ports;
}
