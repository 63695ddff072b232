/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/explain/explainer.h"

#include <stdio.h>
#include <string.h>

#define ELLIPSIS ", ..."

struct tree_view
explainer_view(const struct explainer *x, const struct tree_node *node)
{
	return tree_view(
	    &x->r->tree, node, x->w != NULL ? x->w->scope_id : x->r->unknown);
}

bool
explainer_sees(const struct explainer *x, const struct registry_host *host)
{
	if (host->exported_to_all)
		return true;
	for (size_t i = 0; x->w != NULL && i < host->exported_count; i++)
		if (strcmp(host->exported_to[i], x->w->namespace) == 0)
			return true;
	return false;
}

bool
explainer_path(const struct explainer *x, const struct name *n,
    const struct tree_node *path[NAME_LABELS_MAX + 1], size_t *ret_len)
{
	uint8_t offsets[NAME_LABELS_MAX];
	const struct tree_node *node = x->r->tree.root;
	size_t labels = 0;
	size_t len = 0;

	for (size_t pos = 0; n->bytes[pos] != 0; pos += n->bytes[pos] + 1u)
		offsets[labels++] = (uint8_t)pos;
	path[len++] = node;
	while (labels > 0) {
		node = tree_child(&x->r->tree, node, n->bytes + offsets[--labels]);
		if (node == NULL)
			break;
		path[len++] = node;
	}
	*ret_len = len;
	return node != NULL;
}

static void
add_host(const struct registry_host **list, size_t *count, const struct registry_host *h)
{
	if (h != NULL && h->whole != NULL)
		h = h->whole;
	for (size_t i = 0; i < *count; i++)
		if (list[i] == h)
			return;
	if (h != NULL && *count < EXPLAINER_HOSTS_MAX)
		list[(*count)++] = h;
}

size_t
explainer_hosts(const struct tree_node *node, bool wildcard,
    const struct registry_host *list[EXPLAINER_HOSTS_MAX])
{
	size_t count = 0;

	add_host(list, &count, wildcard ? node->wildcard : node->exact);
	add_host(list, &count, wildcard ? node->public.wildcard : node->public.exact);
	for (const struct tree_grant *g = node->grants; g != NULL; g = g->next)
		add_host(list, &count, wildcard ? g->view.wildcard : g->view.exact);
	return count;
}

const struct registry_port *
explainer_port(const struct explainer *x, const struct registry_port *ports, size_t count)
{
	if (x->q->port == 0)
		return count > 0 ? ports : NULL;
	return registry_port(ports, count, x->q->port, x->q->proto);
}

enum outbound_mode
explainer_mode(const struct explainer *x)
{
	return x->w != NULL ? x->w->mode : x->r->mode;
}

const struct registry_sidecar *
explainer_sidecar(const struct explainer *x)
{
	return x->w != NULL ? x->w->sidecar : x->r->unknown_sidecar;
}

