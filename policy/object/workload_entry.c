/* SPDX-License-Identifier: Apache-2.0 */
/*
 * E17 to E25 and E28 to E30, W5: see policy/object/entry_rules.h for what the numbers
 * are.
 */
#include "policy/object/workload_entry.h"

#include <string.h>

#include "base/name.h"
#include "policy/object/labels.h"
#include "policy/object/service_entry.h"
#include "policy/syntax.h"

#define UNIX_PREFIX "unix://"
#define ADDRESS_MAX 256
#define NETWORK_MAX 2048
#define LABELS_MAX 256

static const char *const known[] = {"address", "ports", "labels", "network", "locality",
    "weight", "serviceAccount", NULL};

/* E19, E20, E25, and our own word on all of them: there is no name and no address that a
 * lookup could answer with. */
static void
refuse_unix(struct reader *rd, const struct node *n, const struct node *address,
    const struct workload_entry_rules *rules)
{
	const char *path = address->text + strlen(UNIX_PREFIX);
	size_t len = strlen(path);

	if (len == 0 || (path[0] != '/' && path[0] != '@') ||
	    (path[0] == '/' && path[len - 1] == '/'))
		reader_refuse(rd, address, "endpoint",
		    "is no socket: an absolute path or an abstract @name is needed");
	if (reader_get(n, "ports") != NULL)
		reader_error(rd, address, "a unix endpoint cannot have ports");
	if (rules->port_count != 1 && !rules->alone)
		reader_error(
		    rd, address, "a unix endpoint needs an entry with exactly one port");
	reader_refuse(rd, address, "endpoint",
	    "is a unix socket: no pod can reach it over the network; remove it");
}

static bool
read_address(struct reader *rd, const struct node *n, const struct node *address,
    const struct workload_entry_rules *rules, struct entry_endpoint *e)
{
	struct name name;

	if (!reader_text(rd, address, "endpoint address"))
		return false;
	if (address->len > ADDRESS_MAX) {
		reader_refuse(rd, address, "endpoint", "is longer than 256 bytes");
		return false;
	}
	if (strncmp(address->text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
		refuse_unix(rd, n, address, rules);
		return false;
	}
	if (addr_parse(address->text, address->len, &e->address) == 0) {
		e->kind = ENDPOINT_ADDRESS;
		return true;
	}
	if (rules->resolution == RESOLUTION_STATIC) { /* E21 */
		reader_refuse(rd, address, "endpoint",
		    "is no IP address, which resolution STATIC needs; for a name use "
		    "DNS");
		return false;
	}
	if (!syntax_fqdn(address->text, address->len) ||
	    name_parse(address->text, address->len, &name) < 0) { /* E29 */
		reader_refuse(
		    rd, address, "endpoint", "is neither an IP address nor a host name");
		return false;
	}
	e->kind = ENDPOINT_NAME;
	e->name = reader_copy(rd, address);
	return e->name != NULL;
}

/* E18, E29, W5: without an address the network must say where. */
static bool
no_address(
    struct reader *rd, const struct node *n, const struct workload_entry_rules *rules)
{
	const struct node *network = reader_get(n, "network");
	bool stated = network != NULL && network->len > 0;

	if ((rules->resolution == RESOLUTION_STATIC || rules->alone) && stated) {
		reader_warning(rd, n,
		    "an endpoint with a network but no address: nothing here reaches it");
		return true;
	}
	reader_error(rd, n, "an endpoint without address: add one");
	return false;
}

static const struct entry_port *
port_named(const struct workload_entry_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->port_count; i++)
		if (strcmp(rules->ports[i].port.name, name) == 0)
			return &rules->ports[i];
	return NULL;
}

/* E22, E23 */
static void
read_port(struct reader *rd, const struct node *n,
    const struct workload_entry_rules *rules, struct entry_endpoint *e)
{
	const struct entry_port *port = port_named(rules, n->key->text);
	char quoted[FINDING_QUOTE_MAX];
	uint64_t number;
	char *name;

	(void)finding_quote(n->key->text, n->key->len, quoted);
	/* 62, not 63: the resource's schema is stricter than Istio's webhook */
	if (!syntax_label(n->key->text, n->key->len) || n->key->len > 62)
		reader_error(rd, n->key, "endpoint port %s is no name of a port", quoted);
	else if (port == NULL && !rules->alone)
		reader_error(rd, n->key,
		    "endpoint port %s is none of the entry's ports: name it there",
		    quoted);
	if (!reader_number(
		rd, n, "the number of an endpoint's port", 1, 65535, &number)) {
		if (node_is_null(n))
			reader_error(
			    rd, n->key, "endpoint port %s has no number", quoted);
		return;
	}
	name = reader_copy(rd, n->key);
	if (name != NULL)
		e->ports[e->port_count++] = (struct entry_endpoint_port){
		    .name = name, .number = (uint16_t)number};
}

