/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of an explanation share: one question under way, and how to look at the
 * registry with its workload's eyes. Inside policy/ only; everybody else sees
 * policy/explain/explain.h.
 */
#ifndef POLICY_EXPLAIN_EXPLAINER_H
#define POLICY_EXPLAIN_EXPLAINER_H

#include "policy/explain/explain.h"
#include "policy/registry/image.h"
#include "policy/registry/way.h"

#define EXPLAINER_HOSTS_MAX 16 /* definitions of one host by different namespaces */
#define EXPLAINER_LIST_MAX 256 /* bytes of a list of ports, names or namespaces */

struct explainer {
	const struct registry *r;
	const struct explain_question *q;
	const struct workload *w; /* known, or made up of a namespace; NULL: neither */
	struct explanation *out;
};

/* What stands at a node to the workload. */
struct tree_view explainer_view(const struct explainer *x, const struct tree_node *node);
/* Is it exported to the workload's namespace? Another entry may go before it. */
bool explainer_sees(const struct explainer *x, const struct registry_host *host);

/* The node of a name, and how deep down the path to it leads: all nodes on it into path,
 * the root first. False when the last one is an ancestor only. */
bool explainer_path(const struct explainer *x, const struct name *n,
    const struct tree_node *path[NAME_LABELS_MAX + 1], size_t *ret_len);
/* All that namespaces define at a node, exact or wildcard, each once and whole; how
 * many. */
size_t explainer_hosts(const struct tree_node *node, bool wildcard,
    const struct registry_host *list[EXPLAINER_HOSTS_MAX]);

/* The port asked for, NULL when the host does not list it; its first one when none was
 * asked for. */
const struct registry_port *explainer_port(
    const struct explainer *x, const struct registry_port *ports, size_t count);
/* "443/HTTPS, 80/HTTP", or "no ports". */
char *explainer_ports(
    const struct registry_port *ports, size_t count, char buf[EXPLAINER_LIST_MAX]);
/* "db.example.com, db.example.net". */
/* Where a service leads; "" when the address stays. */
char *explainer_ways(
    const struct registry *r, size_t service, char buf[EXPLAINER_LIST_MAX]);
/* What endpoints say of their ports; "" when they say nothing. */
char *explainer_own_ports(const struct way_host *ways, char buf[EXPLAINER_LIST_MAX]);
char *explainer_targets(
    const struct registry_target *targets, size_t count, char buf[EXPLAINER_LIST_MAX]);
/* "exported to the namespace shop only". */
char *explainer_export(const struct registry_host *host, char buf[EXPLAINER_LIST_MAX]);
const char *explainer_proto(uint8_t proto);
/* What holds for the workload. */
enum outbound_mode explainer_mode(const struct explainer *x);
/* The Sidecar that it is under; NULL: none. */
const struct registry_sidecar *explainer_sidecar(const struct explainer *x);
/* "Sidecar shop/web (shop.yaml:3)". */
char *explainer_place(const struct registry_sidecar *s, char buf[EXPLAINER_LIST_MAX]);

#endif