/* Paths may have any bytes. */
char *
explainer_place(const struct registry_sidecar *s, char buf[EXPLAINER_LIST_MAX])
{
	(void)snprintf(buf, EXPLAINER_LIST_MAX, "Sidecar %s/%s (%s:%u)",
	    s->source.namespace, s->source.name, s->source.file,
	    s->source.line); /* cut when longer */
	for (char *c = buf; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return buf;
}

const char *
explainer_proto(uint8_t proto)
{
	return proto == IPPROTO_UDP ? "UDP" : "TCP";
}

/* Append text and tell whether there is still room for the next one, however long a
 * namespace or a protocol is. */
static bool
append(char *buf, size_t *used, const char *text)
{
	size_t len = strlen(text);

	if (*used + len + sizeof(ELLIPSIS) > EXPLAINER_LIST_MAX) {
		memcpy(buf + *used, ELLIPSIS, sizeof(ELLIPSIS));
		return false;
	}
	memcpy(buf + *used, text, len + 1);
	*used += len;
	return true;
}

char *
explainer_ports(
    const struct registry_port *ports, size_t count, char buf[EXPLAINER_LIST_MAX])
{
	char text[96];
	size_t used = 0;

	(void)snprintf(buf, EXPLAINER_LIST_MAX, "no ports"); /* fits */
	for (size_t i = 0; i < count; i++) {
		const char *protocol = ports[i].protocol;

		(void)snprintf(text, sizeof(text), "%s%u/%s", i > 0 ? ", " : "",
		    ports[i].number,
		    protocol[0] != '\0' ? protocol : explainer_proto(ports[i].proto));
		if (!append(buf, &used, text))
			break;
		(void)snprintf(text, sizeof(text), " (leads to port %u)", ports[i].to);
		if (ports[i].to != 0 && !append(buf, &used, text))
			break;
	}
	return buf;
}

static bool
leads_elsewhere(const struct way *way)
{
	return way->addr.family != 0 || way->target != NULL;
}

/* ADDRESS:PORT, or NAME:PORT. */
static char *
format_end(const struct way *way, char buf[NAME_TEXT_MAX + 8])
{
	const struct endpoint e = {.addr = way->addr, .port = way->port};
	struct name name;
	size_t len;

	if (way->target == NULL)
		return endpoint_format(&e, buf);
	name_from_wire(way->target->name, way->target->len, &name);
	len = strlen(name_format(&name, buf));
	(void)snprintf(buf + len, NAME_TEXT_MAX + 8 - len, ":%u", way->port); /* fits */
	return buf;
}

char *
explainer_ways(const struct registry *r, size_t service, char buf[EXPLAINER_LIST_MAX])
{
	char text[NAME_TEXT_MAX + 48], place[NAME_TEXT_MAX + 8];
	size_t used = 0;
	struct way way;

	buf[0] = '\0';
	for (size_t i = 0; way_get(r, service, i, &way) && leads_elsewhere(&way); i++) {
		(void)snprintf(text, sizeof(text), "%s%s (weight %u)", i > 0 ? ", " : "",
		    format_end(&way, place), way.weight); /* fits */
		if (!append(buf, &used, text))
			break;
	}
	return buf;
}

char *
explainer_own_ports(const struct way_host *ways, char buf[EXPLAINER_LIST_MAX])
{
	char text[ADDR_TEXT_MAX + 32], place[ADDR_TEXT_MAX];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ways->override_count; i++) {
		const struct way_override *o = &ways->overrides[i];

		(void)snprintf(text, sizeof(text), "%s%s %u to %u", i > 0 ? ", " : "",
		    addr_format(&o->endpoint, place), o->number,
		    o->to != 0 ? o->to : o->number);
		if (!append(buf, &used, text))
			break;
	}
	return buf;
}

char *
explainer_targets(
    const struct registry_target *targets, size_t count, char buf[EXPLAINER_LIST_MAX])
{
	char text[NAME_TEXT_MAX];
	struct name name;
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		name_from_wire(targets[i].name, targets[i].len, &name);
		if ((i > 0 && !append(buf, &used, ", ")) ||
		    !append(buf, &used, name_format(&name, text)))
			break;
	}
	return buf;
}

char *
explainer_export(const struct registry_host *host, char buf[EXPLAINER_LIST_MAX])
{
	size_t used = 0;

	if (host->exported_to_all || host->exported_count == 0) {
		(void)snprintf(buf, EXPLAINER_LIST_MAX, "exported to %s",
		    host->exported_to_all ? "all namespaces" : "nobody"); /* fits */
		return buf;
	}
	(void)append(buf, &used,
	    host->exported_count == 1 ? "exported to the namespace "
				      : "exported to the namespaces "); /* fits */
	for (size_t i = 0; i < host->exported_count; i++)
		if ((i > 0 && !append(buf, &used, ", ")) ||
		    !append(buf, &used, host->exported_to[i]))
			return buf;
	(void)append(buf, &used, " only"); /* fits, or ends in dots */
	return buf;
}
