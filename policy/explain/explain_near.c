/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/explain/explain_near.h"

#include <string.h>

/* The definitions of one node that cover the name, or do not quite. */
struct place {
	const struct tree_node *node;
	bool is_name; /* not only an ancestor */
};

static const char *
namespace_of(const struct explainer *x)
{
	return x->w != NULL ? x->w->namespace : "this workload's, which is not known";
}

static void
say_hidden(const struct explainer *x, const struct registry_host *h, const char *what)
{
	const struct registry_sidecar *s = explainer_sidecar(x);
	char export[EXPLAINER_LIST_MAX];

	if (s != NULL && s->imports != NULL && explainer_sees(x, h)) {
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "host %s %s, but %s does not import it: it imports %s", h->host, what,
		    explainer_place(s, export), s->imports);
		return;
	}
	explain_say(x->out, EXPLAIN_NEAR, h, "host %s %s, but is %s, not to %s", h->host,
	    what, explainer_export(h, export), namespace_of(x));
}

static void
exact_at(const struct explainer *x, const struct place *p, const struct registry_host *h)
{
	if (p->is_name)
		say_hidden(x, h, "is the name");
	else if (explainer_sees(x, h))
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "host %s covers only itself, no name below it: list the name, or "
		    "*.%s",
		    h->host, h->host);
}

static void
wildcard_at(
    const struct explainer *x, const struct place *p, const struct registry_host *h)
{
	if (!p->is_name)
		say_hidden(x, h, "covers the name");
	else if (explainer_sees(x, h))
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "host %s does not cover its apex: list %s too", h->host, h->host + 2);
}

/* People list the one and ask for the other. */
static void
www_below(const struct explainer *x, const struct tree_node *node)
{
	static const uint8_t www[] = {3, 'w', 'w', 'w'};
	const struct tree_node *child = tree_child(&x->r->tree, node, www);
	struct tree_view view;

	if (child == NULL)
		return;
	view = explainer_view(x, child);
	if (view.exact != NULL)
		explain_say(x->out, EXPLAIN_NEAR, view.exact,
		    "host %s is registered, the name above it is not: list it too",
		    view.exact->host);
}

static void
look_at(const struct explainer *x, const struct place *p)
{
	const struct registry_host *list[EXPLAINER_HOSTS_MAX];
	size_t count = explainer_hosts(p->node, false, list);

	for (size_t i = 0; i < count; i++)
		exact_at(x, p, list[i]);
	count = explainer_hosts(p->node, true, list);
	for (size_t i = 0; i < count; i++)
		wildcard_at(x, p, list[i]);
	if (p->is_name)
		www_below(x, p->node);
}

void
explain_near_name(const struct explainer *x)
{
	const struct tree_node *path[NAME_LABELS_MAX + 1];
	size_t len;
	bool whole = explainer_path(x, &x->q->name, path, &len);

	for (size_t i = len; i > 0; i--) {
		struct place p = {path[i - 1], whole && i == len};

		look_at(x, &p);
	}
}

static void
say_other(const struct explainer *x, const struct registry_host *chosen,
    const struct registry_host *h)
{
	char ports[EXPLAINER_LIST_MAX], place[EXPLAINER_LIST_MAX];
	const struct registry_port *port = explainer_port(x, h->ports, h->port_count);

	if (h == chosen || port == NULL)
		return;
	if (h == chosen->whole) {
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "host %s lists %s, but no listener that imports the host serves that "
		    "port under %s",
		    h->host, explainer_ports(port, 1, ports),
		    explainer_place(explainer_sidecar(x), place));
		return;
	}
	if (!explainer_sees(x, h))
		say_hidden(x, h, "lists the port");
	else
		explain_say(x->out, EXPLAIN_NEAR, h,
		    "host %s lists %s, but host %s of %s/%s goes before it: the more "
		    "specific host does, then the workload's own namespace, then a "
		    "Service, then what is exported by name, then the older entry",
		    h->host, explainer_ports(port, 1, ports), chosen->host,
		    chosen->source.namespace, chosen->source.name);
}

void
explain_near_port(const struct explainer *x, const struct registry_host *chosen)
{
	const struct tree_node *path[NAME_LABELS_MAX + 1];
	const struct registry_host *list[EXPLAINER_HOSTS_MAX];
	size_t len;
	bool whole = explainer_path(x, &x->q->name, path, &len);

	for (size_t i = len; i > 0; i--) {
		bool is_name = whole && i == len;
		size_t count = explainer_hosts(path[i - 1], !is_name, list);

		for (size_t k = 0; k < count; k++)
			say_other(x, chosen, list[k]);
	}
}