static void
read_ports(struct reader *rd, const struct node *ports,
    const struct workload_entry_rules *rules, struct entry_endpoint *e)
{
	if (!reader_mapping(rd, ports, "endpoint ports") || ports->len == 0)
		return;
	if (ports->len > WORKLOAD_ENTRY_PORTS_MAX) {
		reader_error(rd, ports, "an endpoint with %zu ports: the limit is %d",
		    ports->len, WORKLOAD_ENTRY_PORTS_MAX);
		return;
	}
	e->ports = memory_array(rd->memory, ports->len, sizeof(*e->ports));
	if (e->ports == NULL)
		return;
	for (const struct node *c = ports->child; c != NULL; c = c->next)
		read_port(rd, c, rules, e);
}

/* The weight, and texts that nothing here evaluates, but that the cluster would check. */
static void
read_rest(struct reader *rd, const struct node *n, struct entry_endpoint *e)
{
	static const struct {
		const char *key;
		size_t max;
	} texts[] = {
	    {"network", NETWORK_MAX}, {"locality", 2048}, {"serviceAccount", 253}};
	uint64_t weight = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct node *text = reader_get(n, texts[i].key);

		if (reader_text(rd, text, texts[i].key) && text->len > texts[i].max)
			reader_error(rd, text, "%s is longer than %zu bytes",
			    texts[i].key, texts[i].max);
	}
	labels_check(rd, reader_get(n, "labels"), "endpoint label", LABELS_MAX); /* E24 */
	(void)reader_number(rd, reader_get(n, "weight"), "weight", 0, UINT32_MAX,
	    &weight); /* stays 0 when it is none */
	e->weight = (uint32_t)weight;
}

bool
workload_entry_read(struct reader *rd, const struct node *n,
    const struct workload_entry_rules *rules, struct entry_endpoint *ret_endpoint)
{
	struct entry_endpoint e = {.line = n->line};
	const struct node *address = reader_get(n, "address");
	size_t errors = rd->errors;
	bool good;

	if (!reader_mapping(rd, n, "an endpoint")) {
		if (rd->errors == errors) /* E17, E28 */
			reader_error(rd, n, "an empty endpoint: remove it");
		return false;
	}
	reader_known(rd, n, "an endpoint", known);
	if (address == NULL || (address->kind == NODE_SCALAR && address->len == 0))
		good = no_address(rd, n, rules);
	else
		good = read_address(rd, n, address, rules, &e);
	read_ports(rd, reader_get(n, "ports"), rules, &e);
	read_rest(rd, n, &e);
	if (!good || rd->errors != errors)
		return false;
	*ret_endpoint = e;
	return true;
}

/* Istio gives the object's own labels precedence. */
static void
read_labels(struct reader *rd, const struct manifest *m, struct workload_entry *w)
{
	struct labels own, inner;

	labels_read(rd, m->labels, "metadata.labels", &own);
	labels_read(rd, reader_get(m->spec, "labels"), "endpoint label", &inner);
	labels_merge(rd->memory, &own, &inner, &w->labels);
}

struct workload_entry *
workload_entry_read_object(struct reader *rd, const struct manifest *m)
{
	struct workload_entry_rules rules = {.resolution = RESOLUTION_DNS, .alone = true};
	struct workload_entry *w = memory_alloc(rd->memory, sizeof(*w));
	size_t errors = rd->errors;

	if (w == NULL)
		return NULL;
	if (m->spec == NULL) {
		reader_error(rd, m->at, "spec is missing");
		return NULL;
	}
	w->source = (struct registry_source){
	    .kind = "WorkloadEntry",
	    .namespace = memory_text(rd->memory, m->namespace, strlen(m->namespace)),
	    .name = memory_text(rd->memory, m->name, strlen(m->name)),
	    .file = rd->file,
	    .line = m->at->line,
	};
	if (!workload_entry_read(rd, m->spec, &rules, &w->endpoint))
		return NULL;
	read_labels(rd, m, w);
	return rd->errors == errors && rd->memory->lack == 0 ? w : NULL;
}
