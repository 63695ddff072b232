/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validateSidecarEgressPortBindAndCaptureMode and its ingress counterpart (istio/istio
 * pkg/config/validation/validation.go).
 */
#include "policy/object/sidecar_port.h"

#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "policy/object/protocol.h"
#include "policy/syntax.h"

#define UNIX_PREFIX "unix://"

static bool
is_unix(const struct node *bind)
{
	return bind != NULL && bind->kind == NODE_SCALAR &&
	       strncmp(bind->text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
}

/* "/path" or, in the abstract namespace, "@name". */
static void
check_unix(struct reader *rd, const struct node *bind)
{
	const char *path = bind->text + strlen(UNIX_PREFIX);
	bool abstract = path[0] == '@' && path[1] != '\0';

	if (!abstract && (path[0] != '/' || path[strlen(path) - 1] == '/'))
		reader_refuse(rd, bind, "bind",
		    "is no unix socket: write unix:///PATH or unix://@NAME");
}

static void
check_bind(struct reader *rd, const struct node *bind, uint16_t number, bool egress)
{
	struct addr a;

	if (bind != NULL && !reader_text(rd, bind, "bind"))
		return;
	if (number == 0 && egress && is_unix(bind))
		check_unix(rd, bind);
	else if (bind != NULL && bind->len > 0 &&
		 addr_parse(bind->text, bind->len, &a) < 0)
		reader_refuse(rd, bind, "bind",
		    is_unix(bind) ? "is a unix socket, which goes with port number 0"
				  : "is no IP address");
}

static void
check_capture(struct reader *rd, const struct node *capture, bool unix_socket)
{
	if (capture == NULL || !reader_text(rd, capture, "captureMode"))
		return;
	if (strcmp(capture->text, "DEFAULT") == 0 || strcmp(capture->text, "NONE") == 0)
		return;
	if (strcmp(capture->text, "IPTABLES") != 0)
		reader_refuse(rd, capture, "captureMode",
		    "is unknown: one of DEFAULT, IPTABLES, NONE");
	else if (unix_socket)
		reader_error(
		    rd, capture, "captureMode must be DEFAULT or NONE for a unix socket");
}

static void
check_protocol(struct reader *rd, const struct node *n, struct sidecar_port *p)
{
	if (n == NULL || !reader_text(rd, n, "protocol"))
		return;
	if (protocol_find(n->text) == NULL)
		reader_refuse(rd, n, "protocol",
		    "is unknown: one of HTTP, HTTPS, GRPC, GRPC-Web, HTTP2, HTTP_PROXY, "
		    "TLS, TCP, UDP, MONGO, REDIS, MYSQL");
	p->http_proxy = strcasecmp(n->text, "http_proxy") == 0;
}

static void
check_name(struct reader *rd, const struct node *n)
{
	if (n != NULL && reader_text(rd, n, "port name") && n->len > 0 &&
	    !syntax_label(n->text, n->len))
		reader_refuse(rd, n, "port name",
		    "must be at most 63 letters, digits and inner '-'");
}

/* Absent is the number 0. */
static uint16_t
read_number(
    struct reader *rd, const struct node *port, const struct node *bind, bool egress)
{
	const struct node *n = reader_get(port, "number");
	size_t errors = rd->errors;
	uint64_t number = 0;

	(void)reader_number(
	    rd, n, "the number of a port", 0, 65535, &number); /* absent: 0 */
	if (number != 0 || rd->errors != errors)
		return (uint16_t)number;
	if (!egress)
		reader_error(
		    rd, port, "an ingress port needs a number: add one, 1 to 65535");
	else if (!is_unix(bind))
		reader_error(rd, port,
		    "a port with number 0 (also when absent) must have a unix socket for "
		    "bind: add the number");
	return 0;
}

bool
sidecar_port_read(struct reader *rd, const struct node *listener, const char *way,
    struct sidecar_port *ret_port)
{
	static const char *const known[] = {
	    "number", "protocol", "name", "targetPort", NULL};
	const struct node *port = reader_get(listener, "port");
	const struct node *bind = reader_get(listener, "bind");
	const struct node *target = reader_get(port, "targetPort");
	bool egress = strcmp(way, "egress") == 0;
	struct sidecar_port p = {0};
	size_t errors = rd->errors;

	if (!reader_mapping(rd, port, "the port of a listener"))
		return false;
	reader_known(rd, port, "the port of a listener", known);
	if (target != NULL && !node_is_text(target, "0"))
		reader_error(
		    rd, target, "targetPort has no impact on %s: remove it", way);
	p.number = read_number(rd, port, bind, egress);
	check_protocol(rd, reader_get(port, "protocol"), &p);
	check_name(rd, reader_get(port, "name"));
	check_bind(rd, bind, p.number, egress);
	check_capture(
	    rd, reader_get(listener, "captureMode"), p.number == 0 && is_unix(bind));
	if (rd->errors != errors)
		return false;
	*ret_port = p;
	return true;
}

/* The port's number, or its unix socket; NULL: it has none. */
static const struct node *
identity(const struct node *listener)
{
	const struct node *port = reader_get(listener, "port");
	const struct node *number = reader_get(port, "number");
	const struct node *bind = reader_get(listener, "bind");

	if (port == NULL)
		return NULL;
	if (number == NULL || node_is_text(number, "0"))
		return is_unix(bind) ? bind : NULL;
	return number->kind == NODE_SCALAR ? number : NULL;
}

void
sidecar_port_check(struct reader *rd, const struct node *listeners)
{
	struct reader_item *items =
	    memory_array(rd->memory, listeners->len, sizeof(*items));
	size_t n = 0;

	if (items == NULL)
		return;
	for (const struct node *c = listeners->child; c != NULL; c = c->next) {
		const struct node *id = identity(c);

		if (id != NULL)
			items[n++] = (struct reader_item){.text = id->text, .at = id};
	}
	reader_unique(rd, items, n, "port or unix socket of a listener");
}
