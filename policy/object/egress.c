/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/egress.h"

#include "policy/object/sidecar_port.h"

static const char *const known[] = {"port", "bind", "captureMode", "hosts", NULL};

static void
read_hosts(
    struct reader *rd, const struct node *listener, const char *own, struct egress *e)
{
	const struct node *hosts = reader_get(listener, "hosts");

	if (hosts == NULL || (hosts->kind == NODE_SEQUENCE && hosts->len == 0)) {
		reader_error(rd, listener,
		    "an egress listener must contain at least one host: \"*/*\" for "
		    "everything, \"~/*\" for nothing");
		return;
	}
	if (!reader_sequence(rd, hosts, "egress hosts", EGRESS_HOSTS_MAX))
		return;
	e->imports = memory_array(rd->memory, hosts->len, sizeof(*e->imports));
	if (e->imports == NULL)
		return;
	for (const struct node *c = hosts->child; c != NULL; c = c->next)
		if (import_read(rd, c, &e->imports[e->import_count]))
			e->import_count++;
	import_check(rd, hosts, own);
}

/* At most one has no port, and it is the last. */
static void
check_last(struct reader *rd, const struct node *listener, bool *seen)
{
	if (*seen)
		reader_error(rd, listener,
		    "only one egress listener may have no port: give this one a port, or "
		    "unite them");
	else if (listener->next != NULL)
		reader_error(rd, listener,
		    "the egress listener without port must be the last one: move it");
	*seen = true;
}

static void
read_listener(struct reader *rd, const struct node *n, const char *own, bool *no_port,
    struct egress *e)
{
	struct sidecar_port port;

	e->line = n->line;
	reader_known(rd, n, "an egress listener", known);
	if (reader_get(n, "port") == NULL) {
		const struct node *bind = reader_get(n, "bind");

		check_last(rd, n, no_port);
		if (bind != NULL)
			(void)reader_text(rd, bind, "bind"); /* for its finding */
	} else if (sidecar_port_read(rd, n, "egress", &port)) {
		e->port = port.number;
		e->unix_socket = port.number == 0;
		e->trims = port.number != 0 && !port.http_proxy;
	}
	read_hosts(rd, n, own, e);
}

void
egress_read(struct reader *rd, const struct node *list, const char *own,
    struct egress **ret_list, size_t *ret_count)
{
	struct egress *all;
	bool no_port = false;
	size_t n = 0;

	if (!reader_sequence(rd, list, "egress", EGRESS_LISTENERS_MAX) || list->len == 0)
		return;
	all = memory_array(rd->memory, list->len, sizeof(*all));
	if (all == NULL)
		return;
	for (const struct node *c = list->child; c != NULL; c = c->next) {
		if (node_is_null(c))
			reader_error(rd, c, "an egress listener may not be null");
		else if (reader_mapping(rd, c, "an egress listener"))
			read_listener(rd, c, own, &no_port, &all[n++]);
	}
	sidecar_port_check(rd, list);
	*ret_list = all;
	*ret_count = n;
}
